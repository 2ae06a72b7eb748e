"""One request's work by itself."""

import base64
import gc
import io
import json

import numpy as np
import photos
import pytest

from unveil.files import encode, read_image
from unveil.restorer import Restorer
from unveil.server import work
from unveil.server.limits import Limits
from unveil.server.options import RestoreOptions, SegmentOptions
from unveil.types import Restoration

PHOTO, HIDDEN = photos.scene(*photos.TWO)


@pytest.mark.parametrize("name", ["stand-in", "lite"])
@pytest.mark.parametrize("aligned", [False, True])
def test_a_look_fills_nothing_in_and_says_what_restore_says(model, name, aligned, monkeypatch):
    restorer = Restorer(model if name == "stand-in" else name, 1)
    photo = photos.scene(photos.TWO[0])[0][40:296, 40:296].copy() if aligned else PHOTO
    fills, fill = [], restorer.model.fill
    monkeypatch.setattr(restorer.model, "fill", lambda *a: fills.append(len(a)) or fill(*a))
    restored = restorer.restore(photo, aligned=aligned)
    assert restored.invented.any()
    # A model without a prior aligns faces by fills of its own, which have no manner.
    invented = fills.count(3)
    assert invented > 0
    options = SegmentOptions(aligned=aligned)
    body = work.segment(restorer, encode(photo, "PNG"), options, "json", Limits()).body
    told = json.loads(body)
    mask = read_image(io.BytesIO(base64.b64decode(told["mask"]["data"]))).photo[..., 0]
    assert np.array_equal(mask == 255, restored.invented)
    numbers = [{k: v for k, v in face.items() if k != "occluder"} for face in told["faces"]]
    assert numbers == [json.loads(json.dumps(face.numbers())) for face in restored.faces]
    assert told["invented"] == round(float(restored.invented.mean()), 6)
    assert fills.count(3) == invented
    assert np.array_equal(restorer.look(photo, aligned).photo, photo)


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
    # The likeliest, and one sample.
    assert [n - before for n in alive] == [1, 2, 2, 2, 2]
