import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from scipy.stats import ttest_ind
from skimage.color import lab2rgb

from unveil import __version__
from unveil.data.faces import FaceSet
from unveil.evaluation import groups
from unveil.evaluation.candidates import specify
from unveil.evaluation.groups import Attribute, attributes, by_group
from unveil.evaluation.intervals import estimate, quantile
from unveil.evaluation.protocols import PROTOCOLS, SEED
from unveil.evaluation.report import markdown
from unveil.evaluation.scores import SCORES
from unveil.evaluation.skin_tone import NO_COLOUR
from unveil.models.faceres import Seen

SETS = PROTOCOLS["paper"][:1]
LAB = {
    "light": (70, 12, 20),
    "intermediate": (65, 14, 20),
    "tan": (57, 14, 20),
    "dark": (30, 10, 12),
}
WHO = ["light"] * 40 + ["tan"] * 3 + ["dark"] + ["intermediate"] * 31


def plain(group: str) -> np.ndarray:
    colour = np.rint(lab2rgb(np.array([[LAB[group]]], float)) * 255).astype(np.uint8)
    return np.broadcast_to(colour, (256, 256, 3))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    faces = FaceSet(tuple(map(str, range(75))), np.stack([plain(group) for group in WHO]))
    scores = {name: np.linspace(0, 1, 75).tolist() for name in SCORES}
    scores["psnr_hidden"] = [20.0 + i % 2 for i in range(40)] + [15.0, 16.0, 17.0, 1.0]
    scores["psnr_hidden"] += [10.0 + i % 3 for i in range(31)]
    scores["mask_iou"] = [None] * 75
    spec = specify("telea")
    columns = {(SETS[0].name, spec.label): scores}

    def stand_in(shown, path):
        """Every other one is a woman, each a year older than the one before."""
        count = len(shown)
        male = torch.tensor([0.9, 0.1]).repeat(count)[:count]
        return Seen(torch.zeros(count, 1), male, torch.arange(count) + 0.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "see", stand_in)
        parted = attributes(faces, tmp_path_factory.mktemp("none") / "faceres.json")
    return by_group(columns, [spec], SETS, parted, data="drawn", sha256="none")


def test_every_face_is_in_one_group_and_the_score_is_its_groups(results):
    tones = results["attributes"]["skin tone"]
    assert tones["faces"] == {
        **dict.fromkeys(tones["faces"], 0),
        "light": 40,
        "intermediate": 31,
        "tan": 3,
        "dark": 1,
    }
    of_model = results["attributes"]["skin tone"]["sets"]["rectangle-10-15"]["models"]["telea"]
    assert set(of_model) == {"light", "intermediate", "tan"}  # one face has no interval
    assert of_model["light"]["psnr_hidden"]["mean"] == 20.5
    assert of_model["tan"]["psnr_hidden"]["mean"] == 16
    assert "mask_iou" not in of_model["tan"]
    assert "coverage" not in of_model["tan"]
    json.dumps(results, allow_nan=False)


def test_results_say_what_they_are_of(results):
    assert (results["unveil"], results["seed"]) == (__version__, SEED)
    assert results["data"] == {"name": "drawn", "faces": 75, "sha256": "none"}
    assert results["masks_sha256"] == {"rectangle-10-15": SETS[0].sha256(range(75))}


def test_sex_and_age_are_those_that_the_network_guesses(results):
    sexes, ages = (results["attributes"][name] for name in ("sex", "age"))
    assert sexes["faces"] == {"female": 37, "male": 38}
    assert ages["faces"] == {"under 30": 30, "30 to 44": 15, "45 and over": 30}
    of_model = sexes["sets"]["rectangle-10-15"]["models"]["telea"]
    hidden = [20.0, 21.0] * 20 + [15.0, 16.0, 17.0, 1.0] + [10.0 + i % 3 for i in range(31)]
    assert of_model["female"]["psnr_hidden"]["mean"] == pytest.approx(np.mean(hidden[1::2]))
    assert of_model["male"]["psnr_hidden"]["mean"] == pytest.approx(np.mean(hidden[::2]))
    assert "guessed by HSE-FaceRes" in sexes["how"]


def test_without_that_network_there_is_skin_tone_alone():
    faces = FaceSet(("a", "b"), np.stack([plain("light")] * 2))
    assert [each.name for each in attributes(faces, None)] == ["skin tone"]


def test_differences_are_from_the_largest_group_with_welchs_interval(results):
    of_model = results["attributes"]["skin tone"]["sets"]["rectangle-10-15"]["models"]["telea"]
    off = of_model["tan"]["difference"]["psnr_hidden"]
    welch = ttest_ind([15.0, 16.0, 17.0], [20.0, 21.0] * 20, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert off["mean"] == pytest.approx(-4.5)
    assert (off["low"], off["high"]) == pytest.approx((low, high))
    own = of_model["light"]["difference"]["psnr_hidden"]
    assert (own["low"], own["mean"], own["high"]) == (0, 0, 0)


def parted(names, values, people=None):
    """Results of one score of faces in groups of these names, on people."""
    scores = dict.fromkeys(SCORES, [0.0] * len(names)) | {"psnr_hidden": list(values)}
    spec = specify("telea")
    attribute = Attribute("kind", "drawn", ("a", "b", "c"), np.array(list(names)))
    results = by_group(
        {(SETS[0].name, spec.label): scores},
        [spec],
        SETS,
        [attribute],
        data="x",
        sha256="",
        people=people,
    )
    json.dumps(results, allow_nan=False)
    return results


def of_groups(results):
    return results["attributes"]["kind"]["sets"]["rectangle-10-15"]["models"]["telea"]


def half(interval):
    return (interval["high"] - interval["low"]) / 2


def test_people_with_one_face_each_are_as_faces():
    values = np.random.default_rng(0).normal(20, 3, 30)
    names = "a" * 15 + "b" * 10 + "c" * 5
    plain, known = (parted(names, values, people) for people in (None, np.arange(30)))
    assert of_groups(known) == of_groups(plain)
    assert known["attributes"]["kind"]["people"] == known["attributes"]["kind"]["faces"]
    assert "people" not in plain["attributes"]["kind"]
    assert ("people" in plain["data"], known["data"]["people"]) == (False, 30)


def test_differences_have_people_as_their_units():
    """Groups that share nobody, by hand: deviations' sums of 3, 1 and -4 in a, of 2 and -2 in b."""
    people = np.array([0, 0, 1, 2, 3, 4])
    found = of_groups(parted("aaaabb", [11.0, 12.0, 11.0, 6.0, 21.0, 17.0], people))
    assert found["a"]["psnr_hidden"] == asdict(estimate([11.0, 12.0, 11.0, 6.0], people[:4]))
    squares = np.array([3 / 2 * (9 + 1 + 16) / 4**2, 2 / 1 * (4 + 4) / 2**2])
    degrees = squares.sum() ** 2 / (squares[0] ** 2 / 2 + squares[1] ** 2 / 1)
    off = found["b"]["difference"]["psnr_hidden"]
    assert off["mean"] == 9
    assert half(off) == pytest.approx(quantile(degrees) * np.sqrt(squares.sum()))


def test_somebody_in_two_groups_counts_once():
    """As of redrawn people: who is hard to restore is so in both groups."""
    rng = np.random.default_rng(1)
    people = np.repeat(np.arange(300), 4)
    names = rng.choice(["a", "b"], 1200, p=[0.6, 0.4])
    values = rng.normal(20, 3, 300)[people] + rng.normal(0, 1, 1200)
    found = of_groups(parted(names, values, people))
    differences = []
    for _ in range(2000):
        count = np.bincount(rng.integers(0, 300, 300), minlength=300)[people]
        means = [np.average(values[names == n], weights=count[names == n]) for n in "ba"]
        differences.append(means[0] - means[1])
    off = found["b"]["difference"]["psnr_hidden"]
    assert half(off) == pytest.approx(1.96 * np.std(differences), rel=0.06)
    apart = np.hypot(half(found["a"]["psnr_hidden"]), half(found["b"]["psnr_hidden"]))
    assert half(off) < 0.8 * apart  # what it would be if the groups shared nobody


def test_a_group_of_one_person_is_told_by_its_number_alone():
    results = parted("aaaabbbcc", range(9), np.array([0, 0, 0, 0, 1, 2, 3, 4, 5]))
    kind = results["attributes"]["kind"]
    assert kind["faces"] == {"a": 4, "b": 3, "c": 2}
    assert kind["people"] == {"a": 1, "b": 3, "c": 2}
    assert set(of_groups(results)) == {"b", "c"}
    assert kind["largest"] == "b"


def test_table(results):
    lines = markdown(results).splitlines()
    (light,) = (line for line in lines if line.startswith("| light"))
    (tan,) = (line for line in lines if line.startswith("| tan"))
    assert light.startswith("| light (over 41°) | 40 |")
    assert "| 20.50 |" in light
    assert tan.startswith("| tan (over 10°) | 3 (few) |")
    assert "| 16.00 (-4.50; " in tan
    assert {line.count("|") for line in lines if line.startswith("|")} == {7}
    # Tan is worse, too, but of three faces.
    assert "Worse by more than its interval: intermediate (PSNR, hidden part" in markdown(results)
    # Of light, intermediate, tan (3) and dark (1), intermediate alone is compared with light.
    assert "One difference in forty is so by chance: of the 4 here, 0.1 on average." in markdown(
        results
    )
    assert "No face at all: very light, brown" in lines[0]


def test_faces_without_colour_have_no_angles():
    grey = np.full((256, 256, 3), 120, np.uint8)
    faces = FaceSet(tuple("abc"), np.stack([grey] * 3))
    spec = specify("telea")
    columns = {(SETS[0].name, spec.label): {name: [1.0, 2.0, 4.0] for name in SCORES}}
    found = by_group(columns, [spec], SETS, attributes(faces, None), data="drawn", sha256="none")
    assert found["attributes"]["skin tone"]["faces"][NO_COLOUR] == 3
    assert "°" not in groups.lead(found)
    assert f"| {NO_COLOUR} | 3 (few) |" in markdown(found)
