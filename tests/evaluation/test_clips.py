"""The tables of clips say what was measured."""

from unveil.evaluation.clips import tables

SCORES = {"psnr_hidden": 30.0, "flicker": 2.0}
RESULTS = {
    "frames": 48,
    "rows": [
        {
            "clip": "head_a1.mp4",
            "occlusion": "passing hand",
            "clean": {"flicker": 1.6},
            "still face": {"psnr_hidden": 31.5, "flicker": 3.5},
            "methods": {
                "video": SCORES | {"flicker_to_clean": 1.25, "flicker_to_frame_by_frame": 0.4},
                "video, no memory": {"psnr_hidden": 26.5, "flicker": 3.0},
                "video, live": SCORES,
                "video, mask found": {"psnr_hidden": 24.5, "flicker": 4.0},
                "frame by frame": {"psnr_hidden": 25.0, "flicker": 5.0},
            },
        }
    ],
}


def test_quality():
    (table,) = tables(RESULTS)
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells["clip"] == "a1"
    assert cells["true face, held still"] == "31.50 / 3.50"
    assert cells["frame by frame"] == "25.00 / 5.00"
    assert cells["mask found"] == "24.50 / 4.00"
    assert cells["flicker to the clean clip's"] == "1.25"
    assert cells["memory gains, dB"] == "+3.50"


def test_parts_of_different_weights_are_told():
    stamps = {part: {"model": part, "sha256": {"face": part}, "date": "d"} for part in ("a", "b")}
    (table,) = tables(RESULTS | {"parts": stamps})
    assert table.note.endswith("Not all parts are of the same weights (a: a, d; b: b, d).")


def test_memory_is_told_from_a_tenth_to_the_end():
    measured = {
        "frames": 2000,
        "cpu_ms_per_frame": 80.1,
        "cores_used": 1.5,
        "frames_per_second": 18.72,
        "resident_mb_after_frames": [(100 * i, 500 + i) for i in range(1, 21)],
    }
    table = tables(RESULTS | {"memory": measured})[1]
    assert table.rows == (
        ("memory", "2,000", "80", "1.50", "18.7", "503 after a tenth, 520 at the end"),
    )
