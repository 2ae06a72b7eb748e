"""Networks in onnxruntime.

Contract of a network file, written in its metadata and checked at load: input `face`, float32
(N, 3, 256, 256), RGB in [-1, 1]; output `restored` (N, 3, 256, 256) in [-1, 1], or `mask`
(N, 1, 256, 256) in [-1, 1], 1 = hidden. Hidden pixels are painted -1 (`CONTRACT`), or filled by the
closed-form prior, with a second input `mask` (N, 1, 256, 256), 1 = hidden, 0 = known, and a third,
`detail` (N, 1, 1, 1) in [0, 1], from the likeliest face to a sharp one (`FILLED_CONTRACT`). A
network of `CONTRACT` may take the mask too, and `noise`, standard normal, of which it makes one of
many faces.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unveil.cancel import checkpoint
from unveil.faces.exposure import gains, lit, unlit
from unveil.imaging import FACE_SIZE, Mask, Photo, from_network, occlude, to_network
from unveil.noise import normal
from unveil.runtime.onnx import open_session, usable_cores
from unveil.runtime.weights import DEFAULT_DETAIL, SEGMENTER, Weights, find_weights, read_checked

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from unveil.models.prior import FacePrior

CONTRACT = "rgb nchw float32 [-1,1]; hidden = -1; mask 1 = hidden"
FILLED_CONTRACT = (
    "rgb nchw float32 [-1,1]; hidden = filled by the prior; mask 1 = hidden; detail 0..1"
)
# Faces in one run. A processor takes as long for each in any batch, or longer, as they leave its
# cache; and it keeps the memory of the largest.
BATCHES = {"cpu": 1, "cuda": 8}


class FaceNetwork:
    """A model's networks over aligned faces; each is loaded when it is first used."""

    def __init__(self, weights: Weights, threads: int = 0, device: str = "cpu") -> None:
        """Args: weights of the manifest; threads for one run, 0 = all cores; "cpu" or "cuda"."""
        self.weights = weights
        self.threads = threads or usable_cores()
        self.device = device

    @classmethod
    def load(cls, name: str | Path, threads: int = 0, device: str = "cpu") -> FaceNetwork:
        """The model of a name; see `find_weights`."""
        return cls(find_weights(name), threads, device)

    @cached_property
    def _face(self) -> InferenceSession:
        return self._open("face")

    @cached_property
    def _mask(self) -> InferenceSession:
        """The model's own mask branch, or the segmenter that all others share."""
        own = self.weights.has("mask")
        return self._open("mask", self.weights if own else find_weights(SEGMENTER))

    @cached_property
    def prior(self) -> FacePrior | None:
        """The closed-form prior under the network; None for a network that works without one."""
        if not self.weights.has("prior"):
            return None
        from unveil.models.prior import FacePrior

        file = self.weights.file("prior")
        return FacePrior.from_bytes(read_checked(file), file.path)

    @property
    def draws(self) -> bool:
        """Whether it can give one of many plausible faces: by a prior, or from noise."""
        return bool(self.prior) or "noise" in (i.name for i in self._face.get_inputs())

    def _open(self, role: str, weights: Weights | None = None) -> InferenceSession:
        file = (weights or self.weights).file(role)
        contract = FILLED_CONTRACT if role == "face" and self.prior else CONTRACT
        return open_session(file, self.threads, self.device, contract)

    def restore(
        self,
        faces: Photo,
        masks: Mask | None = None,
        *,
        detail: float = DEFAULT_DETAIL,
        seed: int | None = None,
    ) -> Photo:
        """The network's raw output for aligned faces.

        Args:
            faces: (N, 256, 256, 3) uint8 RGB.
            masks: (N, 256, 256) bool, True = hidden; those pixels are painted black first, or
                filled by the prior, as in training. None: they are taken as they are, which a
                model with a prior cannot.
            detail: from the likeliest face, 0, to a sharp one, 1; a model without a prior has no
                such choice.
            seed: draw one of many plausible fills instead of the most likely; see `draws`.

        Returns:
            (N, 256, 256, 3) uint8; the known pixels are the network's too, not the input's.
        """
        _check_faces(faces)
        brighter = gains(faces, masks)
        made = self.restore_lit(lit(faces, brighter), masks, detail=detail, seed=seed)
        return unlit(made, brighter)

    def restore_lit(
        self, faces: Photo, masks: Mask | None, *, detail: float, seed: int | None
    ) -> Photo:
        """`restore` of faces that are bright enough, or are shown as if they were."""
        if self.prior:
            if masks is None:
                raise ValueError(f"model {self.weights.name} needs to know what is hidden")
            return self._restore_filled(self.prior, faces, masks, detail, seed)
        if masks is not None:
            faces = occlude(faces, masks)
        runs = self._run(self._face, "restored", face=faces, mask=masks, seed=seed)
        return np.concatenate([from_network(out) for out in runs])

    def _restore_filled(
        self,
        prior: FacePrior,
        faces: Photo,
        masks: Mask,
        detail: float,
        seed: int | None,
    ) -> Photo:
        filled = faces.copy()
        for face, mask in zip(filled, masks, strict=True):
            checkpoint()
            face[:] = prior.fill(face, mask, seed)
        runs = self._run(self._face, "restored", face=filled, mask=masks, detail=detail)
        return np.concatenate([from_network(out) for out in runs])

    def find_mask(self, faces: Photo) -> NDArray[np.float32]:
        """Occluder masks of aligned faces: (N, 256, 256, 3) uint8 -> (N, 256, 256) in [0, 1]."""
        _check_faces(faces)
        outputs = self._run(self._mask, "mask", face=lit(faces, gains(faces)))
        return np.concatenate([np.clip(out[:, 0] / 2 + 0.5, 0, 1) for out in outputs])

    def _run(
        self,
        session: InferenceSession,
        output: str,
        face: Photo,
        mask: Mask | None = None,
        seed: int | None = None,
        detail: float = DEFAULT_DETAIL,
    ) -> list[NDArray[np.float32]]:
        """Outputs of batches; the network is given those of the inputs that it takes."""
        shapes = {i.name: i.shape for i in session.get_inputs()}
        if "mask" in shapes and mask is None:
            raise ValueError(f"model {self.weights.name} needs to know what is hidden")
        noise = np.zeros(0, np.float32)
        if "noise" in shapes:
            shape = (len(face), *shapes["noise"][1:])
            noise = np.zeros(shape, np.float32) if seed is None else normal(seed, *shape)
        outputs = []
        size = BATCHES[self.device]
        for i in range(0, len(face), size):
            checkpoint()
            inputs = {"face": to_network(face[i : i + size])}
            if "mask" in shapes and mask is not None:
                inputs["mask"] = mask[i : i + size, None].astype(np.float32)
            if "noise" in shapes:
                inputs["noise"] = noise[i : i + size]
            if "detail" in shapes:
                inputs["detail"] = np.full((len(inputs["face"]), 1, 1, 1), detail, np.float32)
            outputs.append(session.run([output], inputs)[0])
        return outputs


def _check_faces(faces: Photo) -> None:
    expected = (FACE_SIZE, FACE_SIZE, 3)
    if faces.dtype != np.uint8 or faces.ndim != 4 or faces.shape[1:] != expected:
        raise ValueError(f"faces must be (N, 256, 256, 3) uint8, not {faces.shape} {faces.dtype}")
