"""A person in one frame of a clip, and what is to fill in there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from unveil.imaging import FACE_SIZE, Mask, Photo, pixels, put, to_uint8
from unveil.video.head import Array
from unveil.video.motion import Map, opposite
from unveil.video.sighting import Sighting
from unveil.video.smooth import Canvas

# The network is told what is remembered this surely; where all is remembered for certain, it is not
# asked. Of what is less than that, what is painted shows through: without it, the occluder would.
BELIEVED, CERTAIN = 0.3, 1.0
NOTHING = np.zeros((FACE_SIZE, FACE_SIZE, 2), dtype=np.float32)  # no motion


@dataclass
class View:
    """A person in one frame.

    Attributes:
        number: of the frame.
        sighting: where the face is.
        matrix: (2, 3), from the photo to the aligned face.
        face: (256, 256, 3) uint8.
        inside: (256, 256), what of it lies in the photo.
        given: (256, 256), the user's mask; None: the network finds it.
        found: (256, 256) in [0, 1], what it found; None: not asked here.
        sure: (256, 256), what of it the network is sure of, see `hidden.believed`.
        motion: flow to the view before and from it; None: this is the first.
        occluder: (256, 256) in [0, 1], steady.
        hidden: (256, 256), what is invented.
        blind: (256, 256), what is or may be an occluder.
        known: (256, 256), what may be remembered.
        traces: of what is found in other frames, see `covered.traces`; only of views about to be
            done.
        uncovered: (256, 256), what of it memory betrayed, see `covered.covered`.
        flow: the face's own, to the view before, as far as it is not `unmeasured`.
        there: its opposite, kept because each block of views asks for it again.
    """

    number: int
    sighting: Sighting
    matrix: Map
    face: Photo
    inside: Mask
    given: Mask | None
    motion: tuple[Array, Array] | None
    found: Array | None = None
    sure: Mask | None = None
    occluder: Array = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.float32))
    hidden: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    blind: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    known: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    traces: Sequence[Array] = ()
    uncovered: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))
    flow: Array | None = None
    there: Array | None = None
    unmeasured: Mask = field(default_factory=lambda: np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))

    @property
    def flow_back(self) -> Array:
        """`flow`, or no motion for the first view."""
        return NOTHING if self.flow is None else self.flow

    @property
    def flow_there(self) -> Array:
        """From the view before, the opposite of `flow`."""
        if self.there is None:
            self.there = opposite(self.flow_back)
        return self.there


@dataclass(frozen=True)
class Task:
    """What is to fill in a view.

    Attributes:
        view: the view; what is hidden in it is final.
        canvas: the face, as it was filled in the views before.
        colours, trust: what is remembered of its hidden pixels, (n, 3) and (n,).
        flow: (256, 256, 2), of the face, to the frame before; None: there was none.
        doubted: (256, 256), what of the frame before was shown as it was, and may have been an
            occluder; None: there was none.
    """

    view: View
    canvas: Canvas
    colours: Array
    trust: Array
    flow: Array | None
    doubted: Mask | None

    @property
    def input(self) -> tuple[Photo, Mask]:
        """For the network: the face with what is remembered put in, and what is still hidden."""
        hidden, told = self.view.hidden, self.trust > BELIEVED
        face, left = self.view.face.copy(), hidden.copy()
        put(face, np.where(told[:, None], to_uint8(self.colours), pixels(face, hidden)), hidden)
        left[hidden] = ~told
        return face, left

    @property
    def certain(self) -> bool:
        """Whether there is nothing to ask the network."""
        return bool((self.trust >= CERTAIN).all())

    def fill(self, proposal: Photo | None) -> Photo:
        """The filled face, (256, 256, 3); views are filled in turn.

        Args:
            proposal: (256, 256, 3), what the network would fill in; None: it was not asked.
        """
        real, face, hidden = (self.colours, self.trust), self.view.face, self.view.hidden
        return self.canvas.next(face, hidden, self.flow, real, proposal, self.doubted)
