"""Checkpoint -> ONNX: norms folded, weights stored in half precision, contract in the metadata."""

from __future__ import annotations

import copy
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.jit._trace import TracerWarning
from torch.nn.utils.fusion import fuse_conv_bn_weights

from unveil.files import atomic_path
from unveil.imaging import FACE_SIZE
from unveil.models.paper import OutputLayer, PaperGenerator
from unveil.runtime.session import CONTRACT
from unveil.training import checkpoint

OPSET = 17
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


def load_generator(path: Path, role: str) -> PaperGenerator:
    """The generator of a checkpoint (its running average where there is one), for inference.

    Args:
        role: "face" or "mask".
    """
    state = checkpoint.load(path)
    config, branch = state["config"], state["clean" if role == "face" else "mask"]
    network = PaperGenerator(
        3 if role == "face" else 1, width=config["width"], depth=config["depth"]
    )
    network.load_state_dict(branch["ema"]["model"] if "ema" in branch else branch["generator"])
    return network.eval()


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


def export(network: PaperGenerator, role: str, path: Path, *, half: bool = True) -> None:
    """Write a generator as ONNX with a dynamic batch.

    Args:
        role: "face" or "mask"; names the output, `restored` or `mask`.
        half: store weights in float16; the arithmetic stays float32.
    """
    output = "restored" if role == "face" else "mask"
    side = max(FACE_SIZE, 2 ** len(network.downs))
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # This exporter is called old, traces shapes that never change here, and remarks that
        # InstanceNorm takes its statistics from the image, which is what InstanceNorm is.
        for remark in (DeprecationWarning, UserWarning, TracerWarning):
            warnings.simplefilter("ignore", remark)
        torch.onnx.export(
            fold(network),
            (torch.zeros(1, 3, side, side),),
            buffer,  # type: ignore[arg-type]
            input_names=["face"],
            output_names=[output],
            dynamic_axes={"face": {0: "batch"}, output: {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    if half:
        store_half(model)
    for key, value in (("unveil.contract", CONTRACT), ("unveil.role", role)):
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
