"""A square occluder of an aligned face, and flows that are the same everywhere."""

import numpy as np

SIZE = 256


def square(left):
    """(256, 256) in {0, 1}: 50 pixels wide and high, from column `left` on."""
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[100:150, left : left + 50] = 1
    return mask


def shift(dx):
    """(256, 256, 2): all moves by so many pixels to the right."""
    return np.broadcast_to(np.float32([dx, 0]), (SIZE, SIZE, 2)).copy()
