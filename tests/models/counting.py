"""Counts of parameters and multiply-adds by torch, to hold against those made by hand."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def multiply_adds(network: nn.Module, *inputs: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval().to("meta")(*(x.to("meta") for x in inputs))
    return counter.get_total_flops() // 2
