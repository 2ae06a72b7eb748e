"""Skin tone of a face in a photo: the individual typology angle (Chardon et al., 1991)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from unveil.imaging import Photo

# Rows and columns of the cheeks in the canonical frame: skin that hair, beards, glasses and
# make-up cover least.
CHEEKS = ((slice(152, 178), slice(84, 106)), (slice(152, 178), slice(149, 171)))
# Classes, and the angle in degrees above which each begins: Chardon's, with the two darkest as Del
# Bino and Bernerd (2013) part them.
CLASSES = (
    ("very light", 55.0),
    ("light", 41.0),
    ("intermediate", 28.0),
    ("tan", 10.0),
    ("brown", -30.0),
    ("dark", -90.0),
)
NO_COLOUR = "photo without colours"
LEAST_CHROMA = 3.0  # of the cheeks; below it, b* says nothing of the skin


@dataclass(frozen=True)
class SkinTone:
    """What the cheeks of one face show.

    Attributes:
        angle: degrees, of both cheeks; None where the photo has no colours.
        cheeks: degrees, of each alone: how far they differ is how far light decides.
    """

    angle: float | None
    cheeks: tuple[float, float] | None

    @property
    def group(self) -> str:
        """A class of `CLASSES`, or `NO_COLOUR`."""
        return NO_COLOUR if self.angle is None else classify(self.angle)


def typology_angle(lightness: float, yellowness: float) -> float:
    """arctan((L* - 50) / b*) in degrees, of a CIE Lab colour (D65).

    Where b* is not positive, as under blue light, the angle goes on beyond 90 degrees instead of
    jumping to -90.

    >>> round(typology_angle(70.0, 15.0), 2)
    53.13
    """
    return float(np.degrees(np.arctan2(lightness - 50, yellowness)))


def classify(angle: float) -> str:
    """The class of an angle in degrees.

    >>> classify(41.1), classify(41.0), classify(-30.5)
    ('light', 'intermediate', 'dark')
    """
    return next((name for name, least in CLASSES if angle > least), CLASSES[-1][0])


def measure(face: Photo) -> SkinTone:
    """The skin tone of an aligned face (256, 256, 3) uint8 sRGB, in the light it was taken in."""
    lab = [rgb2lab(face[cheek]).reshape(-1, 3) for cheek in CHEEKS]
    left, right = (_middle(part) for part in lab)
    both = _middle(np.concatenate(lab))
    if np.hypot(both[1], both[2]) < LEAST_CHROMA:
        return SkinTone(None, None)
    angles = [typology_angle(float(c[0]), float(c[2])) for c in (both, left, right)]
    return SkinTone(angles[0], (angles[1], angles[2]))


def _middle(lab: NDArray[np.floating]) -> NDArray[np.floating]:
    """The median of each of L*, a*, b*: a highlight or a mole does not move it."""
    return np.asarray(np.median(lab, axis=0))
