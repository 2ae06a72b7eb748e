"""The prior's file: what goes in comes out, and what is damaged is named."""

import dataclasses

import numpy as np
import pytest
from lowrank import CHROMA, low_rank_faces, turned_heads

from unveil.errors import WeightsError
from unveil.models.prior import FacePrior
from unveil.occlusion.shapes import box_mask


@pytest.mark.parametrize("which", ["prior", "posed"])
def test_save_and_load(which, request, tmp_path):
    prior = dataclasses.replace(request.getfixturevalue(which), calibration=(1.5, 0.5))
    path = tmp_path / "prior.npz"
    prior.save(path)
    loaded = FacePrior.load(path)
    assert loaded.calibration == (1.5, 0.5)
    for ours, theirs in ((loaded.front, prior.front), (loaded.turned, prior.turned)):
        if theirs is None:
            assert ours is None
            continue
        for name in ("mean", "variances", "residual", "size", "chroma", "texture"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        np.testing.assert_allclose(ours.components, theirs.components, rtol=1e-3, atol=1e-6)
        assert ours.components.dtype == np.float32
    if prior.turned is not None:
        np.testing.assert_array_equal(loaded.direction, prior.direction)
    side = prior.size
    heads = low_rank_faces(1, seed=10) if which == "prior" else turned_heads(1, 4)[0]
    mask = box_mask(3, 3, side // 2, side // 2, side)
    assert np.abs(loaded.fill(heads[0], mask).astype(int) - prior.fill(heads[0], mask)).max() <= 1
    assert [p.name for p in tmp_path.iterdir()] == ["prior.npz"]


def test_what_is_no_prior_is_told_in_words_of_ours(tmp_path):
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(WeightsError) as error:
        FacePrior.load(tmp_path / "junk")
    assert str(error.value).endswith("junk: damaged, or not a prior of `unveil fit-prior`")


def test_damaged_files_are_named(posed, tmp_path):
    path = tmp_path / "prior.npz"
    posed.save(path)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    heads = []
    for place, value in ((6, 99), (8, 1), (10, 8), (10, 99)):  # version, flags, method of each part
        header, at = bytearray(whole), 0
        while (at := header.find(b"PK\x01\x02", at) + 1) > 0:
            header[at - 1 + place] = value
        heads.append(bytes(header))
    cut = (b"", b"PK", whole[:100], whole[: len(whole) // 2], whole[:-10])
    for data in (*cut, bytes(flipped), *heads):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"prior\.npz"):
            FacePrior.load(path)
    with pytest.raises(WeightsError, match="fit-prior"):
        FacePrior.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("front", {"variances": np.ones(3, np.float32)}),
        ("front", {"mean": np.full(32 * 32 + 2 * CHROMA**2, np.nan, np.float32)}),
        ("turned", {"variances": np.ones(3, np.float32)}),
        ("turned", {"texture": np.ones((3, 3), np.float32)}),
        (None, {"direction": np.ones(5, np.float32)}),
        (None, {"direction": np.full(8, np.nan, np.float32)}),
        (None, {"calibration": (1.0, float("inf"))}),
    ],
)
def test_arrays_that_do_not_fit_are_refused(posed, tmp_path, part, change):
    path = tmp_path / "prior.npz"
    if part:
        change = {part: dataclasses.replace(getattr(posed, part), **change)}
    dataclasses.replace(posed, **change).save(path)
    with pytest.raises(WeightsError, match="do not fit"):
        FacePrior.load(path)


def test_another_version_is_told(posed, tmp_path):
    path = tmp_path / "prior.npz"
    posed.save(path)
    with np.load(path) as file:
        np.savez(path, **dict(file) | {"format": np.int64(9)})
    with pytest.raises(WeightsError, match="fit it again"):
        FacePrior.load(path)
