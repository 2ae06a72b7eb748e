"""Keeps what is invented steady: occluder masks that do not flicker, a fill that is carried along.

The network says something new for each frame. Here it is only a proposal: what stands already moves
on with the face, keeps to the light of its surroundings, and goes over to the proposal slowly.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from unveil.faces.grain import around
from unveil.faces.hidden import FOUND_MARGIN, FOUND_THRESHOLD, believed
from unveil.imaging import FACE_SIZE, Mask, Photo, grow, pixels, put, to_uint8
from unveil.video.head import Array
from unveil.video.light import COARSE, inwards
from unveil.video.motion import opposite, warp

SURE_FRAMES = 32  # frames to each side whose masks say whether a part of one counts
SOFT_EDGE = 6
NEW_MASK = 0.7  # what a fresh occluder mask counts against those before it
RATE = 0.2  # what a proposal counts against what stands already
SEEN_RATE = 0.3  # what was seen elsewhere counts against what stands already
FILL_EVERY = 4  # frames from one proposal to the next
LIGHT = 6  # grey levels a frame: a larger change is a movement, not light
SOFT = 13  # pixels over which what was seen goes over to what is invented
NOISE = 0.5  # grey levels: a smaller change is noise, and noise all over the fill is flicker
FAR = 16  # pixels: moved further on average, it is painted anew in the frame of then
# An occluder's soft edge is no face to remember.
MAYBE, EDGE = 0.2, 2


def counted(
    masks: Sequence[Array | None],
    sure: Sequence[Mask | None],
    before: Sequence[Mask | None] = (),
) -> list[Array | None]:
    """Occluder masks without what is taken for one by mistake.

    A part counts that the network is sure of, in this frame or, at about this place, in one of the
    `SURE_FRAMES` before or after it: so an occluder does not come and go with the network's
    confidence, and a mistake that it is sure of once does not stay.

    Args:
        masks: (256, 256) in [0, 1], one for each frame, or None where the network was not asked.
        sure: (256, 256) bool, what of each is `believed` by itself, or None.
        before: the same of the frames before these.

    Returns:
        The masks, 0 where nothing counts.
    """
    sure = [*before, *sure]
    result: list[Array | None] = []
    for place, mask in enumerate(masks, len(before)):
        if mask is None:
            result.append(None)
            continue
        around = sure[max(0, place - SURE_FRAMES) : place + SURE_FRAMES + 1]
        near = np.any([s for s in around if s is not None], axis=0)
        keep = believed(mask, near)
        # The soft edge of what counts stays, that of what does not goes with it.
        keep = grow(keep, SOFT_EDGE) & ~((mask > FOUND_THRESHOLD) & ~keep)
        result.append(np.where(keep, mask, np.float32(0)))
    return result


def steady(
    masks: Sequence[Array | None],
    flows: Sequence[tuple[Array, Array]],
    before: Array | None = None,
) -> tuple[list[Array], list[Array | None]]:
    """Occluder masks for every frame from those of some frames.

    Each mask moves on with the pixels, the occluder's own motion, both ways in time; where both are
    known, their mean counts.

    Args:
        masks: (256, 256) in [0, 1], or None where the network was not asked; not all of them.
        flows: of every frame, from its pixels to those of the frame before, and from that frame's
            to its own; of the first one, unused if there is no `before`.
        before: what the frames up to each, the second result, said before the first one; None:
            there were none.

    Returns:
        One for each frame, in [0, 1]; and what the frames up to it alone say of it.
    """
    forward = _carried(masks, [back for back, _ in flows], before)
    turned = [there for _, there in flows[1:]][::-1]
    backward = _carried(masks[::-1], [np.zeros(0, np.float32), *turned], None)[::-1]
    result = []
    for one, other in zip(forward, backward, strict=True):
        both = [m for m in (one, other) if m is not None]
        result.append(np.asarray(sum(both) / len(both), dtype=np.float32))
    return result, forward


def _carried(
    masks: Sequence[Array | None], flows: Sequence[Array], state: Array | None
) -> list[Array | None]:
    states = []
    for mask, flow in zip(masks, flows, strict=True):
        state = next_mask(state, mask, flow)
        states.append(state)
    return states


def next_mask(state: Array | None, mask: Array | None, flow: Array) -> Array | None:
    """The mask of the next frame from that of the last one, and the network's word if there is."""
    if state is None:
        return mask
    moved = warp(state, flow)
    return moved if mask is None else moved + np.float32(NEW_MASK) * (mask - moved)


def threshold(occluder: Array) -> Mask:
    """What of a face is invented: (256, 256) bool."""
    return grow(occluder > FOUND_THRESHOLD, FOUND_MARGIN + 1)


def surely_seen(occluder: Array, hidden: Mask) -> Mask:
    """What of a face may be remembered: (256, 256) bool."""
    return ~(grow(occluder > MAYBE, EDGE) | grow(hidden, EDGE))


class Canvas:
    """The whole face of a track as it is believed to be, moved on from frame to frame.

    It is painted in the frame of its beginning, and each frame looks up where in it its pixels lie:
    a picture that is resampled from frame to frame goes soft (linear) or gritty (cubic).

    Args:
        remember: what was seen a frame ago is carried on where it is hidden now; if not, only what
            was invented is, and each frame needs a proposal.
    """

    def __init__(self, remember: bool = True) -> None:
        self._remember = remember
        self._asked = False
        self._painted: Array | None = None
        self._aim = np.zeros(1, dtype=np.float32)  # what the painting goes over to
        self._left = 0  # frames in which it still does
        self._moved = np.zeros(1, dtype=np.float32)  # from a frame's pixels to the painting's
        self._light = np.zeros((COARSE, COARSE, 3), dtype=np.float32)  # since it was painted
        self._last: Array | None = None  # the last frame, filled
        self._hidden_before = np.zeros(0, dtype=np.float32)

    def asks(self, number: int) -> bool:
        """Whether a proposal is wanted for that frame, if something in it is to be invented."""
        wanted = number % FILL_EVERY == 0 or not self._remember or not self._asked
        self._asked |= wanted
        return wanted

    def next(
        self,
        face: Photo,
        hidden: Mask,
        flow: Array | None,
        real: tuple[Array, Array],
        proposal: Photo | None,
        doubted: Mask | None = None,
    ) -> Photo:
        """The filled face of the next frame.

        Args:
            face: (256, 256, 3) uint8.
            hidden: (256, 256).
            flow: (256, 256, 2), of the face, to the frame before; None: there was none.
            real: colours (n, 3) and trust (n,) of the hidden pixels; see `recall.recall`.
            proposal: (256, 256, 3) uint8, what the network would fill in here; None: not asked.
            doubted: (256, 256), what of the frame before was shown as it was, and may have been an
                occluder; None: nothing.

        Returns:
            (256, 256, 3) uint8, equal to `face` in every known pixel.
        """
        canvas, filled = face.astype(np.float32), face.copy()
        if flow is None:
            self._painted = None
        elif self._painted is not None:
            self._moved = warp(self._moved, flow) + flow
        if hidden.any():
            values = self._hidden(canvas, hidden, flow, real, proposal, doubted)
            put(canvas, values, hidden)
            put(filled, to_uint8(values), hidden)
        self._last = canvas
        self._hidden_before = hidden.astype(np.float32)
        return filled

    def _hidden(
        self,
        face: Array,
        hidden: Mask,
        flow: Array | None,
        real: tuple[Array, Array],
        proposal: Photo | None,
        doubted: Mask | None,
    ) -> Array:
        """(n, 3): the hidden pixels."""
        colours, trust = real[0], _softened(real[1], hidden)
        carried = None
        if flow is not None and self._last is not None:
            carried = warp(self._last, flow)
            self._light += _light(face, hidden, carried, (colours, trust))
        if proposal is not None:
            self._propose(np.asarray(proposal, dtype=np.float32), hidden, flow)
        # Of a face that was always seen elsewhere, nothing is painted.
        values = pixels(face, hidden)
        if self._painted is not None:
            if self._left:
                step = np.float32(RATE / FILL_EVERY)
                self._painted = self._painted + step * (self._aim - self._painted)
                self._left -= 1
            part = around(hidden)
            shown = warp(self._painted, self._moved, cv2.INTER_CUBIC, part)
            values = pixels(shown + _large(self._light)[part], hidden[part])
        if carried is not None and flow is not None and self._remember:
            # From past to future in steps that do not show; but not from an occluder.
            before = pixels(carried, hidden)
            steps = before + np.float32(SEEN_RATE) * (colours - before)
            if doubted is not None and doubted.any():
                wrong = warp(doubted.astype(np.float32), flow)[hidden] > 0.01
                steps[wrong] = colours[wrong]
            colours = steps
        return np.asarray(values + trust[:, None] * (colours - values), dtype=np.float32)

    def _propose(self, proposal: Array, hidden: Mask, flow: Array | None) -> None:
        """Paint it, or go over to it from what stands."""
        far = self._painted is not None and np.abs(self._moved).mean() > FAR
        if far and self._painted is not None:
            self._painted = warp(self._painted, self._moved, cv2.INTER_CUBIC)
            self._moved = np.zeros_like(self._moved)
        if self._painted is None:
            self._painted = proposal
            self._moved = np.zeros((*hidden.shape, 2), dtype=np.float32)
            self._light[:] = 0
            self._left = 0
            return
        back = opposite(self._moved)
        self._aim = warp(proposal - _large(self._light), back, cv2.INTER_CUBIC)
        self._left = FILL_EVERY
        if not self._remember and flow is not None:
            new = hidden & (warp(self._hidden_before, flow) < 0.99)
            there = warp(new.astype(np.float32), back) > 0.01
            self._painted = np.where(there[..., None], self._aim, self._painted)


def _light(face: Array, hidden: Mask, carried: Array, real: tuple[Array, Array]) -> Array:
    """(COARSE, COARSE, 3): how much brighter what is known, or was seen, is than a frame ago."""
    known, colours = (~hidden).astype(np.float32), face.copy()
    put(colours, real[0], hidden)
    known[hidden] = real[1]
    light = inwards(np.clip(colours - carried, -LIGHT, LIGHT), known, 0.5)
    light *= np.square(light) / (np.square(light) + NOISE**2)
    return np.asarray(light, dtype=np.float32)


def _large(light: Array) -> Array:
    return np.asarray(cv2.resize(light, (FACE_SIZE, FACE_SIZE)), dtype=np.float32)


def _softened(trust: Array, hidden: Mask) -> Array:
    """(n,) trust in the hidden pixels, less towards those that nobody saw: no seam runs there."""
    if trust.min(initial=1) >= 1 or not trust.any():
        return trust
    whole = np.ones(hidden.shape, np.float32)
    whole[hidden] = trust
    around = np.asarray(cv2.blur(whole, (SOFT, SOFT)), dtype=np.float32)
    return np.asarray(np.minimum(trust, np.clip(2 * around[hidden] - 1, 0, 1)), dtype=np.float32)
