"""Every measure by its name in the results: what it is called, its digits, which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """How a measure is shown.

    Attributes:
        label: for a table's head and a plot's axis.
        digits: after the point.
        sign: 1 where more is better, -1 where less is.
    """

    label: str
    digits: int
    sign: int

    def number(self, value: float) -> str:
        """The value with the measure's digits."""
        return f"{value:.{self.digits}f}"

    def interval(self, estimate: dict[str, Any]) -> str:
        """Mean and 95 % interval."""
        mean, low, high = (self.number(estimate[key]) for key in ("mean", "low", "high"))
        return f"{mean} ({low} to {high})"

    def difference(self, estimate: dict[str, Any]) -> str:
        """The same, with the mean's sign."""
        mean = f"{estimate['mean']:+.{self.digits}f}"
        return f"{mean} ({self.number(estimate['low'])} to {self.number(estimate['high'])})"

    def ahead(self, estimate: dict[str, Any]) -> int:
        """Of a difference: 1 better, -1 worse, 0 where the interval holds zero."""
        if estimate["low"] <= 0 <= estimate["high"]:
            return 0
        return self.sign if estimate["mean"] > 0 else -self.sign


MEASURES = {
    "psnr_pasted": Measure("PSNR, pasted", 2, 1),
    "psnr_raw": Measure("PSNR, raw", 2, 1),
    "psnr_hidden": Measure("PSNR, hidden part", 2, 1),
    "ssim_pasted": Measure("SSIM, pasted", 4, 1),
    "ssim_raw": Measure("SSIM, raw", 4, 1),
    "ssim_hidden_pasted": Measure("SSIM, hidden part", 4, 1),
    "ssim_hidden_raw": Measure("SSIM, hidden part, raw", 4, 1),
    "l1_pasted": Measure("L1, pasted", 3, -1),
    "l1_raw": Measure("L1, raw", 3, -1),
    "l1_hidden": Measure("L1, hidden part", 3, -1),
    "perceptual_pasted": Measure("perceptual distance, pasted", 4, -1),
    "perceptual_raw": Measure("perceptual distance, raw", 4, -1),
    "perceptual_hidden_pasted": Measure("perceptual distance, hidden part", 4, -1),
    "perceptual_hidden_raw": Measure("perceptual distance, hidden part, raw", 4, -1),
    "frechet_pasted": Measure("Fréchet distance, pasted", 5, -1),
    "frechet_raw": Measure("Fréchet distance, raw", 5, -1),
    "frechet_hidden_pasted": Measure("Fréchet distance, hidden part", 4, -1),
    "frechet_hidden_raw": Measure("Fréchet distance, hidden part, raw", 4, -1),
    "mask_iou": Measure("IoU of the mask found", 3, 1),
}
