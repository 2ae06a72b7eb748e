"""What a checkpoint of `lite` holds: a network of its settings, and the prior under it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from unveil.errors import WeightsError
from unveil.models.lite import LITE, Lite
from unveil.models.prior import FacePrior
from unveil.training.config import LiteConfig


def make_lite(config: LiteConfig) -> Lite:
    """The network of a configuration, untrained."""
    shape = replace(
        LITE.scaled(config.width),
        code=config.code,
        attention=config.attention,
        side=config.size,
    )
    return Lite(shape, mirrored=config.mirror, overview=config.overview)


def prior_of(state: dict[str, Any]) -> FacePrior:
    """The prior inside a checkpoint.

    Raises:
        WeightsError: there is none, or it is damaged.
    """
    if "prior" not in state:
        raise WeightsError("the checkpoint has no prior: it was trained without one")
    return FacePrior.from_bytes(state["prior"].numpy().tobytes(), Path("the checkpoint's prior"))
