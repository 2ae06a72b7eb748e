from dataclasses import asdict

import numpy as np
from drawn import draw_face

from unveil.evaluation.intervals import estimate
from unveil.evaluation.segmentation import FILES, NOTHING, kinds, lead, measure, tables
from unveil.files import encode
from unveil.occlusion.objects.files import FileOccluders
from unveil.occlusion.seeded import Seeded

N = 3 * (len(kinds()) - 1)  # of two a thin stray hair may hide nothing
FACES = np.stack([draw_face(i) for i in range(N)])


def test_a_segmenter_that_knows_the_truth_is_perfect_and_a_blind_one_is_not():
    clean = {face.tobytes() for face in FACES}

    few = FACES[:, ::8, ::8].astype(int)  # enough to tell faces apart

    def cheat(photo):
        nearest = np.abs(few - photo[::8, ::8]).sum((1, 2, 3)).argmin()
        changed = np.abs(FACES[nearest].astype(int) - photo).max(axis=2) > 12
        return changed.astype(np.float32)

    def blind(photo):
        return np.ones(photo.shape[:2], np.float32)

    seen = measure(cheat, FACES, None, name="cheat", data="drawn")
    unseen = measure(blind, FACES, None, name="blind", data="drawn")
    assert seen["false_positive"][NOTHING]["mean"] == 0
    assert unseen["false_positive"][NOTHING]["mean"] == 1
    assert seen["iou"]["black rectangles"]["mean"] > 0.95
    assert 0.1 < unseen["iou"]["black rectangles"]["mean"] < 0.3  # its own coverage
    assert seen["iou"]["all"]["mean"] > unseen["iou"]["all"]["mean"] + 0.2
    assert set(seen["iou"]) | set(seen["false_positive"]) == {*kinds(), "all"}
    assert f"| all | {seen['iou']['all']['mean']:.3f} (" in tables(seen)[0].markdown()
    assert len(clean) == N


def test_people_are_the_units_where_they_are_known():
    def find(photo):
        return (photo.mean(axis=2) < 60).astype(np.float32)

    kinds_of = len(kinds()) - 1
    shares = [float(find(face).mean()) for face in FACES]
    # The two faces of each kind are one person's, but for the first kind.
    people = np.arange(N) % kinds_of
    people[kinds_of] = N
    found = measure(find, FACES, None, name="dark", data="drawn", people=people)
    assert found["false_positive"] == {NOTHING: asdict(estimate(shares, people))}
    assert found["data"]["people"] == kinds_of + 1
    assert set(found["iou"]) == {"all", next(iter(kinds()))}
    assert "people as the units" in found["interval"]
    assert lead(found).startswith(f"{N} faces of {kinds_of + 1} people (drawn)")


def test_files_are_tried_on_every_face_and_told_apart_by_what_they_are(tmp_path):
    for name, colour in (("cloth_mask", 200), ("party_hat", 90), ("clear_glasses", 10)):
        rgba = np.full((64, 64, 4), colour, np.uint8)
        rgba[..., 3] = 255
        rgba[:8, :, 3] = 0
        if "clear" in name:
            rgba[16:56, 8:56, 3] = 0  # the lenses
        (tmp_path / f"{name}.png").write_bytes(encode(rgba, "PNG"))
    files = FileOccluders.load(tmp_path)

    def blind(photo):
        return np.ones(photo.shape[:2], np.float32)

    without, found = (measure(blind, FACES, f, name="b", data="drawn") for f in (None, files))
    n = {kind: value["n"] for kind, value in found["iou"].items() if kind.startswith(FILES)}
    assert set(n) == {FILES, f"{FILES}: mask", f"{FILES}: hat"}
    assert n[FILES] == n[f"{FILES}: mask"] + n[f"{FILES}: hat"]
    # What hides nothing is found by mistake, and has no overlap.
    assert n[FILES] + found["false_positive"][FILES]["n"] == N
    assert found["iou"]["all"] == without["iou"]["all"]


def test_clear_glasses_hide_nothing_and_the_same_place_is_hidden_the_same():
    table = kinds()
    photo, alpha = table["clear glasses"](FACES[0], Seeded(1))
    assert alpha.max() == 0
    assert (photo != FACES[0]).any()
    first, second = (table["medical mask"](FACES[0], Seeded(7))[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_intervals_are_shown_within_what_a_share_can_be():
    """Two overlaps of 1 and 0.9: Student's interval reaches from 0.315 to 1.585."""
    results = {
        "iou": {"blob": asdict(estimate([1.0, 0.9]))},
        "false_positive": {"clear glasses": asdict(estimate([0.0, 0.01]))},
    }
    found, alarms = tables(results)
    assert found.rows == (("blob", "0.950 (0.315 to 1.000)"),)
    assert alarms.rows == (("clear glasses", "0.50 (0.00 to 6.85)"),)
