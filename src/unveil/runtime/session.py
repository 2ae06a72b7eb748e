"""Networks in onnxruntime.

Contract of a network file, written in its metadata and checked at load: input `face`, float32
(N, 3, 256, 256), RGB in [-1, 1], hidden pixels painted -1; output `restored` (N, 3, 256, 256) in
[-1, 1], or `mask` (N, 1, 256, 256) in [-1, 1], 1 = hidden.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unveil.errors import WeightsError
from unveil.imaging import FACE_SIZE, Photo, from_network, occlude, to_network
from unveil.runtime.weights import Weights, find_weights, read_checked

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CONTRACT = "rgb nchw float32 [-1,1]; hidden = -1; mask 1 = hidden"
BATCH = 8


class FaceNetwork:
    """A model's networks over aligned faces; each is loaded when it is first used."""

    def __init__(self, weights: Weights, threads: int = 0) -> None:
        """Args: weights of the manifest; threads for one run, 0 = all cores."""
        self.weights = weights
        self.threads = threads or _cores()

    @classmethod
    def load(cls, name: str | Path, threads: int = 0) -> FaceNetwork:
        """The model of a name; see `find_weights`."""
        return cls(find_weights(name), threads)

    @cached_property
    def _face(self) -> InferenceSession:
        return self._open("face")

    @cached_property
    def _mask(self) -> InferenceSession:
        return self._open("mask")

    def _open(self, role: str) -> InferenceSession:
        import onnxruntime as ort

        file = self.weights.file(role)
        data = read_checked(file)
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads steal the cores from whoever else works on this machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps the largest batch's memory for ever.
        options.enable_cpu_mem_arena = False
        try:
            session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions have no common base but this
            raise WeightsError(f"{file.path} cannot be loaded: {error}") from None
        contract = session.get_modelmeta().custom_metadata_map.get("unveil.contract")
        if contract != CONTRACT:
            raise WeightsError(f"{file.path} has another input contract: {contract!r}")
        return session

    def restore(self, faces: Photo, masks: NDArray[np.bool_] | None = None) -> Photo:
        """The network's raw output for aligned faces.

        Args:
            faces: (N, 256, 256, 3) uint8 RGB.
            masks: (N, 256, 256) bool, True = hidden; those pixels are painted black first, as in
                training. None: the faces are taken as they are.

        Returns:
            (N, 256, 256, 3) uint8; the known pixels are the network's too, not the input's.
        """
        _check_faces(faces)
        if masks is not None:
            faces = occlude(faces, masks)
        return np.concatenate(
            [from_network(out) for out in self._run(self._face, "restored", faces)]
        )

    def find_mask(self, faces: Photo) -> NDArray[np.float32]:
        """Occluder masks of aligned faces: (N, 256, 256, 3) uint8 -> (N, 256, 256) in [0, 1]."""
        _check_faces(faces)
        outputs = self._run(self._mask, "mask", faces)
        return np.concatenate([np.clip(out[:, 0] / 2 + 0.5, 0, 1) for out in outputs])

    def _run(
        self, session: InferenceSession, output: str, faces: Photo
    ) -> list[NDArray[np.float32]]:
        return [
            session.run([output], {"face": to_network(faces[i : i + BATCH])})[0]
            for i in range(0, len(faces), BATCH)
        ]


def _cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_faces(faces: Photo) -> None:
    expected = (FACE_SIZE, FACE_SIZE, 3)
    if faces.dtype != np.uint8 or faces.ndim != 4 or faces.shape[1:] != expected:
        raise ValueError(f"faces must be (N, 256, 256, 3) uint8, not {faces.shape} {faces.dtype}")
