"""Makes the pictures of this folder from scikit-image's portrait of Eileen Collins.

    pip install "unveil[evaluate]"
    python examples/make_examples.py [FOLDER]

A similarity transform (least squares over five points) carries the portrait into the canonical face
frame; a black rectangle then hides the mouth and the tip of the nose.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from unveil.files import encode, write_bytes
from unveil.imaging import CELEBA_ROWS, CELEBA_SIZE, FACE_SIZE, occlude
from unveil.occlusion.shapes import box_mask

# Left eye, right eye (as seen), tip of the nose, mouth corners; (x, y) in pixels.
IN_PORTRAIT = np.array(
    [(203.2, 101.0), (246.8, 102.8), (223.8, 127.0), (205.2, 140.8), (243.2, 141.8)]
)
IN_CELEBA = np.array([(69, 112), (108, 111), (89, 133), (73, 152), (105, 152)], dtype=float)

# 12 % of the face: the mouth, and the nose from its tip down.
BOX_X, BOX_Y, BOX_WIDTH, BOX_HEIGHT = 76, 156, 104, 76


def canonical_points() -> np.ndarray:
    """The five points in the 256x256 frame: CelebA's, cut to its square rows and resized."""
    scale = FACE_SIZE / CELEBA_SIZE[1]
    upper_left = np.array([0, CELEBA_ROWS[0]])
    return (IN_CELEBA - upper_left + 0.5) * scale - 0.5


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The 2x3 rotation, scale and shift that carries `source` nearest to `target`, both (N, 2)."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [(x, -y, 1, 0), (y, x, 0, 1)]
        values += [u, v]
    a, b, dx, dy = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    return np.array([(a, -b, dx), (b, a, dy)])


def main(folder: Path) -> None:
    transform = similarity(IN_PORTRAIT, canonical_points())
    face = cv2.warpAffine(
        skimage.data.astronaut(),
        transform,
        (FACE_SIZE, FACE_SIZE),
        flags=cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_REPLICATE,  # the canonical frame reaches just above the portrait
    )
    mask = box_mask(BOX_X, BOX_Y, BOX_WIDTH, BOX_HEIGHT)
    moved = IN_PORTRAIT @ transform[:, :2].T + transform[:, 2]
    off = np.linalg.norm(moved - canonical_points(), axis=1)
    print(f"points off by {off.max():.1f} px at most; {mask.mean():.1%} hidden")
    for name, picture in (
        ("astronaut", face),
        ("astronaut_occluded", occlude(face, mask)),
        ("astronaut_mask", mask.astype(np.uint8) * 255),
    ):
        write_bytes(folder / f"{name}.png", encode(picture, "PNG"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
