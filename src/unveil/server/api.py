"""The addresses: /v1/restore, /v1/segment, /v1/models, and what a supervisor asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, PlainTextResponse

from unveil import __version__
from unveil.errors import WeightsError
from unveil.runtime.weights import DEFAULT_DETAIL, read_checked
from unveil.server import schema
from unveil.server.engine import describe
from unveil.server.options import RestoreOptions, SegmentOptions
from unveil.server.page import fingerprinted
from unveil.server.problems import Problem, explain, from_error
from unveil.server.service import Service

log = logging.getLogger("unveil.server")
Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])


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

    @_shown(
        router,
        "/v1/models",
        summary="The models, and the limits of this server",
        response_class=Response,
        responses={
            200: schema.told("What there is.", schema.MODELS),
            **schema.problem(*schema.GUARDED),
        },
    )
    async def models() -> Response:
        return JSONResponse(_models(service))

    @_shown(
        router,
        "/v1/models/{name}/{role}",
        summary="A file of a model: face, mask, prior, align or detector",
        description="For whoever runs the networks themselves, as the page does on a visitor's "
        "own device. Aligner and detector are the same for all models, and the segmenter for those "
        "without a mask network of their own.",
        response_class=Response,
        responses={
            200: {
                "description": "The file.",
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            },
            304: {"description": "The caller has it already."},
            **schema.problem(*schema.GUARDED, "not-found"),
        },
    )
    async def weights(request: Request, name: str, role: str) -> Response:
        file = service.engine.file(name, role)
        read = partial(read_checked, file)
        try:
            kind, patience = "application/octet-stream", service.limits.send_seconds
            return await asyncio.to_thread(
                fingerprinted, request, read, file.sha256, kind, patience
            )
        except WeightsError as error:
            log.error("%s", error)
            raise from_error(error) from None

    @_shown(
        router,
        "/healthz",
        summary="Whether the process lives",
        response_class=Response,
        responses={200: schema.told("It does.", schema.ALIVE), **schema.problem(*schema.OPEN)},
        openapi_extra=schema.WITHOUT_TOKEN,
    )
    async def healthz() -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    @_shown(
        router,
        "/readyz",
        summary="Whether the model is loaded",
        response_class=Response,
        responses={
            200: schema.told("It is.", schema.READY),
            **schema.problem(*schema.OPEN, "not-ready"),
        },
        openapi_extra=schema.WITHOUT_TOKEN,
    )
    async def readyz() -> Response:
        reason = service.engine.check()
        if reason:
            raise Problem("not-ready", reason, {"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    @_shown(
        router,
        "/metrics",
        summary="Counters for Prometheus",
        response_class=Response,
        responses={
            200: {
                "description": "In Prometheus's format of text.",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            **schema.problem(*schema.GUARDED),
        },
    )
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    @_shown(
        router,
        "/problems/{name}",
        summary="What a kind of problem means",
        response_class=PlainTextResponse,
        responses=schema.problem(*schema.OPEN, "not-found"),
        openapi_extra=schema.WITHOUT_TOKEN,
    )
    async def problem(name: str) -> Response:
        text = explain(name)
        if text is None:
            raise Problem("not-found", "there is no such kind of problem")
        return PlainTextResponse(text)

    return router


def _shown(router: APIRouter, path: str, **told: Any) -> Callable[[Endpoint], Endpoint]:
    """Answer GET, and HEAD, by which some watch over a service; OpenAPI tells of the first."""

    def add(endpoint: Endpoint) -> Endpoint:
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        router.add_api_route(path, endpoint, methods=["GET"], **told)
        return endpoint

    return add


def _models(service: Service) -> dict[str, Any]:
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
            "answer_megapixels": limits.answer_megapixels,
            "seconds": limits.seconds,
            "clip_frames": limits.clip_frames if service.clips.taken else 0,
            "clip_megapixels": limits.clip_megapixels,
            "clip_seconds": limits.clip_seconds,
        },
        "in_browser": service.in_browser,
        "webgpu": service.webgpu,
    }
