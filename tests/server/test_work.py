"""One request's work by itself."""

import gc
import json

import photos
import pytest

from unveil.files import encode
from unveil.restorer import Restorer
from unveil.server import work
from unveil.server.limits import Limits
from unveil.server.options import RestoreOptions
from unveil.types import Restoration

PHOTO, HIDDEN = photos.scene(*photos.TWO)


def test_samples_are_made_one_at_a_time_and_faces_are_looked_for_once(monkeypatch):
    """Those of a large photo are large: not all of them are held at once."""
    restorer = Restorer(threads=1)
    if not restorer.model.weights.has("prior"):
        pytest.skip("the default model has no prior")
    alive, looks = [], []
    write, find = work.restored_file, restorer.detector.find

    def counting(*arguments):
        alive.append(sum(isinstance(each, Restoration) for each in gc.get_objects()))
        return write(*arguments)

    monkeypatch.setattr(work, "restored_file", counting)
    monkeypatch.setattr(restorer.detector, "find", lambda *a: looks.append(1) or find(*a))
    photo, mask = encode(PHOTO, "PNG"), encode(HIDDEN.astype("uint8") * 255, "PNG")
    before = sum(isinstance(each, Restoration) for each in gc.get_objects())
    options = RestoreOptions(samples=4, seed=3)
    answer = work.restore(restorer, photo, mask, options, "json", Limits())
    assert len(json.loads(answer.body)["samples"]) == 4
    assert len(looks) == 1
    # The likeliest, the same with the picture that is shown, and one sample.
    assert [n - before for n in alive] == [2, 3, 3, 3, 3]
