"""Clips, which take longer than a request: handed in, asked about, fetched, forgotten.

A clip lies in a private folder of the system's temporary one while it is restored, the result until
a while after it is fetched, and no longer than the limits say. One clip is restored at a time, in a
thread of its own, so that photos do not wait for clips.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from unveil.cancel import Cancelled, cancellable, checkpoint
from unveil.errors import (
    NoFaceError,
    TargetError,
    TooLargeError,
    UnveilError,
    UsageError,
    VideoError,
)
from unveil.restorer import Restorer
from unveil.server.limits import Limits
from unveil.server.metrics import Metrics
from unveil.server.problems import Problem, bad_option, from_error

log = logging.getLogger("unveil.server")

State = Literal["waiting", "working", "done", "failed"]
# The first bytes of the containers that are taken: where they are, what they are, and the suffix of
# such files; and FFmpeg's names of them, for other kinds of file can begin so, too. It would also
# read play lists, which name other files and addresses.
CONTAINERS = (
    (4, b"ftypqt", ".mov"),
    (4, b"ftyp", ".mp4"),
    (0, b"\x1a\x45\xdf\xa3", ".mkv"),
    (0, b"RIFF", ".avi"),
)
FORMATS = "mov,matroska,avi"
# Clips that are done with and can still be asked about; they take no place.
MOST_PAST = 100


@dataclass
class Clip:
    """A clip that was handed in.

    Attributes:
        number: hard to guess; who knows it may fetch the result.
        folder: private, holds the clip and then the result; gone where it failed.
        suffix: of the clip's file, by its container: where nothing is hidden and the result's is
            the same, so is the file.
        state: how far it is.
        done, total: frames; total is None while it is not known.
        problem: why it failed.
        called_off: set when nobody waits for it any more.
        report: of the result: what `GET /v1/video/{number}` says of it.
    """

    number: str
    folder: tempfile.TemporaryDirectory[str]
    suffix: str
    state: State = "waiting"
    done: int = 0
    total: int | None = None
    problem: Problem | None = None
    report: dict[str, Any] = field(default_factory=dict)
    called_off: threading.Event = field(default_factory=threading.Event)

    @property
    def source(self) -> Path:
        """The clip as it came in."""
        return Path(self.folder.name) / f"in{self.suffix}"

    @property
    def result(self) -> Path:
        """The restored clip."""
        return Path(self.folder.name) / "out.mp4"

    def describe(self) -> dict[str, Any]:
        """What the API says of it."""
        told: dict[str, Any] = {"id": self.number, "state": self.state, "done": self.done}
        if self.total is not None:
            told["total"] = self.total
        if self.problem is not None:
            told["problem"] = self.problem.body()
        return told | self.report


class Clips:
    """The clips of a server, by their numbers; used from its event loop only.

    Attributes:
        limits, metrics: of the server.
        held: those that wait, are restored, or are done and not yet fetched.
        past: those that failed or were fetched, the oldest first.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits = limits
        self.metrics = metrics
        self.held: dict[str, Clip] = {}
        self.past: dict[str, Clip] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="clip")

    @property
    def taken(self) -> bool:
        """Whether this server takes any: its limits allow it, and the extra is installed."""
        return self.limits.clips > 0 and find_spec("av") is not None

    def hand_in(self, data: bytes, restorer: Callable[[], Restorer]) -> Clip:
        """Take a clip, to be restored when it is its turn.

        Args:
            data: the file.
            restorer: called in the clips' thread.

        Raises:
            Problem: busy, where as many are held as the limits allow; no-clips, where none are;
                not-a-clip, where the first bytes already say so.
        """
        if not self.taken:
            raise Problem("no-clips", "this server takes no clips")
        for failed in [clip for clip in self.held.values() if clip.state == "failed"]:
            self._pass(failed)
        if len(self.held) >= self.limits.clips:
            wait = str(max(1, round(min(self.limits.keep_seconds, 120))))
            raise Problem("busy", f"{len(self.held)} clips are held already", {"Retry-After": wait})
        kinds = (kind for at, magic, kind in CONTAINERS if data[at : at + len(magic)] == magic)
        suffix = next(kinds, None)
        if suffix is None:
            raise Problem("not-a-clip", "this is not an MP4, MOV, Matroska, WebM or AVI file")
        folder = tempfile.TemporaryDirectory(prefix="unveil-", ignore_cleanup_errors=True)
        clip = Clip(secrets.token_urlsafe(18), folder, suffix)
        try:
            clip.source.write_bytes(data)
        except OSError:
            clip.folder.cleanup()
            raise
        self.held[clip.number] = clip
        loop = asyncio.get_running_loop()

        def ended() -> None:
            self.metrics.faces.inc(clip.report.get("faces", 0))
            with suppress(RuntimeError):  # the loop is closed: all is forgotten anyway
                loop.call_soon_threadsafe(
                    loop.call_later, self.limits.keep_seconds, self.forget, clip.number
                )

        future = self._pool.submit(_restore, clip, restorer, self.limits)
        future.add_done_callback(lambda _: ended())
        return clip

    def find(self, number: str) -> Clip:
        """The clip of this number.

        Raises:
            Problem: not-found.
        """
        clip = self.held.get(number) or self.past.get(number)
        if clip is None:
            raise Problem("not-found", "there is no such clip, or it was fetched or is too old")
        return clip

    def sent(self, clip: Clip) -> None:
        """The result was sent to its end.

        That it arrived, nobody can know: a connection may break with the last bytes under way. So
        it can be fetched again for a while, but makes place at once.
        """
        if clip.number in self.held:
            self._pass(clip)
            loop = asyncio.get_running_loop()
            loop.call_later(self.limits.again_seconds, self.forget, clip.number)

    def _pass(self, clip: Clip) -> None:
        self.past[clip.number] = self.held.pop(clip.number)
        for number in list(self.past)[:-MOST_PAST]:
            self.forget(number)

    def forget(self, number: str) -> None:
        """Stop what is done for this clip and remove its files; nothing, if there is none."""
        clip = self.held.pop(number, None) or self.past.pop(number, None)
        if clip is None:
            return
        clip.called_off.set()
        if clip.state != "working":  # else its thread does it
            clip.folder.cleanup()

    def close(self) -> None:
        """Stop everything and remove all files."""
        for number in [*self.held, *self.past]:
            self.forget(number)
        self._pool.shutdown(wait=True)


def _restore(clip: Clip, restorer: Callable[[], Restorer], limits: Limits) -> None:
    """One clip's work, in the clips' thread."""
    if clip.called_off.is_set():
        return
    clip.state = "working"
    try:
        with cancellable(clip.called_off):
            clip.report = _run(clip, restorer, limits)
    except Cancelled:
        pass  # nobody is there to be told
    except Problem as problem:
        clip.problem = problem.again()
    except TooLargeError as error:
        clip.problem = Problem("too-large", str(error))
    except TargetError as error:  # our disk is full: the clip cannot help it
        log.error("%s", error)
        clip.problem = Problem("internal", "this clip could not be done; the log says why")
    except (VideoError, NoFaceError) as error:
        name = "no-face" if isinstance(error, NoFaceError) else "not-a-clip"
        words = str(error).replace(clip.folder.name, "")  # nobody needs to see our paths
        clip.problem = Problem(name, words)
    except UsageError as error:
        clip.problem = bad_option({"clip": str(error)})  # it holds what an MP4 cannot
    except UnveilError as error:
        log.error("%s", error)
        clip.problem = from_error(error)
    except Exception:
        log.exception("a clip failed")
        clip.problem = Problem("internal", "this clip could not be done; the log says why")
    clip.source.unlink(missing_ok=True)
    if clip.problem is not None:
        clip.folder.cleanup()
    # Only now, for whoever reads it may count on the files.
    clip.state = "done" if clip.problem is None else "failed"
    if clip.called_off.is_set():
        clip.folder.cleanup()


def _run(clip: Clip, restorer: Callable[[], Restorer], limits: Limits) -> dict[str, Any]:
    """Restore a clip from file to file; what is to be said of the result."""
    # FFmpeg is loaded with the first clip, or not at all.
    from unveil.video.clip import restore_clip
    from unveil.video.encoding import Encoding
    from unveil.video.reader import VideoReader

    max_pixels = round(limits.clip_megapixels * 1e6)
    # Of these formats, the clip is of none other however often it is opened.
    with VideoReader(clip.source, max_pixels, FORMATS) as reader:
        info = reader.info
    too_long = f"the clip has over {limits.clip_frames} frames"
    if info.frames and info.frames > limits.clip_frames:
        raise Problem("too-large", too_long)
    end = time.monotonic() + limits.clip_seconds

    def tell(done: int, total: int | None) -> None:
        clip.done, clip.total = done, total
        checkpoint()
        if done > limits.clip_frames:
            raise Problem("too-large", too_long)
        if time.monotonic() > end:
            raise Problem("too-slow", f"the clip took over {limits.clip_seconds:g} s")

    made = restorer()
    # HEVC, a clip's own, is shown by few browsers, and H.264 of more than 8 bits by none.
    encoding = Encoding("h264", plain=True)
    report = restore_clip(
        clip.source,
        clip.result,
        made,
        encoding=encoding,
        tell=tell,
        faces=limits.faces,
        max_pixels=max_pixels,
    )
    clip.total = clip.done
    return {
        "model": made.model.weights.fingerprint,
        "faces": report.faces,
        "invented": round(report.invented, 6),
        "damaged": report.damaged,
        "left_out": list(report.left_out),
        **({} if report.cut_off is None else {"cut_off": round(report.cut_off, 3)}),
    }
