"""torch against onnxruntime on real inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from unveil.errors import WeightsError
from unveil.imaging import Photo, to_network

TOLERANCE = 1e-4


def round_to_half(network: nn.Module, at_least: int) -> nn.Module:
    """Round the weights that a half-precision file stores so, in place: like with like."""
    for parameter in network.parameters():
        if parameter.numel() >= at_least:
            parameter.data = parameter.data.half().float()
    return network


def largest_difference(network: nn.Module, path: Path, faces: Photo) -> float:
    """Largest |torch - onnxruntime| over all output values, in the networks' range [-1, 1].

    Args:
        network: in evaluation mode.
        faces: (N, 256, 256, 3) uint8, occluded.
    """
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = to_network(faces)
    worst = 0.0
    for i in range(0, len(inputs), 4):
        part = inputs[i : i + 4]
        with torch.no_grad():
            ours = network(torch.from_numpy(part)).numpy()
        theirs = session.run(None, {"face": part})[0]
        worst = max(worst, float(np.abs(ours - theirs).max()))
    return worst


def check(network: nn.Module, path: Path, faces: Photo) -> float:
    """`largest_difference`, which must be under 1e-4.

    Raises:
        WeightsError: the file does not compute what the network does.
    """
    worst = largest_difference(network, path, faces)
    if not worst < TOLERANCE:
        raise WeightsError(f"{path} differs from its network by {worst:.2e}, over {TOLERANCE:g}")
    return worst
