"""The addresses: /v1/restore, /v1/segment, /v1/models, and what a supervisor asks."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from unveil import __version__
from unveil.cancel import cancellable
from unveil.errors import UnveilError, WeightsError
from unveil.runtime.weights import DEFAULT_DETAIL, read_checked
from unveil.server import schema, work
from unveil.server.clips import Clips
from unveil.server.engine import Engine, describe
from unveil.server.form import Form, read_form
from unveil.server.limits import DRAIN_TIMES, Gate, Limits, discard, read_body
from unveil.server.metrics import Metrics
from unveil.server.options import (
    RestoreOptions,
    SegmentOptions,
    choose_format,
    parse_options,
)
from unveil.server.page import fingerprinted
from unveil.server.problems import Problem, explain, from_error

T = TypeVar("T")
log = logging.getLogger("unveil.server")
NO_STORE = {"Cache-Control": "no-store"}


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
        self.clips = Clips(limits)
        metrics.inside.set_function(lambda: self.gate.inside)
        metrics.running.set_function(lambda: self.gate.running)

    async def restore(self, request: Request) -> Response:
        """`POST /v1/restore`."""

        def prepare(form: Form) -> Callable[[], work.Answer]:
            options = parse_options(RestoreOptions, form.fields)
            kind = choose_format(options.format, request.headers.get("accept"))
            photo, mask = files_of(form, "photo", "mask")
            return lambda: work.restore(
                self.engine.restorer(options.model), photo, mask, options, kind, self.limits
            )

        return await self._answer(request, prepare)

    async def segment(self, request: Request) -> Response:
        """`POST /v1/segment`."""

        def prepare(form: Form) -> Callable[[], work.Answer]:
            options = parse_options(SegmentOptions, form.fields)
            kind = choose_format(options.format, request.headers.get("accept"))
            (photo,) = files_of(form, "photo")
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
        return Response(
            answer.body, media_type=answer.media_type, headers={**answer.headers, **NO_STORE}
        )

    async def take(self, request: Request, job: Callable[[Form], Awaitable[T]]) -> T:
        """Take a place, read the form, do the job.

        Raises:
            ClientDisconnect: the caller went away.
            Problem: of the form, or what the job raised.
        """
        stream = request.stream()
        try:
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


def files_of(form: Form, *names: str) -> tuple[Any, ...]:
    """The bytes of these files of a form; the first must be there.

    Raises:
        Problem: bad-form.
    """
    if not form.files.get(names[0]):
        raise Problem("bad-form", f"the form has no file {names[0]!r}, or an empty one")
    for name in form.files:
        if name not in names:
            raise Problem("bad-form", f"there is no file {name[:60]!r} in this form")
    return tuple(form.files.get(name) for name in names)


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
    except MemoryError:
        raise Problem("too-large", "this picture needs more memory than there is") from None


async def _hung_up(request: Request) -> None:
    """Returns when the caller has gone; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def make_router(service: Service) -> APIRouter:
    """The addresses of a service, with what OpenAPI says of them."""
    router = APIRouter()

    @router.post(
        "/v1/restore",
        summary="Restore the hidden part of the faces in a photo",
        description="Every known pixel stays as it is. The hidden part is invented: "
        "not for identification.",
        response_class=Response,
        responses=schema.answers(True),
        openapi_extra=schema.form(RestoreOptions),
    )
    async def restore(request: Request) -> Response:
        return await service.restore(request)

    @router.post(
        "/v1/segment",
        summary="Find what hides faces",
        description="The mask that /v1/restore would use without one: white = hidden.",
        response_class=Response,
        responses=schema.answers(False),
        openapi_extra=schema.form(SegmentOptions),
    )
    async def segment(request: Request) -> Response:
        return await service.segment(request)

    @router.get("/v1/models", summary="The models, and the limits of this server")
    async def models() -> dict[str, Any]:
        limits = service.limits
        return {
            "version": __version__,
            "default": service.engine.default,
            "models": [describe(weights) for weights in service.engine.weights.values()],
            "options": sorted(RestoreOptions.model_fields),
            "detail": DEFAULT_DETAIL,
            "limits": {
                "megabytes": limits.megabytes,
                "megapixels": limits.megapixels,
                "faces": limits.faces,
                "samples": limits.samples,
                "seconds": limits.seconds,
                "clip_frames": limits.clip_frames if service.clips.taken else 0,
                "clip_megapixels": limits.clip_megapixels,
                "clip_seconds": limits.clip_seconds,
            },
            "in_browser": service.in_browser,
            "webgpu": service.webgpu,
        }

    @router.get(
        "/v1/models/{name}/{role}",
        summary="A file of a model: face, mask, prior or detector",
        description="For whoever runs the networks themselves, as the page does on a visitor's "
        "own device. A model without a mask network of its own is answered with the segmenter.",
        response_class=Response,
        responses={
            200: {"content": {"application/octet-stream": {}}},
            304: {"description": "The caller has it already."},
            **schema.problem("not-found"),
        },
    )
    async def weights(request: Request, name: str, role: str) -> Response:
        file = service.engine.file(name, role)
        read = partial(read_checked, file)
        try:
            return await asyncio.to_thread(
                fingerprinted, request, read, file.sha256, "application/octet-stream"
            )
        except WeightsError as error:
            log.error("%s", error)
            raise from_error(error) from None

    @router.get("/healthz", summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @router.get(
        "/readyz",
        summary="Whether the model is loaded",
        responses=schema.problem("not-ready"),
    )
    async def readyz() -> dict[str, str]:
        reason = service.engine.check()
        if reason:
            raise Problem("not-ready", reason, {"Retry-After": "1"})
        return {"status": "ready"}

    @router.get("/metrics", summary="Counters for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(
            service.metrics.text(), media_type="text/plain; version=0.0.4", headers=NO_STORE
        )

    @router.get(
        "/problems/{name}",
        summary="What a kind of problem means",
        response_class=PlainTextResponse,
        responses=schema.problem("not-found"),
    )
    async def problem(name: str) -> Response:
        text = explain(name)
        if text is None:
            raise Problem("not-found", "there is no such kind of problem")
        return PlainTextResponse(text)

    return router
