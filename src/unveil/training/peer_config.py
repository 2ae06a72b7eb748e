"""Settings of the re-implemented networks of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unveil.errors import UsageError
from unveil.training.config import OccludedConfig


@dataclass(frozen=True)
class PeerConfig(OccludedConfig):
    """What the re-implemented networks of others have in common; pix2pix's Adam.

    Attributes:
        pixel_weight: weight of L1 over the whole face.
        adversarial_weight: weight of the discriminators' judgement; 0 = none.
        adversarial_from: faces seen before the discriminators join in.
    """

    occluders: str = "mixed"
    learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    width: float = 0.5
    pixel_weight: float = 1.0
    adversarial_weight: float = 0.01
    adversarial_from: int = 0
    stride: ClassVar[int] = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size % self.stride:
            raise UsageError(f"--size {self.size} must be a multiple of {self.stride}")


@dataclass(frozen=True)
class UnetConfig(PeerConfig):
    """The plain U-Net of pix2pix: L1 a hundred times the adversarial loss (its section 6.2).

    That loss is least squares here and the log loss there: a hundred does not weigh the same.

    Attributes:
        hidden_weight: weight of a further L1 over the hidden part, relative to `pixel_weight`, as
            Shift-Net has it: without one, a network learns to copy first.
    """

    hidden_weight: float = 4.0


@dataclass(frozen=True)
class ShiftNetConfig(PeerConfig):
    """Shift-Net; the weights of its losses are the paper's (section 3.4).

    The adversarial one is least squares here and the log loss there.

    Attributes:
        hidden_weight: weight of a further L1 over the hidden part, relative to `pixel_weight`; of
            the authors' later releases.
        guidance_weight: weight of the guidance loss.
    """

    hidden_weight: float = 4.0

    adversarial_weight: float = 0.002
    guidance_weight: float = 0.01


@dataclass(frozen=True)
class PicNetConfig(PeerConfig):
    """PICNet; the weights of its losses are the paper's (section 4).

    L1 counts over the whole face in the reconstructive path, over the known part in the generative
    one, whose hidden part has no single truth.

    Attributes:
        kl_weight: weight of both KL terms.
    """

    pixel_weight: float = 20.0
    adversarial_weight: float = 1.0
    kl_weight: float = 20.0
    beta1: float = 0.0
    stride: ClassVar[int] = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        # The smallest of its maps would be one pixel, which has no deviation to norm by.
        self.check_at_least("size", 2 * self.stride)
