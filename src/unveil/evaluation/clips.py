"""The tables of what becomes of clips: results of `benchmarks/video.py`."""

from __future__ import annotations

from unveil.evaluation.document import Table
from unveil.evaluation.parts import mixed
from unveil.evaluation.tables import Results

# The columns of the first table, and the methods of the results in each.
METHODS = {
    "frame by frame": "frame by frame",
    "video": "video",
    "without memory": "video, no memory",
    "live": "video, live",
    "mask found": "video, mask found",
}


def tables(results: Results) -> list[Table]:
    """PSNR and flicker of each clip and occlusion; speed and memory; what of it was measured."""
    made = [_quality(results)] if "rows" in results else []
    if "speed" in results or "memory" in results:
        made.append(_cost(results))
    return made


def _quality(results: Results) -> Table:
    rows = []
    for row in results["rows"]:
        scores = row["methods"]
        ours = scores["video"]
        rows.append(
            (
                row["clip"].split("_")[-1].split(".")[0],
                row["occlusion"],
                f"{row['clean']['flicker']:.2f}",
                *(
                    f"{each['psnr_hidden']:.2f} / {each['flicker']:.2f} / {each['flicker_own']:.2f}"
                    for each in (row["still face"], *(scores[name] for name in METHODS.values()))
                ),
                f"{ours['flicker_to_clean']:.2f} / {ours['flicker_own_to_clean']:.2f}",
                f"{ours['flicker_to_frame_by_frame']:.2f} / "
                f"{ours['flicker_own_to_frame_by_frame']:.2f}",
                f"{ours['psnr_hidden'] - scores['video, no memory']['psnr_hidden']:+.2f}",
            )
        )
    header = (
        "clip",
        "occluder",
        "clean: flicker",
        "true face, held still",
        *METHODS,
        "flicker to the clean clip's",
        "to frame by frame's",
        "memory gains, dB",
    )
    note = (
        "PSNR of the hidden part in dB / flicker in grey levels by the clean clip's motion, which "
        "shaking and lips that nobody sees raise, too / flicker by the restored clip's own motion, "
        f"which is what blinks and boils; {results['frames']} frames of each of two talking heads, "
        "drawn occluders, their masks given to all methods but the one that finds them: frames in "
        "which it finds none, as before a hand is well in the face, count as they are. The true "
        "face held still is the first frame's, moved on by the plane that is nearest to the clean "
        "clip's motion: a talking mouth moves by none. The last three columns "
        "are of `video`. A few seconds of two people are no proof."
        f"{mixed(results)}"
    )
    return Table("", header, tuple(rows), note)


def _cost(results: Results) -> Table:
    header = ("", "frames", "ms of processor time a frame", "cores it got", "frames/s", "MB")
    rows = []
    for name in ("speed", "memory"):
        if name not in results:
            continue
        one = results[name]
        after = one["resident_mb_after_frames"]
        tenth = next(held for done, held in after if 10 * done >= one["frames"])
        most = max(held for _, held in after)  # at its end a run lets go of all it held
        rows.append(
            (
                name,
                f"{one['frames']:,}",
                f"{one['cpu_ms_per_frame']:.0f}",
                f"{one['cores_used']:.2f}",
                f"{one['frames_per_second']:.1f}",
                f"{tenth:.0f} after a tenth, {most:.0f} at most",
            )
        )
    note = (
        "From file to file at 640x480, the occluder found by the model. Frames a second are those "
        "of the cores that the run got beside other work."
    )
    return Table("", header, tuple(rows), note)
