import numpy as np
import pytest
from drawn import draw_face
from photos import high_pass
from stand_in import COLOUR

import unveil
from unveil.errors import ImageError, MaskError, NotAlignedError, UsageError, WeightsError
from unveil.faces.blend import seamless
from unveil.faces.hidden import SURE
from unveil.imaging import grow


@pytest.fixture(scope="module")
def restorer(model):
    return unveil.Restorer(model)


def occluded(size=256):
    face = np.clip(draw_face(3), 4, 255)
    hidden = np.zeros((256, 256), bool)
    hidden[120:180, 90:170] = True
    face[hidden] = 0
    if size != 256:
        face = np.repeat(np.repeat(face, size // 256, 0), size // 256, 1)
        hidden = np.repeat(np.repeat(hidden, size // 256, 0), size // 256, 1)
    return face, hidden


@pytest.mark.parametrize("size", [256, 512])
def test_with_a_mask_exactly_that_is_invented(restorer, size):
    face, hidden = occluded(size)
    out = restorer.restore(face, hidden, aligned=True)
    assert np.array_equal(out.invented, hidden)
    assert np.array_equal(out.photo[~hidden], face[~hidden])
    # The network's one colour, joined to what surrounds the hole.
    face, hidden = face[:: size // 256, :: size // 256], hidden[:: size // 256, :: size // 256]
    expected = seamless(face, np.full_like(face, COLOUR), hidden)
    ours = out.photo[:: size // 256, :: size // 256]
    inner = hidden & ~grow(~hidden, 4)
    assert np.abs(ours.astype(int) - expected)[inner].max() <= (0 if size == 256 else 4)
    assert out.faces[0].coverage == pytest.approx(60 * 80 / 65536, rel=0.05)


def test_what_is_enlarged_gets_the_grain_of_the_face(restorer):
    face, hidden = occluded(768)
    noise = np.random.default_rng(2).normal(0, 6, face.shape)
    noisy = np.clip(face + noise * ~hidden[..., None], 4, 250).astype(np.uint8)
    plain, grainy = (restorer.restore(f, hidden, aligned=True).photo for f in (face, noisy))
    inner, skin = hidden & ~grow(~hidden, 12), np.zeros_like(hidden)
    skin[300:340, 330:440] = True
    sharp = [high_pass(photo) for photo in (plain, grainy)]
    assert sharp[0][inner].std() < 0.7
    assert sharp[1][inner].std() == pytest.approx(sharp[1][skin].std(), rel=0.2)
    assert np.array_equal(grainy[~hidden], noisy[~hidden])


def test_blind_finds_the_rectangle_and_a_margin(restorer):
    face, hidden = occluded()
    out = restorer.restore(face, aligned=True)
    assert out.invented[hidden].all()
    margin = np.argwhere(out.invented)
    assert margin.min(0).tolist() == [117, 87]
    assert margin.max(0).tolist() == [182, 172]
    assert np.array_equal(out.photo[~out.invented], face[~out.invented])


def test_an_unsure_part_is_left_alone_and_a_sure_one_is_found_to_its_edge(restorer, monkeypatch):
    face = np.clip(draw_face(3), 4, 255)
    unsure = np.zeros((256, 256), np.float32)
    unsure[20:60, 20:60] = SURE - 0.05
    unsure[120:180, 90:170] = 0.6
    sure = unsure.copy()
    sure[140:160, 110:150] = 0.97
    for occluder, hidden in ((unsure, 0), (sure, (60 + 6) * (80 + 6))):
        monkeypatch.setattr(restorer.model, "find", lambda faces, o=occluder: o[None])
        out = restorer.restore(face, aligned=True)
        assert out.invented.sum() == hidden
        assert np.array_equal(out.photo[~out.invented], face[~out.invented])


def test_blind_at_another_size_hides_the_whole_occluder(restorer):
    face, hidden = occluded(768)
    out = restorer.restore(face, aligned=True)
    assert out.photo.shape == face.shape
    assert out.invented[hidden].all()
    assert out.invented.sum() < 1.3 * hidden.sum()  # the margin is a quarter of it
    assert np.array_equal(out.photo[~out.invented], face[~out.invented])


def test_nothing_hidden_gives_the_photo_back(restorer):
    face = np.clip(draw_face(1), 4, 255)
    for out in (
        restorer.restore(face, aligned=True),
        restorer.restore(face, np.zeros((256, 256), bool), aligned=True),
    ):
        assert np.array_equal(out.photo, face)
        assert not out.invented.any()
        assert out.faces[0].coverage == 0
        assert out.photo is not face


def test_everything_hidden(restorer):
    face, _ = occluded()
    out = restorer.restore(face, np.ones((256, 256), bool), aligned=True)
    assert out.invented.all()
    assert (out.photo == COLOUR).all()


def test_one_pixel_face(restorer):
    out = restorer.restore(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1), bool), aligned=True)
    assert out.photo.tolist() == [[list(COLOUR)]]


@pytest.mark.parametrize("values", [np.uint8(255), np.uint8(1), np.float32(1)])
def test_masks_of_other_types_mean_the_same(restorer, values):
    face, hidden = occluded()
    out = restorer.restore(face, hidden * values, aligned=True)
    assert np.array_equal(out.invented, hidden)


def test_a_face_of_another_size_has_no_mask_of_its_own(restorer):
    with pytest.raises(ImageError, match="a face is 256x256"):
        restorer.segment(occluded(512)[0])


def test_many_take_a_mask_each_also_as_one_array(restorer):
    face, hidden = occluded()
    masks = np.stack([hidden, np.roll(hidden, 9, 1)])
    both = restorer.restore_many([face, face], masks, aligned=True)
    assert [np.array_equal(r.invented, m) for r, m in zip(both, masks, strict=True)] == [True] * 2
    for wrong in ([hidden], []):
        with pytest.raises(UsageError, match=f"{len(wrong)} for 2"):
            restorer.restore_many([face, face], wrong, aligned=True)


def test_results_are_compared_by_identity(restorer):
    face, hidden = occluded()
    one, other = (restorer.restore(face, hidden, aligned=True) for _ in range(2))
    assert one == one
    assert one != other
    assert len({one, other, one.faces[0], other.faces[0]}) == 4


def test_a_restoration_does_not_change_with_the_mask_it_was_given(restorer):
    face, hidden = occluded()
    out = restorer.restore(face, hidden, aligned=True)
    before = hidden.copy()
    hidden[:] = True
    assert np.array_equal(out.invented, before)


@pytest.mark.parametrize("aligned", [False, True])
def test_no_face_at_all_cannot_be_asked_for(restorer, aligned):
    face, _ = occluded()
    for call in (
        lambda: restorer.restore(face, aligned=aligned, faces=0),
        lambda: restorer.find(face, aligned, faces=0),
        lambda: restorer.sample(face, 1, aligned=aligned, faces=0),
    ):
        with pytest.raises(UsageError, match=r"at least one face must be asked for \(got 0\)"):
            call()


def test_segment(restorer):
    face, hidden = occluded()
    mask = restorer.segment(face)
    assert mask.dtype == np.float32
    assert np.array_equal(mask > 0.5, hidden)


@pytest.mark.parametrize(
    ("photo", "mask", "aligned", "error", "message"),
    [
        (np.zeros((9, 9), np.uint8), None, False, ImageError, "RGB"),
        (np.zeros((218, 178, 3), np.uint8), None, True, NotAlignedError, "178x218"),
        (np.zeros((9, 9, 3), np.float32), None, True, ImageError, "uint8"),
        (np.zeros((9, 9), np.uint8), None, True, ImageError, "RGB"),
        (np.zeros((0, 0, 3), np.uint8), None, True, ImageError, "RGB"),
        (np.zeros((9, 9, 3), np.uint8), np.zeros((8, 9), bool), True, MaskError, "same size"),
        (np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 1), bool), True, MaskError, "x width"),
        (np.zeros((9, 9, 3), np.uint8), np.arange(81).reshape(9, 9), True, MaskError, "two values"),
    ],
)
def test_wrong_calls_say_why(restorer, photo, mask, aligned, error, message):
    with pytest.raises(error, match=message):
        restorer.restore(photo, mask, aligned=aligned)


def test_unknown_model():
    for name, message in (
        ("nobody", r"no model 'nobody'; there are: lite, paper$"),
        ("segmenter", "model segmenter does not restore"),
    ):
        for kind in (WeightsError, UsageError):  # a wrong call, too
            with pytest.raises(kind, match=message):
                unveil.Restorer(name)


def test_shipped_weights_restore_the_example():
    from pathlib import Path

    from unveil.files import read_image

    examples = Path(__file__).parent.parent / "examples"
    clean = read_image(examples / "astronaut.png").photo
    photo = read_image(examples / "astronaut_occluded.png").photo
    hidden = read_image(examples / "astronaut_mask.png").photo[..., 0] > 127
    out = unveil.restore(photo, aligned=True)
    found, both = out.invented & hidden, out.invented | hidden
    assert found.sum() / both.sum() > 0.8
    error = np.abs(out.photo.astype(float) - clean)[hidden].mean()
    black = np.abs(photo.astype(float) - clean)[hidden].mean()
    assert error < 0.4 * black


@pytest.fixture(scope="module")
def lite():
    return unveil.Restorer()


def test_confidence_is_one_where_known_and_falls_with_what_is_hidden(lite):
    face, hidden = occluded(512)
    out = lite.restore(face, hidden, aligned=True)
    assert out.confidence.dtype == np.float32
    assert (out.confidence[~hidden] == 1).all()
    assert 0 <= out.confidence[hidden].min() < out.confidence[hidden].max() < 1
    assert out.faces[0].confidence == pytest.approx(out.confidence[hidden].mean(), abs=0.02)
    everything = lite.restore(face, np.ones_like(hidden), aligned=True)
    assert everything.faces[0].confidence < 0.2 < out.faces[0].confidence
    nothing = lite.restore(face, np.zeros_like(hidden), aligned=True)
    assert nothing.faces[0].confidence == 1
    assert (nothing.confidence == 1).all()


@pytest.mark.parametrize("size", [64, 100, 200, 300])
def test_what_stands_in_hidden_pixels_does_not_matter(lite, size):
    face, hidden = draw_face(3, size), np.zeros((size, size), bool)
    hidden[size // 2 : size * 3 // 4, size // 3 : size * 2 // 3] = True
    results = []
    for colour in (0, 255):
        face[hidden] = colour
        results.append(lite.restore(face, hidden, aligned=True).photo)
    assert np.array_equal(*results)


def test_samples_differ_where_hidden_and_come_again_with_their_seed(lite):
    face, hidden = occluded()
    drawn = lite.sample(face, 3, hidden, aligned=True, seed=5)
    again = lite.sample(face, 1, hidden, aligned=True, seed=6)  # the next seed: all but the first
    for out in drawn:
        assert np.array_equal(out.photo[~hidden], face[~hidden])
    pairs = [np.abs(drawn[i].photo.astype(int) - drawn[j].photo)[hidden].mean() for i, j in
             ((0, 1), (0, 2), (1, 2))]  # fmt: skip
    assert min(pairs) > 2
    assert np.array_equal(again[0].photo, drawn[1].photo)
    largest = lite.sample(face, 2, hidden, aligned=True, seed=np.uint8(255))
    after = lite.sample(face, 1, hidden, aligned=True, seed=256)
    assert np.array_equal(largest[1].photo, after[0].photo)
    # Each has arrays of its own, as those of whole photos have.
    for name in ("photo", "invented", "confidence"):
        arrays = [getattr(out, name) for out in drawn]
        assert not np.shares_memory(arrays[0], arrays[1])


def test_detail_goes_from_the_likeliest_face_to_a_sharp_one(lite):
    face, hidden = occluded()
    soft, half, sharp = (
        lite.restore(face, hidden, aligned=True, detail=d).photo.astype(int) for d in (0, 0.5, 1)
    )
    assert np.abs(sharp - soft)[hidden].mean() > 0.5
    whole = hidden & ((np.minimum(soft, sharp) > 0) & (np.maximum(soft, sharp) < 255)).all(axis=-1)
    # Where they meet the known pixels not quite: of a large step there less is made up for.
    assert np.abs(half - (soft + sharp) / 2)[whole].mean() < 1
    with pytest.raises(UsageError, match="detail must be between 0 and 1"):
        lite.restore(face, hidden, aligned=True, detail=1.5)


def test_a_model_without_a_prior_has_no_samples(restorer):
    face, hidden = occluded()
    with pytest.raises(UsageError, match="one result only"):
        restorer.sample(face, 2, hidden, aligned=True)
    with pytest.raises(UsageError, match="one result only"):
        restorer.sample(np.full((90, 120, 3), 90, np.uint8), 2)  # nobody
    with pytest.raises(UsageError, match="at least one sample"):
        restorer.sample(face, 0, hidden, aligned=True)
    # Its confidence is the default model's prior's.
    assert restorer.restore(face, hidden, aligned=True).faces[0].confidence < 1


def test_settings_that_no_machine_has_are_refused_at_once(model):
    with pytest.raises(UsageError, match="device must be one of cpu, cuda, not 'tpu'"):
        unveil.Restorer(model, device="tpu")
    with pytest.raises(UsageError, match="threads must be 1 or more"):
        unveil.Restorer(model, threads=-1)
