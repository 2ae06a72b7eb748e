"""The tables of clips say what was measured."""

from unveil.evaluation.clips import tables


def scores(psnr, flicker, own):
    return {"psnr_hidden": psnr, "flicker": flicker, "flicker_own": own}


RATIOS = {
    "flicker_to_clean": 1.25,
    "flicker_to_frame_by_frame": 0.4,
    "flicker_own_to_clean": 0.75,
    "flicker_own_to_frame_by_frame": 0.3,
}
RESULTS = {
    "frames": 48,
    "rows": [
        {
            "clip": "head_a1.mp4",
            "occlusion": "passing hand",
            "clean": {"flicker": 1.6},
            "still face": scores(31.5, 3.5, 0.5),
            "methods": {
                "video": scores(30.0, 2.0, 1.2) | RATIOS,
                "video, no memory": scores(26.5, 3.0, 2.0),
                "video, live": scores(30.0, 2.0, 1.2),
                "video, mask found": scores(24.5, 4.0, 2.5),
                "frame by frame": scores(25.0, 5.0, 4.0),
            },
        }
    ],
}


def test_quality():
    (table,) = tables(RESULTS)
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells["clip"] == "a1"
    assert cells["true face, held still"] == "31.50 / 3.50 / 0.50"
    assert cells["frame by frame"] == "25.00 / 5.00 / 4.00"
    assert cells["mask found"] == "24.50 / 4.00 / 2.50"
    assert cells["flicker to the clean clip's"] == "1.25 / 0.75"
    assert cells["to frame by frame's"] == "0.40 / 0.30"
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
        ("memory", "2,000", "80", "1.50", "18.7", "502 after a tenth, 520 at most"),
    )
