"""unveil video"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unveil.cli.options import (
    OUT,
    Detail,
    Faces,
    MinFace,
    Model,
    check_place,
    count_of_faces,
    some_path,
)
from unveil.errors import NoFaceError, UnveilError, UsageError
from unveil.runtime.weights import DEFAULT_MODEL
from unveil.video.steadiness import LOOK_AHEAD, MOST_AHEAD, Steadiness

if TYPE_CHECKING:
    from unveil.video.clip import ClipReport

WORTH_TELLING = 0.01  # of a mask; its rim may well be outside


def video(
    clip: Annotated[
        Path, typer.Argument(metavar="IN", help="A clip.", show_default=False, parser=some_path)
    ],
    output: Annotated[
        Path,
        typer.Option(
            *OUT, help="The new clip: .mp4, .m4v, .mov, .mkv, .webm, .avi or .ts.", parser=some_path
        ),
    ],
    mask: Annotated[
        Path | None,
        typer.Option(
            help="What is hidden, white: an image for all frames, or a clip with one for each. "
            "Default: found by the model.",
            parser=some_path,
        ),
    ] = None,
    model: Model = DEFAULT_MODEL,
    detail: Detail = None,
    faces: Faces = "all",
    live: Annotated[
        bool, typer.Option("--live", help="Use only the frames before, as for a camera.")
    ] = False,
    look_ahead: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MOST_AHEAD,
            metavar="N",
            help=f"Frames to look ahead for what is hidden now, to {MOST_AHEAD}; default: "
            f"{LOOK_AHEAD}.",
        ),
    ] = None,
    no_memory: Annotated[
        bool,
        typer.Option("--no-memory", help="Invent all that is hidden, also what other frames show."),
    ] = False,
    quality: Annotated[
        int,
        typer.Option(
            metavar="CRF",
            help="0 (lossless, where the codec has the clip's colours) to 51; 6 less is twice the "
            "size.",
        ),
    ] = 18,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="h264|hevc|vp9|ffv1",
            help="Default: the clip's own, if it is h264 or hevc; else h264, of more than 8 bits "
            "hevc; in .webm vp9.",
        ),
    ] = None,
    min_face: MinFace = None,
    invented: Annotated[
        Path | None,
        typer.Option(
            help="Also write a clip of what is invented, white; fit for --mask.", parser=some_path
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON of what became of the clip.")
    ] = False,
    drop_ai_disclosure: Annotated[
        bool,
        typer.Option("--drop-ai-disclosure", help="Leave out of the file that parts are invented."),
    ] = False,
) -> None:
    """Restore the hidden part of faces in a clip. It is invented: not for identification.

    Size, frame times and sound stay as they are, and subtitles where the new file can hold them.
    Exit status 1 if the clip cannot be read to its end or shows no face; what there is of a clip
    that is cut off is written.
    """
    import cv2

    from unveil.restorer import Restorer
    from unveil.runtime.weights import DEFAULT_DETAIL
    from unveil.video.clip import THREADS, restore_clip
    from unveil.video.containers import container_of
    from unveil.video.encoding import Encoding

    for option, target in (("-o", output), ("--invented", invented)):
        if target is not None:
            container_of(target)
            check_place(target, option)
    encoding = Encoding(codec, quality)
    if live and look_ahead is not None:
        raise UsageError("--look-ahead is not for --live, which uses only the frames before")
    steadiness = Steadiness(live, not no_memory, LOOK_AHEAD if look_ahead is None else look_ahead)
    count = count_of_faces(faces)
    cv2.setNumThreads(THREADS)
    restorer = Restorer(model, 0, min_face)
    if detail is not None and not restorer.model.weights.has("prior"):
        raise UsageError(f"--detail: model {model} has no prior to add detail to")
    try:
        with _bar() as tell:
            report = restore_clip(
                clip,
                output,
                restorer,
                mask=mask,
                steadiness=steadiness,
                encoding=encoding,
                disclose=not drop_ai_disclosure,
                tell=tell,
                invented=invented,
                faces=count,
                detail=DEFAULT_DETAIL if detail is None else detail,
            )
    except UsageError:
        raise
    except NoFaceError as error:
        raise NoFaceError(f"{clip}: {error}: --min-face finds smaller ones") from None
    except UnveilError as error:
        text = str(error)
        named = any(str(path) in text for path in (clip, output, invented) if path)
        raise type(error)(text if named else f"{clip}: {text}") from None
    for note in _notes(report, mask is not None):
        print(f"unveil: {clip}: {note}", file=sys.stderr)
    if as_json:
        print(_to_json(clip, output, restorer.model.weights.fingerprint, report))
    raise typer.Exit(1 if report.damaged or report.cut_off is not None else 0)


def _notes(report: ClipReport, masked: bool) -> Iterator[str]:
    """What a user should hear of a clip beside its file; `masked`: it came with a mask."""
    from unveil.video.containers import holders

    if masked and report.outside is None:
        yield "the mask hides nothing: white is what is hidden; left as it is"
    elif not report.invented:
        yield "nothing is hidden, left as it is"
    if report.outside is not None and report.outside >= WORTH_TELLING:
        lies = f"{report.outside:.0%} of the mask lies"
        yield f"{lies} in none of the faces restored: left as it is"
    if report.damaged:
        one, n = report.damaged == 1, report.damaged
        pieces = "1 frame or packet of sound is" if one else f"{n} frames or packets of sound are"
        yield f"damaged: {pieces} missing or broken"
        if masked:
            yield "masks are taken one by one: behind the damage they may lie a frame off"
    if report.left_out:
        able = holders(*report.left_out)
        advice = f": {able} can hold them" if able else ""
        yield f"its subtitles ({', '.join(report.left_out)}) are left out{advice}"
    if report.squeezed:
        yield "its pixels are not square, which the new file cannot say: .mp4 can"
    if report.cut_off is not None:
        yield f"cut off after {report.cut_off:.1f} s: {report.frames} frames are written"


def _to_json(clip: Path, output: Path, model: str, report: ClipReport) -> str:
    outside = None if report.outside is None else round(report.outside, 6)
    told = asdict(report) | {"invented": round(report.invented, 6), "outside": outside}
    return json.dumps({"input": str(clip), "output": str(output), "model": model, **told})


@contextmanager
def _bar() -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar with frames a second and time left, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    from unveil.progress import bar

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.1f} frames/s")

    columns = (
        TextColumn("restoring"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with bar(*columns) as progress:
        task = progress.add_task("restoring", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
