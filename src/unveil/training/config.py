"""Settings of a training run that decide the weights: of all models, and of each."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from unveil.errors import UsageError

OCCLUDERS = ("paper", "mixed", "all")
MAX_SEED = 2**64 - 1  # torch takes no larger one
# Settings that name files, which may have moved: what is in them counts.
FILES = ("prior", "features", "examples")


@dataclass(frozen=True)
class TrainConfig:
    """What every model's run has; all of it decides the weights and is saved in checkpoints.

    Attributes:
        size: side of the faces in pixels.
        batch_size: faces an optimiser step.
        micro_batch_size: faces at a time; gradients are accumulated up to `batch_size`.
        epochs: passes over the faces.
        learning_rate, beta1, beta2: Adam's, for all optimisers.
        occluders: "paper" (section 3.3, 4 to 15 % of the image); "mixed": others get a
            rectangle of 10 to 30 % instead, as the evaluation has them, half of them for `paper`,
            85 % for other presets; "all": rectangles, strokes and realistic occluders.
        flip: mirror half of the faces.
        stream: read the faces from tars as they come, in so many lanes (`training.order`); the
            number of processes must divide it. 0: all faces are at hand, in memory or mapped.
        ema: decay of the running average of the weights that is exported; 0 = none.
        seed: of everything drawn at random.
    """

    size: int = 256
    batch_size: int = 8
    micro_batch_size: int = 8
    epochs: int = 200
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.99
    occluders: str = "mixed"
    flip: bool = True
    stream: int = 0
    ema: float = 0.999
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("batch_size", "micro_batch_size", "epochs", "size"):
            self.check_at_least(name, 1)
        for name, value in self.to_dict().items():
            if name in ("seed", "adversarial_from") or name.endswith("_weight"):
                self.check_at_least(name, 0)
            if name in ("learning_rate", "width") and not value > 0:
                raise UsageError(f"--{name.replace('_', '-')} must be above 0")
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"--{name.replace('_', '-')} must be finite")
        if self.seed > MAX_SEED:
            raise UsageError(f"--seed must be at most {MAX_SEED}")
        if self.batch_size % self.micro_batch_size:
            raise UsageError(
                f"--batch-size {self.batch_size} must be a multiple of "
                f"--micro-batch-size {self.micro_batch_size}"
            )
        if self.occluders not in OCCLUDERS:
            raise UsageError(f"--occluders {self.occluders}: choose from {', '.join(OCCLUDERS)}")
        self.check_share("ema")
        self.check_at_least("stream", 0)
        if self.stream and self.batch_size % self.stream:
            raise UsageError(
                f"--batch-size {self.batch_size} must be a multiple of --stream {self.stream}"
            )

    def check_at_least(self, name: str, least: int) -> None:
        """UsageError, with the option's name, for a smaller number."""
        if not getattr(self, name) >= least:
            raise UsageError(f"--{name.replace('_', '-')} must be at least {least}")

    def check_share(self, name: str) -> None:
        """UsageError, with the option's name, for a number outside [0, 1)."""
        if not 0 <= getattr(self, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be in [0, 1)")

    @property
    def least_micro_batch(self) -> int:
        """The fewest faces at a time that the networks can be trained on."""
        return 1

    @property
    def worn(self) -> bool:
        """Whether faces wear realistic occluders, which turn as the heads do."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for checkpoints and logs."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class PaperConfig(TrainConfig):
    """The paper's system; the defaults are its own (section 3.4) where it gives any.

    beta1 and lambda are pix2pix's. The number of epochs is ours, and so are a new rectangle each
    epoch and 16 faces at a time, from which BatchNorm takes its statistics.

    Attributes:
        width: channels relative to the paper's (tests use less than 1).
        depth: downs of the U-Net (paper: 8); the size is a multiple of 2**depth.
        pixel_weight: lambda, the weight of L1 beside the adversarial loss.
        hidden_weight: weight of hidden pixels in the face branch's L1 (paper: 1, like all others).
        adversarial_from: faces seen before the discriminators join in; until then L1 alone is
            trained (paper: 0). On a CPU, a start on L1 alone buys twice the faces an hour.
        conv_mean: mean of the convolutions' initial weights: 0 (pix2pix) or 1 (paper's words).
        dropout: rate in the first five downs.
        mask_every: train the mask branch on every n-th step only. The paper notes that it needs
            far less work than the face branch.
        static_occluders: one rectangle a face for the whole run, as triplets on disk have;
            otherwise a new one each epoch.
    """

    batch_size: int = 64
    micro_batch_size: int = 16
    learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    occluders: str = "paper"
    flip: bool = False
    ema: float = 0.0
    width: float = 1.0
    depth: int = 8
    pixel_weight: float = 100.0
    hidden_weight: float = 1.0
    adversarial_from: int = 0
    conv_mean: float = 0.0
    dropout: float = 0.5
    mask_every: int = 1
    static_occluders: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.depth <= 8 or self.size % 2**self.depth:
            raise UsageError(f"--size {self.size} must be a multiple of {2**self.depth}")
        if self.occluders == "all":
            raise UsageError("--occluders all: the paper's networks know rectangles only")
        self.check_at_least("mask_every", 1)
        self.check_share("dropout")

    @property
    def least_micro_batch(self) -> int:
        # At 1x1 a BatchNorm has one value a face and channel, and one alone has no deviation.
        return 2 if self.size == 2**self.depth else 1


@dataclass(frozen=True)
class OccludedConfig(TrainConfig):
    """What `lite`, the segmenter and the peers have in common.

    Attributes:
        objects: share of realistic occluders, with `occluders` "all".
        width: channels relative to the default shape's (tests use less than 1).
    """

    occluders: str = "all"
    objects: float = 0.35
    width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_share("objects")
        if self.size % 16:
            raise UsageError(f"--size {self.size} must be a multiple of 16")

    @property
    def worn(self) -> bool:
        return self.occluders == "all" and self.objects > 0


@dataclass(frozen=True)
class LiteConfig(OccludedConfig):
    """The generator `lite` on top of the closed-form prior.

    Attributes:
        prior: file of `unveil fit-prior`; "": none, the hidden part comes in grey.
        code, mirror, attention, overview: a code of each place, the mirrored face, attention at
            1/16, a look at the whole face (the size is then a multiple of 64).
        window: side in pixels of the window of each face that is restored in training; `size` for
            whole faces.
        misaligned: share of the faces that are turned, scaled and shifted a little.
        varied: share of the faces in another light, before another wall, or cut off by an edge.
        perceptual_weight: weight of the distance in SqueezeNet's features beside L1.
        features: SqueezeNet's weights; see `losses.perceptual`.
        adversarial_weight: weight of the discriminator's judgement beside L1; 0 = none.
        sharp_every: train the sharp output on every n-th step only. It takes three quarters of a
            step's time.
    """

    prior: str = ""
    code: bool = True
    mirror: bool = True
    attention: bool = False
    overview: bool = True
    window: int = 128
    misaligned: float = 0.5
    varied: float = 0.5
    perceptual_weight: float = 0.0
    features: str = ""
    adversarial_weight: float = 0.0
    sharp_every: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least("sharp_every", 1)
        if self.overview and self.size % 64:
            raise UsageError(f"--size {self.size} must be a multiple of 64 with --overview")
        if self.window % 16 or not 16 <= self.window <= self.size:
            raise UsageError(f"--window {self.window} must be a multiple of 16 up to {self.size}")
        for name in ("misaligned", "varied"):
            self.check_share(name)
        for name in ("perceptual_weight", "adversarial_weight"):
            if getattr(self, name) and not self.features:
                raise UsageError(f"--{name.replace('_', '-')} needs --features FILE")


@dataclass(frozen=True)
class SegmenterConfig(OccludedConfig):
    """The occluder segmenter.

    Attributes:
        clean: share of the faces that nothing hides, on which it must find nothing.
        features: SqueezeNet's weights, which the way down then starts from; its first layers stay
            as they are. "": all layers start at random.
        examples: folder of photos of real occluders with masks (`real_examples`); "": none.
    """

    objects: float = 0.7
    clean: float = 0.2
    features: str = ""
    examples: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_share("clean")


@dataclass(frozen=True)
class AlignerConfig(OccludedConfig):
    """The network that aligns a face anew.

    Attributes:
        features: SqueezeNet's weights, as `SegmenterConfig.features`.
    """

    batch_size: int = 32
    micro_batch_size: int = 32
    learning_rate: float = 1.5e-3
    objects: float = 0.6
    features: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size % 128:
            raise UsageError(f"--size {self.size} must be a multiple of 128")

    @property
    def worn(self) -> bool:
        return False  # how far a head is turned is seen where its points are looked for
