"""An occluder that the network misses is betrayed by what it looks like, and by what is known."""

import cv2
import numpy as np
import pytest
from drawn import draw_face
from moving import SIZE, shift, square

from unveil.imaging import grow
from unveil.video.covered import FOLLOWED, covered, traces
from unveil.video.lingering import LINGERS

FACE = draw_face(3).astype(np.float32)
NOTHING = np.zeros((SIZE, SIZE), np.float32)
MOTION = (shift(-10), shift(10))
ALL = np.ones((SIZE, SIZE), np.float32)
CLOTH = cv2.GaussianBlur(
    np.random.default_rng(0).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32), (0, 0), 3
)
CLOTH = np.clip(60 + 2 * (CLOTH - CLOTH.mean()), 0, 255)


def shown(mask, dx=0):
    """The face behind cloth that has moved by `dx`."""
    cloth = np.roll(CLOTH, dx, axis=1)
    return np.where(mask[..., None] > 0, cloth, FACE).astype(np.uint8)


def test_a_trace_says_where_it_is_and_what_it_looks_like():
    found = [NOTHING, NOTHING, square(80), NOTHING, NOTHING]
    faces = [shown(square(60 + 10 * i), 10 * i) for i in range(5)]
    coming, later = traces(found, faces, [MOTION] * 5, None, 5)
    for i in range(5):
        trace = (coming if i > 1 else later)[i]
        where = square(60 + 10 * i) > 0
        np.testing.assert_allclose(trace[..., 0], where * LINGERS ** abs(i - 2), atol=1e-3)
        assert np.abs(trace[where, 1:] - faces[i][where]).max() < 1
    assert coming[1][..., 0].max() == later[3][..., 0].max() == 0
    few = traces(found, faces, [MOTION] * 5, None, 2)
    assert [len(each) for each in few] == [2, 2]
    np.testing.assert_array_equal(few[1][0], later[0])
    further, _ = traces([NOTHING], faces[:1], [MOTION], coming[-1], 1)
    assert further[0][..., 0].max() == pytest.approx(LINGERS**3, abs=1e-3)


def trace_of(mask, sure=0.8):
    return np.dstack([mask * np.float32(sure), CLOTH]).astype(np.float32)


def test_what_looks_like_it_and_not_like_the_face_is_it():
    there, no = square(80), np.zeros((SIZE, SIZE), bool)
    # It is followed to more than is there: an occluder's way is not known to the pixel.
    found = covered(shown(there), no, [trace_of(grow(there > 0, 12))], FACE, ALL)
    assert found[there > 0].all()
    assert not (found & ~grow(there > 0, 6)).any()
    clean = covered(shown(NOTHING), no, [trace_of(there)], FACE, ALL)
    assert not clean.any()


def test_a_face_that_has_changed_is_no_occluder():
    mouth = square(80)
    face = FACE.astype(np.uint8)
    face[mouth > 0] = (230, 40, 140)
    no = np.zeros((SIZE, SIZE), bool)
    assert not covered(face, no, [trace_of(mouth)], FACE, ALL).any()


def test_a_change_that_hardly_shows_is_no_occluder():
    """Be it a little nearer to one that looks much as the face does."""
    there, no = square(80), np.zeros((SIZE, SIZE), bool)
    face, alike = (np.clip(FACE + there[..., None] * level, 0, 255) for level in (14, 17))
    trace = np.dstack([there * np.float32(0.8), alike]).astype(np.float32)
    assert not covered(face.astype(np.uint8), no, [trace], FACE, ALL).any()


@pytest.mark.parametrize("missing", ["memory", "trace"])
def test_one_sign_is_not_enough(missing):
    there, no = square(80), np.zeros((SIZE, SIZE), bool)
    trust = NOTHING if missing == "memory" else ALL
    sure = 0.8 if missing == "memory" else FOLLOWED - 0.05
    assert not covered(shown(there), no, [trace_of(there, sure)], FACE, trust).any()


def test_beside_what_is_found_its_rim_is_found_too():
    there = square(80) > 0
    found = there & (np.arange(SIZE) < 124)  # all but the last six columns
    rest = covered(shown(there), found, [trace_of(NOTHING)], np.full_like(FACE, 255), ALL * there)
    assert rest[there & ~found].all()
