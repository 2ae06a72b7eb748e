"""What a model costs on paper: parameters, multiply-adds and bytes of what runs for one face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unveil.errors import WeightsError
from unveil.imaging import Mask
from unveil.models.prior import FacePrior

if TYPE_CHECKING:
    import onnx

COUNTED = ("Conv", "ConvTranspose", "MatMul", "Gemm")


@dataclass(frozen=True)
class Cost:
    """Of restoring one 256x256 face; a prior, and some networks, work more where more is hidden.

    Attributes:
        parameters: numbers that were learned or fitted.
        multiply_adds: of convolutions and matrix products; None where the work is a search or a
            diffusion, whose steps depend on the face.
        file_bytes: of the files that restoring needs.
    """

    parameters: int = 0
    multiply_adds: int | None = None
    file_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        known = [c.multiply_adds for c in (self, other) if c.multiply_adds is not None]
        return Cost(
            self.parameters + other.parameters,
            sum(known) if known else None,
            self.file_bytes + other.file_bytes,
        )


def cost_of_network(path: Path, hidden: Mask) -> Cost:
    """Count an ONNX file as it runs: norms that the export merged are not counted any more.

    Args:
        path: the file.
        hidden: (S, S), what its input "mask" says, if it has one of that size.

    Raises:
        WeightsError: it cannot be read or run.
    """
    import onnx
    from onnx import TensorProto

    floats = (TensorProto.FLOAT, TensorProto.FLOAT16)
    try:
        model = onnx.load(str(path))
        layers = [node for node in model.graph.node if node.op_type in COUNTED]
        shapes = _shapes(
            model, hidden, {name for n in layers for name in (*n.input[:2], *n.output)}
        )
    except Exception as error:  # protobuf's, onnx's and onnxruntime's have no common base but this
        raise WeightsError(f"{path}: no network that can be counted: {error}") from None
    total = sum(_multiply_adds(n.op_type, n.input, n.output, shapes) for n in layers)
    parameters = sum(prod(t.dims) for t in model.graph.initializer if t.data_type in floats)
    return Cost(parameters, total, path.stat().st_size)


def says_reimplementation(path: Path) -> bool:
    """Whether an ONNX file's metadata call it a network of others, written from their paper."""
    import onnx

    properties = onnx.load(str(path)).metadata_props
    return any(p.key == "unveil.reimplementation" and p.value == "true" for p in properties)


def _shapes(model: onnx.ModelProto, hidden: Mask, names: set[str]) -> dict[str, tuple[int, ...]]:
    """Shapes of tensors inside a network, by running it: some depend on others' values."""
    from onnx import ValueInfoProto

    from unveil.runtime.ort import ort

    shapes = {t.name: tuple(t.dims) for t in model.graph.initializer}
    inside = sorted(names - shapes.keys())
    given = {
        i.name: _example(
            i.name, [1, *(d.dim_value for d in i.type.tensor_type.shape.dim[1:])], hidden
        )
        for i in model.graph.input
    }
    inside = [name for name in inside if name not in given]
    model.graph.output.extend(
        ValueInfoProto(name=name)
        for name in inside
        if name not in {output.name for output in model.graph.output}
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options)
    found = session.run(inside, given) if inside else []
    shapes |= {name: value.shape for name, value in given.items()}
    return shapes | {name: value.shape for name, value in zip(inside, found, strict=True)}


def _example(name: str, shape: list[int], hidden: Mask) -> NDArray[np.float32]:
    """One input: `hidden` where it is a mask of its size, to which some networks cut their work."""
    value = np.zeros(shape, np.float32)
    if name == "mask" and value.shape[2:] == hidden.shape:
        value[:] = hidden
    return value


def _multiply_adds(
    kind: str, inputs: Sequence[str], outputs: Sequence[str], shapes: dict[str, tuple[int, ...]]
) -> int:
    """Of one layer. A kernel's axes are (out, in of a group, ...), transposed (in, out, ...)."""
    if kind == "Conv":
        return prod(shapes[outputs[0]]) * prod(shapes[inputs[1]][1:])
    if kind == "ConvTranspose":
        return prod(shapes[inputs[0]]) * prod(shapes[inputs[1]][1:])
    # MatMul, and Gemm, whose first factor is never transposed in an export of ours.
    return prod(shapes[outputs[0]]) * shapes[inputs[0]][-1]


def cost_of_prior(prior: FacePrior, path: Path, hidden: Mask) -> Cost:
    """Of the closed form, with so much `hidden` and all Gaussians asked.

    Each: the matrix of the hidden rows times itself, one solution of a k x k system, the known part
    seen through the eigenfaces, and their sum. Of symmetric eigenfaces half is kept.
    """
    parameters = work = 0
    for gaussian in (prior.front, prior.turned):
        if gaussian is None:
            continue
        entries, k = gaussian.components.shape
        work += round(float(hidden.mean()) * entries) * k * k + k**3 // 3 + 2 * entries * k
        kept = entries // 2 if gaussian is prior.front else entries
        parameters += entries + kept * k + k + gaussian.texture.size
    if prior.direction is not None:
        parameters += prior.direction.size
    return Cost(parameters, work, path.stat().st_size)
