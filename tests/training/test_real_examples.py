import dataclasses

import numpy as np
import pytest
from drawn import draw_face, rng
from tiny import faces, options, task

from unveil.errors import DataError, UsageError
from unveil.files import encode
from unveil.occlusion.compose import compose
from unveil.occlusion.seeded import Seeded
from unveil.training.config import SegmenterConfig
from unveil.training.loop import train
from unveil.training.real_examples import (
    HELD_SHARE,
    HIDDEN_SHARE,
    WORN_BY_ANOTHER,
    RealExamples,
    cut_out,
)
from unveil.training.segmenter_task import REAL, REAL_ALONE


def write(folder, name, face, mask=None):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").write_bytes(encode(face, "PNG"))
    if mask is not None:
        grey = np.repeat(mask[..., None].astype(np.uint8) * 255, 3, axis=2)
        (folder / f"{name}.mask.png").write_bytes(encode(grey, "PNG"))


def worn(left):
    mask = np.zeros((256, 256), bool)
    mask[100:130, left : left + 40] = True
    return mask


def test_faces_come_with_their_masks_mirrored_together(tmp_path):
    face, bare = draw_face(1), draw_face(2)
    write(tmp_path, "a", face, worn(30))
    write(tmp_path, "b", bare, np.zeros((256, 256), bool))
    examples = RealExamples.load(tmp_path, 256)
    drawn = [examples.draw(draw_face(3), Seeded(7, i)) for i in range(400)]
    seen = set()
    for one in drawn:
        if one.clean is not one.occluded:
            continue
        if not one.mask.any():
            assert any(np.array_equal(one.clean, f) for f in (bare, bare[:, ::-1]))
            continue
        mirrored = np.array_equal(one.clean, face[:, ::-1])
        assert mirrored or np.array_equal(one.clean, face)
        expected = worn(30)[:, ::-1] if mirrored else worn(30)
        assert np.array_equal(one.mask > 0.5, expected)
        seen.add(mirrored)
    assert seen == {False, True}
    share = np.mean([one.mask.any() for one in drawn])
    assert abs(share - HIDDEN_SHARE) < 0.07


def test_the_edge_of_a_mask_is_soft(tmp_path):
    write(tmp_path, "a", draw_face(1), worn(30))
    examples = RealExamples.load(tmp_path, 256)
    for one in (examples.draw(draw_face(2), Seeded(1, i)) for i in range(10)):
        assert one.mask.dtype == np.float32
        assert one.mask.max() == 1
        assert 0 < np.mean((one.mask > 0.02) & (one.mask < 0.98)) < 0.02


def test_what_is_worn_goes_on_to_another_face(tmp_path):
    write(tmp_path, "a", draw_face(1), worn(30))
    examples, other = RealExamples.load(tmp_path, 256), draw_face(3)
    drawn = [examples.draw(other, Seeded(9, i)) for i in range(300)]
    moved = [one for one in drawn if one.clean is other]
    assert abs(len(moved) / 300 - WORN_BY_ANOTHER) < 0.1
    size = worn(30).sum()
    for one in moved:
        assert 0.6 * size < one.mask.sum() < 1.3 * size
        changed = (one.occluded != other).any(axis=2)
        assert (changed & (one.mask == 0)).mean() < 0.1  # its shadow
    assert len({one.occluded.tobytes() for one in moved}) == len(moved)


def test_what_is_held_has_its_share(tmp_path):
    held = np.roll(worn(30), 100, axis=0)
    for name in "abc":
        write(tmp_path, name, draw_face(1), worn(30))
    write(tmp_path, "d", draw_face(2), held)
    examples, other = RealExamples.load(tmp_path, 256), draw_face(3)
    drawn = [examples.draw(other, Seeded(5, i)) for i in range(300)]
    low = np.mean([one.mask[:160].sum() < one.mask[160:].sum() for one in drawn])
    assert abs(low - HELD_SHARE) < 0.08


def test_what_is_cut_out_keeps_its_colour_in_the_same_light():
    face = draw_face(1)
    face[worn(30)] = (30, 60, 140)
    layer = cut_out(face, worn(30), rng(2))
    back, mask = compose(face, layer, rng(3))
    inside = mask > 0.99
    assert inside.sum() > 500
    assert np.abs(back[inside].astype(float).mean(axis=0) - (30, 60, 140)).max() < 12


def test_faces_are_resized_with_their_masks(tmp_path):
    write(tmp_path, "a", draw_face(1), worn(32))
    examples = RealExamples.load(tmp_path, 64)
    assert examples.faces.shape == (1, 64, 64, 3)
    assert abs(examples.masks.mean() - worn(32).mean()) < 0.01


@pytest.mark.parametrize("spoil", ["no mask", "no faces", "not square", "damaged"])
def test_what_is_missing_is_named(tmp_path, spoil):
    folder = tmp_path / "real"
    if spoil == "no faces":
        folder.mkdir()
    else:
        mask = {"no mask": None, "not square": worn(30)[:200]}.get(spoil, worn(30))
        write(folder, "a", draw_face(1), mask)
    if spoil == "damaged":
        (folder / "a.png").write_bytes(b"\x89PNG and no more")
    name = {"no faces": "real", "damaged": "a.png"}.get(spoil, "a.mask.png")
    with pytest.raises(DataError, match=name):
        RealExamples.load(folder, 256)


def test_the_segmenter_sees_its_share_of_real_examples(tmp_path):
    write(tmp_path, "a", draw_face(1), worn(32))
    config = SegmenterConfig(size=64, width=0.25, clean=0.9, objects=0.1, examples=str(tmp_path))
    segmenter = task(config)
    drawn = [segmenter._draw_real(draw_face(4, 64), Seeded(3, i)) for i in range(600)]
    real = [one for one in drawn if one is not None]
    assert abs(len(real) / 600 - REAL) < 0.04
    expected = RealExamples.load(tmp_path, 64).masks[0]
    own = draw_face(1, 64)
    for one in real:
        if not any(np.array_equal(one.clean, f) for f in (own, own[:, ::-1])):
            continue
        covered = one.mask > 0.5
        assert any((covered | not_worn).all() for not_worn in (~expected, ~expected[:, ::-1]))
    alone = np.mean([one.mask.sum() < 1.4 * expected.sum() for one in real])
    assert abs(alone - REAL_ALONE) < 0.15


def test_a_run_goes_on_with_its_own_examples_only(tmp_path):
    first, other = tmp_path / "first", tmp_path / "other"
    write(first, "a", draw_face(1), worn(32))
    write(other, "a", draw_face(2), worn(32))
    config = SegmenterConfig(size=64, batch_size=4, micro_batch_size=4, epochs=2, width=0.25)
    config = dataclasses.replace(config, examples=str(first))
    run, half = tmp_path / "run", dataclasses.replace(config, epochs=1)
    train(faces(), faces(4, 1), half, options(), run)
    for folder in ("", str(other)):
        wrong = dataclasses.replace(config, examples=folder)
        with pytest.raises(UsageError, match="--examples"):
            train(faces(), faces(4, 1), wrong, options(resume=True), run)
    first.rename(tmp_path / "moved")
    moved = dataclasses.replace(config, examples=str(tmp_path / "moved"))
    assert train(faces(), faces(4, 1), moved, options(resume=True), run).finished
