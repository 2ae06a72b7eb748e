"""What is told of a photo."""

import json
from pathlib import Path

import numpy as np

from unveil.cli.describe import as_json
from unveil.types import Restoration


def test_one_invented_pixel_of_a_large_photo_is_more_than_none():
    invented = np.zeros((10_000, 10_000), np.bool_)
    invented[7, 9] = True
    nothing = np.zeros((1, 1), np.float32)
    result = Restoration(np.zeros((1, 1, 3), np.uint8), invented, nothing, (), "stand-in:0")
    told = json.loads(as_json(Path("a.png"), [Path("b.png")], result))
    assert told["invented"] == 1e-8
