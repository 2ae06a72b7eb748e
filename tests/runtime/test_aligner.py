"""What the aligner says of a face, made a map."""

import numpy as np
import pytest

from unveil.faces.align import correction
from unveil.runtime.aligner import AlignerNetwork

FACE, HIDDEN = np.zeros((256, 256, 3), np.uint8), np.zeros((256, 256), bool)


class Saying:
    """A network that gives always the same."""

    def __init__(self, *moved: float) -> None:
        self.moved = np.array([moved], np.float32)

    def run(self, names, inputs):
        assert names == ["moved"]
        assert inputs["face"].shape == (1, 3, 256, 256)
        return [self.moved]


@pytest.mark.parametrize("noise", [-0.4, 0.0, 0.4])
def test_a_fraction_of_a_pixel_moves_no_face(noise):
    network = AlignerNetwork(threads=1)
    network._session = Saying(*(np.array([3, -2, 5, 0]) + noise))
    expected = correction(np.array([3, -2, 5, 0], np.float32))
    assert np.array_equal(network.better_frame(FACE, HIDDEN), expected)


def test_a_dark_face_is_shown_in_a_usual_light():
    class Looking(Saying):
        def run(self, names, inputs):
            self.seen = inputs["face"]
            return super().run(names, inputs)

    network = AlignerNetwork(threads=1)
    network._session = Looking(0, 0, 0, 0)
    network.better_frame(np.full_like(FACE, 30), HIDDEN)
    assert np.allclose(network._session.seen, 175 / 127.5 - 1, atol=0.02)
