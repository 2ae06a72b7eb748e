"""torch against onnxruntime on real inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from unveil.errors import WeightsError
from unveil.runtime.ort import ort

Array = NDArray[np.float32]
TOLERANCE = 1e-4


def round_to_half(network: nn.Module, at_least: int) -> nn.Module:
    """Round the weights that a half-precision file stores so, in place: like with like."""
    for parameter in network.parameters():
        if parameter.numel() >= at_least:
            parameter.data = parameter.data.half().float()
    return network


def largest_difference(network: nn.Module, path: Path, inputs: Mapping[str, Array]) -> float:
    """Largest |torch - onnxruntime| over all output values, in the networks' range [-1, 1].

    Args:
        network: in evaluation mode.
        inputs: (N, channels, S, S) float32 by the name of the input, in the network's order.
    """
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    n = len(next(iter(inputs.values())))
    worst = 0.0
    for i in range(0, n, 4):
        part = {name: values[i : i + 4] for name, values in inputs.items()}
        with torch.no_grad():
            ours = network(*(torch.from_numpy(values) for values in part.values())).numpy()
        theirs = session.run(None, part)[0]
        worst = float(np.maximum(worst, np.abs(ours - theirs).max()))  # NaN stays
    return worst


def check(network: nn.Module, path: Path, inputs: Mapping[str, Array]) -> float:
    """`largest_difference` of the same arguments, which must be under 1e-4.

    Raises:
        WeightsError: the file does not compute what the network does.
    """
    worst = largest_difference(network, path, inputs)
    if not worst < TOLERANCE:
        raise WeightsError(f"{path} differs from its network by {worst:.2e}, over {TOLERANCE:g}")
    return worst
