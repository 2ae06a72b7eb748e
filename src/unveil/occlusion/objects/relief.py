"""Round bodies as height maps: limbs that melt together, and how light falls on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from unveil.occlusion.objects.layer import Array
from unveil.occlusion.objects.raster import Patch, blur, outlined

_STEP = 2  # the surface is kept at half the resolution: it is smooth, its silhouette is not
_SHIFT = 4  # cv2's fixed-point bits


class Relief:
    """The visible surface of some bodies over the image plane, all in pixels.

    Bodies are added one after another; the higher one is seen. Where two meet at about the same
    height they share a soft valley, as fingers and a palm do.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        half = -(-size // _STEP)
        self._height = np.zeros((half, half), dtype=np.float32)
        self._inside = np.zeros((size, size), dtype=np.uint8)

    def limb(self, joints: ArrayLike, radii: ArrayLike, lifted: float = 0.0) -> None:
        """A chain of tapered capsules.

        Args:
            joints: (N, 2) pixels; parts outside the image are cut.
            radii: (N,) pixels at the joints.
            lifted: added to the height, to lie in front of what is lower.
        """
        at, r = np.asarray(joints, np.float32), np.asarray(radii, np.float32)
        for first, second, r0, r1 in zip(at[:-1], at[1:], r[:-1], r[1:], strict=True):
            # cv2 fills half a pixel beyond an outline.
            self._silhouette(first, second, max(0.0, r0 - 0.5), max(0.0, r1 - 0.5))
            self._dome(first / _STEP, second / _STEP, float(r0), float(r1), lifted)

    def _silhouette(self, first: Array, second: Array, r0: float, r1: float) -> None:
        (x0, y0), (x1, y1) = first.tolist(), second.tolist()
        long = max(math.hypot(x1 - x0, y1 - y0), 1e-3)
        across, down = (y0 - y1) / long, (x1 - x0) / long
        corners = (
            (x0 + across * r0, y0 + down * r0),
            (x1 + across * r1, y1 + down * r1),
            (x1 - across * r1, y1 - down * r1),
            (x0 - across * r0, y0 - down * r0),
        )
        fixed = np.array(corners) * 2**_SHIFT
        cv2.fillConvexPoly(self._inside, fixed.round().astype(np.int32), 255, cv2.LINE_AA, _SHIFT)
        for x, y, radius in ((x0, y0, r0), (x1, y1, r1)):
            middle = round(x * 2**_SHIFT), round(y * 2**_SHIFT)
            cv2.circle(self._inside, middle, round(radius * 16), 255, -1, cv2.LINE_AA, _SHIFT)

    def _dome(self, first: Array, second: Array, r0: float, r1: float, lifted: float) -> None:
        half, big = self._height.shape[0], max(r0, r1) / _STEP + 1
        (x0, y0), (x1, y1) = first.tolist(), second.tolist()
        left, right = max(0, int(min(x0, x1) - big)), min(half, int(max(x0, x1) + big) + 1)
        top, end = max(0, int(min(y0, y1) - big)), min(half, int(max(y0, y1) + big) + 1)
        if left >= right or top >= end:
            return
        x = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(x0)
        y = np.arange(top, end, dtype=np.float32)[:, None] - np.float32(y0)
        dx, dy = np.float32(x1 - x0), np.float32(y1 - y0)
        t = (x * dx + y * dy) * np.float32(1 / max(float(dx * dx + dy * dy), 1e-3))
        np.clip(t, 0, 1, out=t)
        radius = t * np.float32(r1 - r0) + np.float32(r0)
        room = radius * radius - ((x - t * dx) ** 2 + (y - t * dy) ** 2) * np.float32(_STEP**2)
        dome = np.sqrt(np.maximum(room, 0))
        if lifted:
            dome += (room > 0) * np.float32(lifted)
        part = self._height[top:end, left:right]
        np.maximum(part, dome, out=part)

    def slab(self, outline: ArrayLike, height: float, soft: float) -> None:
        """A body of any outline, (N, 2) pixels, `height` high, whose rim falls over `soft`."""
        fixed = np.rint(np.asarray(outline) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(self._inside, [fixed], 255, cv2.LINE_AA, _SHIFT)
        patch = outlined(self._height.shape[0], np.asarray(outline) / _STEP, margin=2)
        dome = np.sqrt(blur(patch.alpha, soft / _STEP)) * np.float32(height) * (patch.alpha > 0)
        part = self._height[patch.box]
        np.maximum(part, dome, out=part)

    def raise_by(self, marks: NDArray[np.uint8], height: float, soft: float) -> None:
        """Add ridges or bumps: (S, S) uint8, 255 = full height, blurred by `soft` pixels."""
        half = self._height.shape[::-1]
        small = cv2.resize(marks, half, interpolation=cv2.INTER_AREA).astype(np.float32)
        self._height += blur(small, soft / _STEP) * np.float32(height / 255)

    def patch(self) -> Patch:
        """Where the bodies are."""
        left, top, width, high = cv2.boundingRect(self._inside)
        cut = self._inside[top : top + max(high, 1), left : left + max(width, 1)]
        return Patch(left, top, cut.astype(np.float32) * np.float32(1 / 255))

    def light(self, direction: NDArray[np.floating], soft: float) -> Lit:
        """Light from one side on the surface, with darker valleys.

        Args:
            direction: (3,) towards the light; y down, z to the viewer.
            soft: pixels over which neighbouring bodies melt.
        """
        soft = max(soft / _STEP, 0.4)
        patch = self.patch()
        h, w = patch.shape
        # Only where the bodies are, and a margin.
        left, top = max(0, patch.x // _STEP - 4), max(0, patch.y // _STEP - 4)
        part = self._height[top : (patch.y + h) // _STEP + 5, left : (patch.x + w) // _STEP + 5]
        height = cv2.GaussianBlur(part, (0, 0), soft)
        gx = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8 / _STEP)
        gy = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8 / _STEP)
        lx, ly, lz = (np.float32(v) for v in direction / np.linalg.norm(direction))
        steep = 1 / np.sqrt(1 + gx * gx + gy * gy)
        facing = (lz - gx * lx - gy * ly) * steep
        valley = height - cv2.blur(height, (2 * int(3 * soft) + 1,) * 2)
        # Light from all around softens what one lamp would leave dark.
        shade = np.maximum(facing, 0) * np.float32(0.6) + steep * np.float32(0.4)
        shade *= np.clip(1 + valley * np.float32(0.05 / soft), 0.5, 1.05)
        shine = np.maximum(2 * steep * facing - lz, 0)
        shine *= shine
        shine *= shine
        shine *= shine
        x, y = patch.x - left * _STEP, patch.y - top * _STEP
        full = [_enlarged(values)[y : y + h, x : x + w] for values in (shade, shine)]
        return Lit(patch, *full)


def _enlarged(values: NDArray[Any]) -> Array:
    h, w = values.shape
    full = cv2.resize(values, (w * _STEP, h * _STEP), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.float32)


@dataclass(frozen=True)
class Lit:
    """How light falls on a relief, over its patch's box.

    Attributes:
        patch: where.
        shade: (h, w) float32 about 0..1: light that reaches the surface.
        shine: (h, w) float32 in [0, 1]: how straight it is mirrored to the viewer.
    """

    patch: Patch
    shade: Array
    shine: Array
