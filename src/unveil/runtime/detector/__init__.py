"""RetinaFace in onnxruntime: boxes and five points of the faces in an image.

Deng et al., "RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild" (CVPR 2020), with
MobileNet 0.25 behind it. The weights and their licence lie beside this file: the package that they
come from asks for opencv-python, which needs libGL and must not be installed beside the headless
build that unveil uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from unveil.imaging import Photo
from unveil.runtime.onnx import open_session
from unveil.runtime.weights import find_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Array = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "retinaface"
MEAN_RGB = np.array([123, 117, 104], dtype=np.float32)
STRIDES = (8, 16, 32)
ANCHORS = ((16, 32), (64, 128), (256, 512))
# How the network's outputs are scaled ("variances" of single-shot detectors).
CENTRE, SIZE = 0.1, 0.2
# Two boxes of one scale that overlap by more than this (intersection over union) are one face.
OVERLAP = 0.4
# Places are told in parts of a pixel, far finer than the network knows them: the last bits of its
# arithmetic, which are another machine's or a browser's, then move no face.
PARTS = np.float32(8)


@dataclass(frozen=True)
class Candidates:
    """The faces of one image, surest first, in its pixels.

    Attributes:
        boxes: (N, 4) left, top, right, bottom.
        points: (N, 5, 2) x, y: eyes, nose tip, mouth corners, the picture's left one first.
        doubts: (N,) the network's probability that it is no face.
    """

    boxes: Array
    points: Array
    doubts: Array


class DetectorNetwork:
    """The detector's network, loaded when it is first used."""

    def __init__(self, threads: int = 0, device: str = "cpu") -> None:
        """Args: threads of one run, 0 = all cores; "cpu" or "cuda"."""
        self.threads, self.device = threads, device

    @cached_property
    def _session(self) -> InferenceSession:
        file = find_weights(WEIGHTS).file("detector")
        return open_session(file, self.threads, self.device)

    def run(self, images: Photo, threshold: float) -> list[Candidates]:
        """Find the faces of images of one size.

        Args:
            images: (N, H, W, 3) uint8 RGB.
            threshold: least probability of a face, 0..1.
        """
        pixels = np.empty((len(images), 3, *images.shape[1:3]), np.float32)  # NCHW, BGR
        for i, mean in enumerate(MEAN_RGB):
            np.subtract(images[..., i], mean, out=pixels[:, 2 - i])
        outputs = self._session.run(["loc", "conf", "landmarks"], {"input": pixels})
        anchors = _anchors(images.shape[1], images.shape[2])
        return [
            _decode(anchors, loc, conf, marks, threshold)
            for loc, conf, marks in zip(*outputs, strict=True)
        ]


@lru_cache(maxsize=8)
def _anchors(height: int, width: int) -> Array:
    """(K, 3): x and y of the middle, and side, in pixels, in the order of the network's rows."""
    rows = []
    for stride, sides in zip(STRIDES, ANCHORS, strict=True):
        y, x = np.mgrid[: -(-height // stride), : -(-width // stride)]
        middles = (np.stack([x, y], axis=-1).reshape(-1, 1, 2) + 0.5) * stride
        middles = np.repeat(middles, len(sides), axis=1)
        tall = np.broadcast_to(np.array(sides)[None, :, None], (*middles.shape[:2], 1))
        rows.append(np.concatenate([middles, tall], axis=-1).reshape(-1, 3))
    return np.concatenate(rows).astype(np.float32)


def _decode(anchors: Array, loc: Array, conf: Array, marks: Array, threshold: float) -> Candidates:
    likely = conf[:, 1] > threshold
    anchors, loc, marks, doubts = anchors[likely], loc[likely], marks[likely], conf[likely, 0]
    middles, sides = anchors[:, :2], anchors[:, 2:]
    centres = middles + sides * CENTRE * loc[:, :2]
    halves = sides * np.exp(SIZE * loc[:, 2:]) / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    points = middles[:, None] + sides[:, None] * CENTRE * marks.reshape(-1, 5, 2)
    kept = distinct(boxes := _rounded(boxes), 1 - doubts, OVERLAP)
    return Candidates(boxes[kept], _rounded(points)[kept], doubts[kept])


def _rounded(places: Array) -> Array:
    return np.asarray(np.rint(places * PARTS) / PARTS, np.float32)


def distinct(boxes: Array, scores: Array, overlap: float) -> NDArray[np.intp]:
    """The rows of boxes that stand for different faces, surest first (non-maximum suppression)."""
    if not len(boxes):
        return np.zeros(0, dtype=np.intp)
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, overlap)
    return np.asarray(kept, dtype=np.intp).ravel()
