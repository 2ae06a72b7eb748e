"""What a network has to beat: diffusion, patches, the mean face and the closed-form prior.

Each is called with an occluded face (S, S, 3) uint8 RGB and its mask (S, S) bool, True = hidden,
and gives its raw output (S, S, 3) uint8.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import cv2
import numpy as np

from unveil.errors import UsageError
from unveil.imaging import Mask, Photo, resize, to_uint8

if TYPE_CHECKING:
    from unveil.models.prior import FacePrior

Fill = Callable[[Photo, Mask], Photo]


@dataclass(frozen=True)
class Telea:
    """OpenCV's fast-marching inpainting (Telea, 2004), which carries the edge's colours inwards.

    Attributes:
        radius: neighbourhood in pixels.
    """

    radius: float = 3.0

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        filled = cv2.inpaint(face, mask.astype(np.uint8), self.radius, cv2.INPAINT_TELEA)
        return np.asarray(filled, dtype=np.uint8)


@dataclass(frozen=True)
class NavierStokes:
    """OpenCV's fluid-dynamics inpainting (Bertalmio et al., 2001): isophotes go on inwards.

    Attributes:
        radius: neighbourhood in pixels.
    """

    radius: float = 3.0

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        filled = cv2.inpaint(face, mask.astype(np.uint8), self.radius, cv2.INPAINT_NS)
        return np.asarray(filled, dtype=np.uint8)


@dataclass(frozen=True)
class PatchMatch:
    """PatchMatch (Barnes et al., 2009), the paper's PM: patches of the known part, from coarse to
    fine, by the package PyPatchMatch.

    Attributes:
        radius: of the patches; 3 gives 7x7. 7 takes three times as long for the same PSNR.
        seed: of its random search.

    Raises:
        UsageError: the package is not there.
    """

    radius: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        _need("PyPatchMatch", "patchmatch")

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        import patchmatch

        patchmatch.set_random_seed(self.seed)
        filled = patchmatch.inpaint(face, mask.astype(np.uint8) * 255, patch_size=self.radius)
        return np.asarray(filled, dtype=np.uint8)


@dataclass(frozen=True)
class Gmic:
    """An inpainting command of G'MIC, with its own settings.

    `inpaint_matchpatch` is PatchMatch over scales with its seams blended, its strongest patch
    method; `inpaint_pde` diffuses colours along edges.

    Attributes:
        command: of G'MIC.
        seed: of its random search.

    Raises:
        UsageError: the package is not there.
    """

    command: str
    seed: int = 0

    def __post_init__(self) -> None:
        _need("gmic", "gmic")

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        import gmic

        hidden = mask[..., None].astype(np.float32) * 255
        images = [gmic.Image.from_yxc(plane) for plane in (face.astype(np.float32), hidden)]
        with _no_stderr():
            out = gmic.run(f"srand {self.seed} {self.command}[0] [1]", images)
        return to_uint8(np.asarray(out[0].yxc, dtype=np.float32))


@contextmanager
def _no_stderr() -> Iterator[None]:
    """G'MIC tells its scales there, from C++, however low its verbosity is."""
    sys.stderr.flush()
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def _need(package: str, module: str) -> None:
    if find_spec(module) is None:
        raise UsageError(
            f"the package {package} is not installed: pip install 'unveil[peers]', or leave it "
            "out of --models"
        )


# Those that have nothing fitted or trained, by the names that `--models` takes.
CLASSICAL: dict[str, Callable[[], Fill]] = {
    "telea": Telea,
    "navier-stokes": NavierStokes,
    "patchmatch": PatchMatch,
    "gmic-matchpatch": partial(Gmic, "inpaint_matchpatch"),
    "gmic-pde": partial(Gmic, "inpaint_pde"),
}


# The packages that these are, as installed.
PACKAGES = {
    "telea": "opencv-python-headless",
    "navier-stokes": "opencv-python-headless",
    "patchmatch": "PyPatchMatch",
    "gmic-matchpatch": "gmic",
    "gmic-pde": "gmic",
}


def package_version(name: str) -> str:
    """Of the package that is this model; "" where none is."""
    return version(PACKAGES[name]) if name in PACKAGES else ""


@dataclass(frozen=True)
class MeanFace:
    """The mean of a prior's training faces for everybody; the floor of every comparison."""

    prior: FacePrior

    @cached_property
    def _mean(self) -> dict[int, Photo]:
        return {}

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        side = face.shape[0]
        if side not in self._mean:
            self._mean[side] = resize(self.prior.mean_face, side)
        return self._mean[side]


@dataclass(frozen=True)
class EigenfaceFill:
    """The prior's most likely hidden part; its raw output keeps the known pixels."""

    prior: FacePrior

    def __call__(self, face: Photo, mask: Mask) -> Photo:
        return self.prior.fill(face, mask)
