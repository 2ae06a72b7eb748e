"""What the handlers share: how a request gets its place, its turn and its answer."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TypeVar

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from unveil.cancel import cancellable
from unveil.errors import UnveilError, WeightsError, lacks_memory
from unveil.server import work
from unveil.server.clips import Clips
from unveil.server.engine import Engine
from unveil.server.form import Form, read_form
from unveil.server.limits import DRAIN_TIMES, Gate, Limits, discard, read_body
from unveil.server.metrics import Metrics
from unveil.server.options import (
    RestoreOptions,
    SegmentOptions,
    choose_format,
    parse_options,
)
from unveil.server.problems import Problem, bad_option, from_error
from unveil.server.sending import PatientResponse

T = TypeVar("T")
log = logging.getLogger("unveil.server")


class Service:
    """What the handlers share: the models, the limits, the gate and the counters."""

    def __init__(
        self,
        engine: Engine,
        limits: Limits,
        metrics: Metrics,
        in_browser: bool = False,
        webgpu: bool = False,
    ) -> None:
        """Args: `in_browser`, whether a browser gets what it needs to run the networks itself;
        `webgpu`, whether on its graphics card too.
        """
        self.engine = engine
        self.limits = limits
        self.metrics = metrics
        self.in_browser = in_browser
        self.webgpu = webgpu
        self.gate = Gate(limits.at_once, limits.queue)
        self.clips = Clips(limits, metrics)
        metrics.inside.set_function(lambda: self.gate.inside)
        metrics.running.set_function(lambda: self.gate.running)

    async def restore(self, request: Request) -> Response:
        """`POST /v1/restore`."""

        def prepare(form: Form) -> Callable[[], work.Answer]:
            photo, mask = files_of(form, "photo", "mask")
            options = parse_options(RestoreOptions, form.fields)
            kind = choose_format(options.format, _accepted(request))
            return lambda: work.restore(
                self.engine.restorer(options.model), photo, mask, options, kind, self.limits
            )

        return await self._answer(request, prepare)

    async def segment(self, request: Request) -> Response:
        """`POST /v1/segment`."""

        def prepare(form: Form) -> Callable[[], work.Answer]:
            photo, _ = files_of(form, "photo")
            options = parse_options(SegmentOptions, form.fields)
            kind = choose_format(options.format, _accepted(request))
            return lambda: work.segment(
                self.engine.restorer(options.model), photo, options, kind, self.limits
            )

        return await self._answer(request, prepare)

    async def _answer(
        self, request: Request, prepare: Callable[[Form], Callable[[], work.Answer]]
    ) -> Response:
        """Take a place, read the form, wait for a turn, work, answer; stop when nobody listens."""
        try:
            answer = await self.take(request, lambda form: self._work(request, prepare(form)))
        except ClientDisconnect:
            self.metrics.hung_up.inc()
            return Response(status_code=400)  # nobody is there to read it
        self.metrics.faces.inc(answer.faces)
        patience = self.limits.send_seconds
        return PatientResponse(answer.body, answer.media_type, answer.headers, patience)

    async def take(self, request: Request, job: Callable[[Form], Awaitable[T]]) -> T:
        """Take a place, read the form, do the job.

        Raises:
            ClientDisconnect: the caller went away.
            Problem: of the address or the form, or what the job raised.
        """
        stream = request.stream()
        try:
            if request.url.query:
                names = [name[:60] for name in request.query_params] or [""]
                raise bad_option(dict.fromkeys(names, "belongs in the form, not in the address"))
            with self.gate.enter():
                return await job(await self._receive(request, stream))
        except Problem as problem:
            # Who waits for "100 Continue" before sending hears a refusal at once. Others get to
            # send to the end, so that they read the answer and not of a broken connection.
            waits = request.headers.get("expect", "").lower() == "100-continue"
            if not waits and problem.name != "slow-upload":
                await discard(stream, DRAIN_TIMES * self.limits.body_bytes)
            # A body that was not read to its end must not keep the connection for as long as it
            # drips, nor be taken for the next request.
            problem.headers.setdefault("Connection", "close")
            raise

    async def _receive(self, request: Request, stream: AsyncIterator[bytes]) -> Form:
        seconds = self.limits.upload_seconds
        body = read_body(stream, request.headers.get("content-length"), self.limits)
        try:
            async with asyncio.timeout(seconds):
                return await read_form(request.headers.get("content-type", ""), body)
        except TimeoutError:
            raise Problem(
                "slow-upload", f"the request did not arrive within {seconds:g} s"
            ) from None

    async def _work(self, request: Request, job: Callable[[], work.Answer]) -> work.Answer:
        """The job's answer.

        Raises:
            ClientDisconnect: the caller went away.
            Problem: too-slow, or what the job raised.

        What nobody waits for any more is not begun, or ends at its next stage.
        """
        called_off = threading.Event()
        task = asyncio.create_task(self.gate.run(partial(_reporting, job, called_off)))
        gone = asyncio.create_task(_hung_up(request))
        try:
            await asyncio.wait(
                {task, gone}, timeout=self.limits.seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if task.done():
                return task.result()
            if gone.done():
                raise ClientDisconnect
            raise Problem(
                "too-slow",
                f"no result within {self.limits.seconds:g} s",
                {"Retry-After": str(max(1, round(self.limits.seconds)))},
            )
        finally:
            called_off.set()
            task.cancel()
            gone.cancel()


def files_of(form: Form, name: str, other: str = "") -> tuple[bytes, bytes | None]:
    """The file of this name, which must be there, and the other one, which may be there.

    Raises:
        Problem: bad-form, also where one was sent as text, or there is a file of another name.
    """
    for wanted in (name, other):
        if form.fields.get(wanted):
            raise Problem("bad-form", f"`{wanted}` must be sent as a file (with a filename)")
    if not form.files.get(name):
        raise Problem("bad-form", f"the form has no file {name!r}, or an empty one")
    for found in form.files:
        if found not in (name, other):
            raise Problem("bad-form", f"there is no file {found[:60]!r} in this form")
    return form.files[name], form.files.get(other) or None  # a field left empty in a plain form


def _reporting(job: Callable[[], work.Answer], called_off: threading.Event) -> work.Answer:
    """The job, which can be called off, and whose expected errors become problems."""
    try:
        with cancellable(called_off):
            return job()
    except WeightsError as error:
        log.error("%s", error)
        raise from_error(error) from None
    except UnveilError as error:
        raise from_error(error) from None
    except Exception as error:
        if not lacks_memory(error):
            raise
        raise Problem("too-large", "this picture needs more memory than there is") from None


async def _hung_up(request: Request) -> None:
    """Returns when the caller has gone; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _accepted(request: Request) -> str | None:
    """The header Accept, which may come in several lines (RFC 9110, 5.3)."""
    return ", ".join(request.headers.getlist("accept")) or None
