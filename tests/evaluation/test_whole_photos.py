from dataclasses import replace

import numpy as np
import pytest
from photos import TWO, scene

from unveil import __version__
from unveil.errors import DataError
from unveil.evaluation import whole_photos
from unveil.evaluation.protocols import RECOGNITION, SEED
from unveil.evaluation.whole_photos import COSTS, STAGES, hide, measure, stages, tables
from unveil.restorer import Restorer


@pytest.fixture(scope="module")
def restorer():
    return Restorer(threads=1)


@pytest.fixture(scope="module")
def photo():
    return scene(*TWO, hide=False)[0]


def test_an_occluder_lies_on_the_face_and_nowhere_else(restorer, photo):
    face = max(restorer.detector.find(photo), key=lambda each: each.size)
    eyes, mouth = (hide(photo, face, kind, 0) for kind in RECOGNITION[:2])
    for case in (eyes, mouth):
        assert np.array_equal(case.photo[~case.hidden], photo[~case.hidden])
        assert (case.photo[case.hidden] == 0).mean() > 0.95
        assert 0.005 < case.hidden.mean() < 0.2
    centre = [np.argwhere(case.hidden).mean(axis=0) for case in (eyes, mouth)]
    points = face.points[:, ::-1]
    assert np.abs(centre[0] - points[:2].mean(axis=0)).max() < 0.1 * face.size
    assert np.abs(centre[1] - points[2:].mean(axis=0)).max() < 0.15 * face.size


def test_what_the_truth_restores_costs_nothing(restorer, photo):
    face = max(restorer.detector.find(photo), key=lambda each: each.size)
    case = hide(photo, face, RECOGNITION[3], 0)  # sunglasses: the drawn face is found behind them

    class Knowing:
        """Restores whole photos to the truth."""

        model = restorer.model

        def restore(self, photo, mask=None):
            return replace(restorer.restore(photo, mask), photo=case.clean)

    scores = stages(Knowing(), case)
    assert scores["aligned"] == scores["blind"] == 100
    assert 5 < scores["told"] < 60


def test_grain_is_blended_in_at_the_second_stage_and_costs_where_there_is_any(restorer, photo):
    """Noise that is none of the photo's own is an error beside the truth's."""
    noise = np.random.default_rng(0).normal(0, 12, photo.shape)
    grainy = np.clip(photo + noise, 8, 255).astype(np.uint8)
    costs = []
    for each in (photo, grainy):
        face = max(restorer.detector.find(each), key=lambda found: found.size)
        scores = stages(restorer, hide(each, face, RECOGNITION[2], 0))
        costs.append(scores["told"] - scores["blended"])
    assert costs[0] == 0
    assert 0.3 < costs[1] < 3


def test_results_and_their_tables(restorer, photo):
    results = measure(restorer, [photo, photo[:, ::-1].copy()], 2, name="m", data="d")
    assert results["data"]["faces"] == 2
    assert (results["unveil"], results["seed"]) == (__version__, SEED)
    everything = results["all"]
    assert everything["asked"] == everything["found"] == 2
    means = {stage: value["mean"] for stage, value in everything["psnr_hidden"].items()}
    assert list(means) == list(STAGES)
    change = {name: value["mean"] for name, value in everything["change"].items()}
    assert sum(change[name] for name in COSTS) == pytest.approx(change["all"])
    assert change["all"] == pytest.approx(means["blind"] - means["told"])
    first, second = tables(results)
    assert first.rows[-1][1] == f"{everything['found']} of {everything['asked']}"
    assert second.rows[-1][-1].startswith(f"{change['all']:+.2f} (")


def test_a_face_counts_once_whatever_hides_it(restorer, photo, monkeypatch):
    """Three faces, 4 dB apart; the second is missed behind sunglasses, the third behind all."""

    def of(_, case):
        place, kind = case
        if place == 2 or (place, kind.name) == (1, "sunglasses"):
            return None
        return dict.fromkeys(STAGES, 20.0 + 4 * place + (kind.name == "eyes"))

    monkeypatch.setattr(whole_photos, "hide", lambda photo, face, kind, place: (place, kind))
    monkeypatch.setattr(whole_photos, "stages", of)
    results = measure(restorer, [photo] * 3, 3, name="m", data="d")
    kinds, everything = results["kinds"], results["all"]
    assert {name: kind["found"] for name, kind in kinds.items()} == {
        "eyes": 2,
        "nose-mouth": 2,
        "medical-mask": 2,
        "sunglasses": 1,
    }
    assert (everything["asked"], everything["found"]) == (3, 2)
    told, means = everything["psnr_hidden"]["told"], (20 + 1 / 4, 24 + 1 / 3)
    assert told["n"] == 2
    assert told["mean"] == pytest.approx(np.mean(means))
    # Student's t of one degree of freedom, times the standard error of two values: half of their
    # difference.
    half = 12.706205 * (means[1] - means[0]) / 2
    assert told["high"] - told["mean"] == pytest.approx(half, rel=1e-5)


def test_photos_without_a_face_take_no_part_and_one_face_has_no_interval(restorer, photo):
    nobody = np.full((200, 200, 3), 90, np.uint8)
    for photos, found in (([nobody, nobody], "0 of 2"), ([nobody, photo], "1 of 2")):
        with pytest.raises(DataError, match=f"two faces at least, and {found} photos"):
            measure(restorer, photos, 2, name="m", data="d")
