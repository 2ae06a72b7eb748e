"""What one server takes on: sizes, faces, seconds, and how much at once."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from typing import TypeVar

from PIL import Image

from unveil.errors import UsageError
from unveil.files import MAX_PIXELS
from unveil.opening import opened
from unveil.server.problems import Problem

T = TypeVar("T")
# A refused upload is read to its end, so that the caller hears why instead of a broken
# connection; but only so much of it, and only so long.
DRAIN_SECONDS = 3.0
DRAIN_TIMES = 4
# Three samples of a photo of 25 megapixels are within the usual limit.
ANSWER_TIMES = 2.5
# Of any limit; as good as none, and still a number to count with.
HIGHEST = 1_000_000_000
# Larger photos are read by nobody here.
MOST_MEGAPIXELS = MAX_PIXELS // 1_000_000


@dataclass(frozen=True)
class Limits:
    """The bounds of a server; past each of them a request is refused with a problem.

    Attributes:
        megabytes: of a request's body.
        megapixels: of a photo or mask, known before it is decoded.
        faces: restored in one photo or clip, the largest ones; a clip takes 90 MB for each.
        samples: restorations of one photo.
        upload_seconds: from the first byte of a request to its last.
        seconds: from then to the answer, waiting included.
        send_seconds: in which some of an answer must be taken, from each piece to the next.
        at_once: restorations at the same time.
        queue: requests that may wait for their turn.
        clips: held at once: waiting, being restored, or done and not fetched.
        clip_frames, clip_megapixels: of a clip, and of each of its frames.
        clip_seconds: for restoring a clip.
        keep_seconds: until a result that nobody fetches is removed, and what is told of a failure.
        again_seconds: until a result that was fetched is removed.

    Raises:
        UsageError: one is out of range.
    """

    megabytes: float = 32
    megapixels: float = 40
    faces: int = 30
    samples: int = 8
    upload_seconds: float = 30
    seconds: float = 60
    send_seconds: float = 30
    at_once: int = 1
    queue: int = 16
    clips: int = 4
    clip_frames: int = 1800
    clip_megapixels: float = 2.1
    clip_seconds: float = 900
    keep_seconds: float = 600
    again_seconds: float = 60

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            # Not a number is neither above nor below.
            most = MOST_MEGAPIXELS if setting.name == "megapixels" else HIGHEST
            if setting.name not in ("at_once", "queue", "clips") and not 0 < value <= most:
                raise UsageError(
                    f"the limit {setting.name} must be above 0 and at most {most} (got {value})"
                )
        if self.at_once < 1 or self.queue < 0:
            raise UsageError("at least one restoration at once, and no fewer than 0 waiting")
        if self.clips < 0:
            raise UsageError(f"no fewer than 0 clips (got {self.clips})")

    @property
    def body_bytes(self) -> int:
        """`megabytes` in bytes."""
        return int(self.megabytes * 1_000_000)

    @property
    def answer_megapixels(self) -> float:
        """Of a photo and its samples together: an answer holds them all."""
        return ANSWER_TIMES * self.megapixels


async def read_body(
    stream: AsyncIterator[bytes], declared: str | None, limits: Limits
) -> AsyncIterator[bytes]:
    """The chunks of a body, as long as it keeps within the limits.

    Args:
        stream: the chunks as they come.
        declared: the header Content-Length, which may be missing or a lie.
        limits: bytes.

    Raises:
        Problem: too-large.
    """
    refusal = Problem("too-large", f"the request is over {limits.megabytes:g} MB")
    if declared and declared.isdecimal() and int(declared) > limits.body_bytes:
        raise refusal
    count = 0
    async for chunk in stream:
        count += len(chunk)
        if count > limits.body_bytes:
            raise refusal
        yield chunk


async def discard(stream: AsyncIterator[bytes], most: int) -> None:
    """Read and forget at most so many bytes, for at most `DRAIN_SECONDS`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in stream:
                most -= len(chunk)
                if most <= 0:
                    return


def check_pixels(data: bytes, limits: Limits, what: str = "photo") -> None:
    """Refuse an image by what its header says, before anything is decoded.

    What is no image at all passes: who decodes it says so.

    Raises:
        Problem: too-large.
    """
    try:
        with opened(io.BytesIO(data)) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        raise Problem("too-large", f"the {what} is over {limits.megapixels:g} megapixels") from None
    except Exception:  # as in `files.read_image`: decoders raise whatever they like
        return
    if width * height > limits.megapixels * 1e6:
        raise Problem(
            "too-large",
            f"the {what} is {width}x{height}, over {limits.megapixels:g} megapixels",
        )


class Gate:
    """Lets in so many requests, and does so many of them at once, each in a thread."""

    def __init__(self, at_once: int, queue: int) -> None:
        self.places = at_once + queue
        self.inside = 0
        self.running = 0
        self._slots = asyncio.Semaphore(at_once)
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="restore")
        self._mean_seconds = 1.0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """A place from the first byte to the answer.

        Raises:
            Problem: busy, when all are taken; its Retry-After is about when one will be free.
        """
        if self.inside >= self.places:
            wait = max(1, round(self._mean_seconds * self.inside / max(1, self.running)))
            raise Problem(
                "busy",
                f"{self.inside} requests are being done or wait; try again in {wait} s",
                {"Retry-After": str(min(wait, 120))},
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def run(self, job: Callable[[], T]) -> T:
        """Wait for a turn and do the job in a thread.

        Cancelled while it waits, the job is never begun. Cancelled later, the thread keeps its turn
        until the job ends: what runs at once stays bounded, whoever hangs up.
        """
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            future = self._pool.submit(job)
        except BaseException:
            self._slots.release()
            raise
        self.running += 1

        def ended() -> None:
            self.running -= 1
            self._mean_seconds += 0.2 * (loop.time() - started - self._mean_seconds)
            self._slots.release()

        def done(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended)

        future.add_done_callback(done)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the threads after what they are doing."""
        self._pool.shutdown(wait=True, cancel_futures=True)
