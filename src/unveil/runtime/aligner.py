"""The network that aligns a face anew, in onnxruntime; `models.aligner` says what it is.

Contract: inputs `face`, float32 (N, 3, 256, 256), RGB in [-1, 1], and `mask` (N, 1, 256, 256), 1 =
hidden; output `moved` (N, 4) in pixels of the frame, as `faces.align.correction` reads it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unveil.faces.align import Array, correction
from unveil.faces.exposure import gains, lit
from unveil.imaging import Mask, Photo, to_network
from unveil.runtime.onnx import open_session, usable_cores
from unveil.runtime.weights import ALIGNER, find_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CONTRACT = "rgb nchw float32 [-1,1]; mask 1 = hidden; moved in pixels of 256"


class AlignerNetwork:
    """Says where an aligned face belongs; loaded when it is first used."""

    def __init__(self, threads: int = 0, device: str = "cpu") -> None:
        """Args: threads of one run, 0 = all cores; "cpu" or "cuda"."""
        self.threads = threads or usable_cores()
        self.device = device

    @cached_property
    def _session(self) -> InferenceSession:
        file = find_weights(ALIGNER).file("align")
        return open_session(file, self.threads, self.device, CONTRACT)

    def better_frame(self, face: Photo, hidden: Mask) -> Array:
        """The map from the frame of a face to the one that it belongs in.

        Args:
            face: (256, 256, 3) uint8 RGB, as its points align it.
            hidden: (256, 256) bool, True = hidden: nothing there is looked at.

        Returns:
            (2, 3)
        """
        shown = lit(face[None], gains(face[None], hidden[None]))
        inputs = {"face": to_network(shown), "mask": hidden[None, None].astype(np.float32)}
        # In whole pixels, far finer than it knows: what rounding does to a pixel or a mask's edge,
        # on another machine or in a browser, then moves no face.
        return correction(np.rint(self._session.run(["moved"], inputs)[0][0]))
