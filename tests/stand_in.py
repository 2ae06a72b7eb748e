"""A model to know by heart: `face` paints everything one colour, `mask` finds black."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from unveil.runtime.session import CONTRACT

COLOUR = (204, 153, 51)  # exactly representable: 0.6, 0.2, -0.6 in [-1, 1]
SHAPE = ["batch", 3, 256, 256]


def _save(path: Path, nodes: list, constants: list, output: str, channels: int, contract: str):
    graph = helper.make_graph(
        nodes,
        "stand-in",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, SHAPE)],
        [
            helper.make_tensor_value_info(
                output, TensorProto.FLOAT, [SHAPE[0], channels, *SHAPE[2:]]
            )
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="unveil.contract", value=contract)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def constant(name: str, values: list[float], shape: list[int]):
    return helper.make_tensor(name, TensorProto.FLOAT, shape, values)


def make_stand_in(folder: Path, name: str = "stand-in", contract: str = CONTRACT) -> str:
    """Write the model and its manifest; returns what `Restorer(model=...)` takes."""
    colour = [c / 127.5 - 1 for c in COLOUR]
    _save(
        folder / f"{name}-face.onnx",
        [
            helper.make_node("Mul", ["face", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "colour"], ["restored"]),
        ],
        [constant("zero", [0.0], [1]), constant("colour", colour, [1, 3, 1, 1])],
        "restored",
        3,
        contract,
    )
    _save(
        folder / f"{name}-mask.onnx",
        [
            helper.make_node("ReduceMax", ["face"], ["brightest"], axes=[1], keepdims=1),
            helper.make_node("Less", ["brightest", "almost_black"], ["black"]),
            helper.make_node("Where", ["black", "one", "minus_one"], ["mask"]),
        ],
        [
            constant("almost_black", [-0.99], [1]),
            constant("one", [1.0], [1]),
            constant("minus_one", [-1.0], [1]),
        ],
        "mask",
        1,
        contract,
    )
    files = []
    for role in ("face", "mask"):
        data = (folder / f"{name}-{role}.onnx").read_bytes()
        files.append(
            {
                "role": role,
                "file": f"{name}-{role}.onnx",
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
            }
        )
    entry = {
        "name": name,
        "files": files,
        "licence": "CC0-1.0",
        "training_data": "nothing",
        "faces_seen": 0,
        "input_contract": contract,
        "scores": {"psnr": 1.5},
    }
    (folder / "manifest.json").write_text(json.dumps({"models": [entry]}), encoding="utf-8")
    return str(folder / name)
