"""Checkpoint -> ONNX: norms folded, weights stored in half precision, contract in the metadata."""

from __future__ import annotations

import copy
import dataclasses
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.jit._trace import TracerWarning
from torch.nn.utils.fusion import fuse_conv_bn_weights

from unveil.errors import UsageError
from unveil.files import atomic_path
from unveil.imaging import FACE_SIZE
from unveil.models.aligner import ALIGNER, Aligner
from unveil.models.lite import Detailed
from unveil.models.paper import OutputLayer, PaperGenerator
from unveil.models.picnet import PicNet
from unveil.models.segmenter import SEGMENTER, Segmenter
from unveil.models.shiftnet import ShiftNet
from unveil.models.unet import make_unet
from unveil.runtime import aligner
from unveil.runtime.session import CONTRACT, FILLED_CONTRACT
from unveil.training.checkpoint import averaged
from unveil.training.config import LiteConfig
from unveil.training.lite_model import make_lite, prior_of

OPSET = 17
OUTPUTS = {"face": "restored", "mask": "mask", "align": "moved"}
SUREST = 30.0  # logit; larger ones have odds that float32 does not hold
HALF_FROM = 512  # smaller tensors stay float32: their bytes do not matter


class FoldedOutput(nn.Module):
    """`OutputLayer` with its one convolution's weights computed once."""

    def __init__(self, layer: OutputLayer) -> None:
        super().__init__()
        weight, bias = layer.folded()
        self.conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
        self.conv.weight = nn.Parameter(weight.detach().clone())
        self.conv.bias = nn.Parameter(bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(nn.functional.pixel_shuffle(self.conv(x), 2))


@dataclass(frozen=True)
class Exported:
    """A network of a checkpoint, ready to be written.

    Attributes:
        role: "face", "mask" or "align"; names the output, as `OUTPUTS` has it.
        network: in evaluation mode, averaged where there is an average.
        filled: it takes a face that the prior has filled, the mask, and how much detail.
        side: of its faces in pixels.
        masked: it takes the mask beside the face.
        noise: (channels, height, width) of the noise that it takes, () for none.
        reimplementation: a network of others, written from their paper.
    """

    role: str
    network: nn.Module
    filled: bool = False
    side: int = FACE_SIZE
    masked: bool = False
    noise: tuple[int, ...] = ()
    reimplementation: bool = False

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Shapes of one face's inputs, by name."""
        shapes: dict[str, tuple[int, ...]] = {"face": (1, 3, self.side, self.side)}
        if self.filled or self.masked:
            shapes["mask"] = (1, 1, self.side, self.side)
        if self.filled:
            shapes["detail"] = (1, 1, 1, 1)
        if self.noise:
            shapes["noise"] = (1, *self.noise)
        return shapes

    @property
    def contract(self) -> str:
        """What the metadata say of the inputs."""
        if self.role == "align":
            return aligner.CONTRACT
        return FILLED_CONTRACT if self.filled else CONTRACT


class MaskOutput(nn.Module):
    """A segmenter in the runtime's contract: [-1, 1], above 0 = hidden.

    It looks at a face and at its mirror image, and takes the mean of the odds of both. The odds and
    not the probabilities: the look that is sure counts more. See docs/log.md, 2026-11-30.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, face: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, 1, S, S); (o - 1) / (o + 1) is 2 p - 1 for odds o = p / (1 - p)."""
        looks = self.segmenter(torch.cat([face, face.flip(-1)]))
        odds = torch.exp(looks.clamp(-SUREST, SUREST))
        one, other = odds[: face.shape[0]], odds[face.shape[0] :]
        both = one + other.flip(-1)
        return (both - 2) / (both + 2)


class FrameOutput(nn.Module):
    """An aligner that looks at a face and at its mirror image, and says the mean of both.

    What turns and shifts to the left there does so to the right here; a scale is a scale.
    """

    signs: Tensor

    def __init__(self, aligner: Aligner) -> None:
        super().__init__()
        self.aligner = aligner
        self.register_buffer("signs", torch.tensor([1.0, -1.0, -1.0, 1.0]), persistent=False)

    def forward(self, face: Tensor, mask: Tensor) -> Tensor:
        """As `Aligner.forward`."""
        both = torch.cat([face, face.flip(-1)]), torch.cat([mask, mask.flip(-1)])
        looks = self.aligner(*both)
        moved: Tensor = (looks[: face.shape[0]] + self.signs * looks[face.shape[0] :]) / 2
        return moved


def networks_of(state: dict[str, Any]) -> tuple[Exported, ...]:
    """The networks of a checkpoint, for inference."""
    side, width = state["config"]["size"], state["config"]["width"]
    for name in ("unet", "shiftnet", "picnet"):
        if name in state:
            peer = _peer(name, side, width)
            peer.network.load_state_dict(averaged(state[name]))
            return (peer,)
    if "generator" in state:
        known = {field.name for field in dataclasses.fields(LiteConfig)}
        config = LiteConfig(**{k: v for k, v in state["config"].items() if k in known})
        lite = make_lite(config)
        lite.load_state_dict(averaged(state["generator"]))
        return (Exported("face", Detailed(lite).eval(), filled=True, side=side),)
    if "segmenter" in state:
        segmenter = Segmenter(dataclasses.replace(SEGMENTER.scaled(width), side=side))
        segmenter.load_state_dict(averaged(state["segmenter"]))
        return (Exported("mask", MaskOutput(segmenter).eval(), side=side),)
    if "aligner" in state:
        network = Aligner(dataclasses.replace(ALIGNER.scaled(width), side=side))
        network.load_state_dict(averaged(state["aligner"]))
        return (Exported("align", FrameOutput(network).eval(), side=side, masked=True),)
    found = []
    for role, branch in (("face", state["clean"]), ("mask", state["mask"])):
        depth = state["config"]["depth"]
        generator = PaperGenerator(3 if role == "face" else 1, width=width, depth=depth)
        generator.load_state_dict(averaged(branch))
        folded = fold(generator.eval())
        found.append(Exported(role, folded, side=side, reimplementation=True))
    return tuple(found)


def exportable(state: dict[str, Any], path: Path) -> tuple[Exported, ...]:
    """`networks_of` a checkpoint whose networks the runtime can use; `path` is for messages.

    Raises:
        UsageError: trained on faces of another size, or a generator without the prior it needs.
    """
    size = state["config"]["size"]
    if size != FACE_SIZE:
        raise UsageError(
            f"{path}: trained on faces of {size} pixels (--size); the runtime's have {FACE_SIZE}"
        )
    networks = networks_of(state)
    if any(network.filled for network in networks):
        prior_of(state)
    return networks


def _peer(name: str, side: int, width: float) -> Exported:
    """An untrained network of others."""
    if name == "unet":
        network: nn.Module = make_unet(width).eval()
        return Exported("face", network, side=side, reimplementation=True)
    if name == "shiftnet":
        network = ShiftNet(width).eval()
        return Exported("face", network, side=side, masked=True, reimplementation=True)
    picnet = PicNet(width).eval()
    noise = picnet.noise_shape(side)
    return Exported("face", picnet, False, side, masked=True, noise=noise, reimplementation=True)


def fold(network: PaperGenerator) -> nn.Module:
    """The same function with BatchNorms merged into convolutions and the output layer folded."""
    folded = copy.deepcopy(network).eval()
    for block in [*folded.downs, *folded.ups]:
        layers: list[nn.Module] = []
        for layer in block:
            if isinstance(layer, nn.BatchNorm2d):
                _merge(layers[-1], layer)
            else:
                layers.append(layer)
        # Only the children change: the block stays a Sequential.
        block._modules = {str(i): layer for i, layer in enumerate(layers)}
    if isinstance(folded.output, OutputLayer):
        folded.output = FoldedOutput(folded.output)
    return folded


def _merge(conv: nn.Module, norm: nn.BatchNorm2d) -> None:
    """Multiply a BatchNorm into the depthwise convolution before it, plain or transposed.

    A depthwise kernel is (C, 1, 4, 4) in both cases, so the channel is always the first axis.
    """
    assert isinstance(conv, (nn.Conv2d, nn.ConvTranspose2d))
    assert conv.groups == conv.in_channels == conv.out_channels
    assert norm.running_mean is not None
    assert norm.running_var is not None
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight,
        conv.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )


def export(exported: Exported, path: Path, *, half: bool = True) -> None:
    """Write a network as ONNX with a dynamic batch.

    Args:
        half: store weights in float16; the arithmetic stays float32.
    """
    output = OUTPUTS[exported.role]
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # This exporter is called old, traces shapes that never change here, and remarks that
        # InstanceNorm takes its statistics from the image, which is what InstanceNorm is.
        for remark in (DeprecationWarning, UserWarning, TracerWarning):
            warnings.simplefilter("ignore", remark)
        torch.onnx.export(
            exported.network,
            tuple(torch.zeros(shape) for shape in exported.inputs.values()),
            buffer,  # type: ignore[arg-type]
            input_names=list(exported.inputs),
            output_names=[output],
            dynamic_axes={name: {0: "batch"} for name in (*exported.inputs, output)},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    if half:
        store_half(model)
    properties = {"unveil.contract": exported.contract, "unveil.role": exported.role}
    if exported.reimplementation:
        properties["unveil.reimplementation"] = "true"
    for key, value in properties.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    with atomic_path(path) as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))


def store_half(model: onnx.ModelProto) -> None:
    """Keep large weights as float16 with a Cast behind them, in place.

    onnxruntime folds the Cast when it loads the file, so only the file gets smaller.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALF_FROM:
            continue
        values = numpy_helper.to_array(tensor).astype(np.float16)
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
