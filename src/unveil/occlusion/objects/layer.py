"""What every family of occluders draws, and where on the face it may put it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unveil.occlusion.objects.head import Head

Array = NDArray[np.float32]

# The five points of the canonical frame as fractions of its side (CelebA's means): left eye, right
# eye, nose tip, left and right mouth corner, as the viewer sees them.
POINTS = np.array(
    [[69, 92], [108, 91], [89, 113], [73, 132], [105, 132]], dtype=np.float32
) / np.float32(178)


@dataclass(frozen=True)
class Layer:
    """An occluder in the face's frame, before light, shadow and the camera touch it.

    Attributes:
        colour: (S, S, 3) float32, RGB 0..255, as under neutral light; anything where alpha is 0.
        alpha: (S, S) float32 in [0, 1]: how much of the face it hides; the occluder mask.
        lift: how far it stands off the skin, as a fraction of S: 0 for a sticker, about 0.01 for a
            mask, 0.05 for a hat's brim or a hand before the face. Decides its cast shadow.
        clear: it is worn but hides nothing that should be restored (clear glasses): the mask stays
            empty, so that a segmenter learns to keep it as face.
    """

    colour: Array
    alpha: Array
    lift: float = 0.01
    clear: bool = False


# What draws an occluder of one kind on a head that looks straight or aside.
Drawer = Callable[[np.random.Generator, Head], Layer]
