import numpy as np
import pytest

from unveil import __version__
from unveil.evaluation.protocols import PROTOCOLS, SEED
from unveil.evaluation.reliability import measure, plot, tables
from unveil.files import read_image
from unveil.models.prior_fit import calibrate, fit

MASKS = PROTOCOLS["paper"][1]


def gaussian_faces(n: int) -> np.ndarray:
    """Faces for which the prior's model is true: smooth patterns of random amounts, and noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:256, 0:256] / 256
    waves = [np.cos(a * x + b * y + a * b) for a in range(1, 6) for b in range(1, 5)]
    basis = np.stack(waves)[..., None] * rng.uniform(-1, 1, (20, 1, 1, 3))
    amounts = rng.normal(0, 1, (n, 20)) * np.geomspace(25, 4, 20)
    faces = 127 + np.tensordot(amounts, basis, 1)
    return np.clip(faces + rng.normal(0, 6, faces.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def results():
    """Some faces fit the prior, some calibrate it, the rest is measured."""
    faces = gaussian_faces(170)
    prior = fit(faces[:90], 32, 16, 12)
    masks = [MASKS.mask(500 + i) for i in range(40)]
    raw = measure(prior, prior.fill, faces[130:], MASKS, name="raw", data="drawn")
    prior = calibrate(prior, faces[90:130], masks, prior.fill)
    return raw, measure(prior, prior.fill, faces[130:], MASKS, name="prior", data="drawn")


def test_calibration_brings_the_stated_error_to_the_measured_one(results):
    raw, calibrated = results
    assert calibrated["all"]["stated"] == pytest.approx(calibrated["all"]["measured"], rel=0.1)
    off = [abs(np.log(r["all"]["measured"] / r["all"]["stated"])) for r in (raw, calibrated)]
    assert off[1] < off[0]


def test_results_say_what_they_are_of(results):
    assert (results[1]["unveil"], results[1]["seed"]) == (__version__, SEED)


def test_what_is_stated_as_worse_is_worse(results):
    rows = results[1]["bins"]
    stated = [row["stated"] for row in rows]
    assert stated == sorted(stated)
    assert np.mean([r["measured"] for r in rows[5:]]) > np.mean([r["measured"] for r in rows[:5]])
    assert all(0 <= row["confidence"] <= 1 for row in rows)


def test_plot_and_table(results, tmp_path):
    plot(results[1], tmp_path / "plot.png")
    assert min(read_image(tmp_path / "plot.png").photo.shape[:2]) > 300
    first = results[1]["bins"][0]
    assert (
        f"| {first['stated']:.1f} | {first['measured']:.1f} |" in tables(results[1])[0].markdown()
    )
