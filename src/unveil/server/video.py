"""The addresses of clips: hand one in, ask how far it is, fetch it, or give it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from unveil.server import schema
from unveil.server.clips import Clip
from unveil.server.form import Form
from unveil.server.options import VideoOptions, parse_options
from unveil.server.problems import Problem
from unveil.server.sending import PIECE_BYTES, PatientStream
from unveil.server.service import Service, files_of

_ID = {"type": "string", "description": "Hard to guess; who knows it may fetch the result."}
_CLIP = {
    "type": "object",
    "required": ["id", "state", "done"],
    "properties": {
        "id": _ID,
        "state": {"enum": ["waiting", "working", "done", "failed"]},
        "done": {"type": "integer", "minimum": 0, "description": "Frames that are restored."},
        "total": {"type": "integer", "minimum": 0, "description": "Frames, where that is known."},
        "problem": {"$ref": "#/components/schemas/Problem"},
        "model": {"type": "string", "description": "Name and sha256 of the weights."},
        "faces": {"type": "integer", "minimum": 0, "description": "The most in one frame."},
        "invented": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Invented pixels / all pixels.",
        },
        "damaged": {"type": "integer", "description": "Frames that are broken or missing."},
        "left_out": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Kinds of its streams that an MP4 cannot hold.",
        },
        "cut_off": {"type": "number", "description": "The second where the clip ends too early."},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["clip"],
                    "properties": {
                        "clip": {
                            "type": "string",
                            "format": "binary",
                            "description": "MP4, MOV, Matroska, WebM or AVI.",
                        },
                        **VideoOptions.model_json_schema()["properties"],
                    },
                    "additionalProperties": False,
                }
            }
        },
    }
}
_HANDING_IN = ("bad-form", "slow-upload", "too-large", "not-a-clip", "bad-option", "busy")
_FAILING = ("too-large", "too-slow", "not-a-clip", "no-face", "bad-option")
_FETCHING = ("not-found", "not-done", *_FAILING)


def make_video_router(service: Service) -> APIRouter:
    """The addresses under /v1/video, with what OpenAPI says of them."""
    router = APIRouter()
    clips = service.clips

    async def hand_in(form: Form) -> Clip:
        data, _ = files_of(form, "clip")
        options = parse_options(VideoOptions, form.fields)
        name = service.engine.check_name(options.model)
        return clips.hand_in(data, partial(service.engine.restorer, name))

    @router.post(
        "/v1/video",
        status_code=202,
        summary="Hand in a short clip",
        description="It is restored when its turn comes. The hidden part is invented: not for "
        "identification. The file lies in a private folder until it is done, the result until a "
        "minute after it is fetched, and no longer than the server's limits say.",
        response_class=Response,
        responses={
            202: schema.told("Taken; `Location` says where to ask for it.", _CLIP),
            **schema.problem(*schema.GUARDED, *_HANDING_IN, "no-clips"),
        },
        openapi_extra=_BODY,
    )
    async def video(request: Request) -> Response:
        try:
            clip = await service.take(request, hand_in)
        except ClientDisconnect:
            service.metrics.hung_up.inc()
            return Response(status_code=400)  # nobody is there to read it
        return JSONResponse(clip.describe(), 202, {"Location": f"/v1/video/{clip.number}"})

    @router.get(
        "/v1/video/{number}",
        summary="How far a clip is",
        response_class=Response,
        responses={
            200: schema.told("How far it is.", _CLIP),
            **schema.problem(*schema.GUARDED, "not-found"),
        },
    )
    async def state(number: str) -> Response:
        return JSONResponse(clips.find(number).describe())

    @router.get(
        "/v1/video/{number}/result",
        summary="Fetch a restored clip",
        description="Sent to its end, it is forgotten a minute later; where the connection breaks, "
        "it can be fetched again. DELETE has it forgotten at once.",
        response_class=Response,
        responses={
            200: {
                "description": "The clip.",
                "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}},
            },
            **schema.problem(*schema.GUARDED, *_FETCHING),
        },
    )
    async def result(number: str) -> Response:
        clip = clips.find(number)
        if clip.problem is not None:
            raise clip.problem.again()
        if clip.state != "done":
            raise Problem("not-done", f"{clip.done} frames are done", {"Retry-After": "1"})
        file = clip.result.open("rb")
        size = clip.result.stat().st_size

        async def pieces() -> AsyncIterator[bytes]:
            left = size
            with file:
                while left and (piece := await asyncio.to_thread(file.read, PIECE_BYTES)):
                    left -= len(piece)
                    yield piece
            # Never reached for whoever hung up before. Nothing is awaited after the last piece:
            # who has it may hang up at once.
            clips.sent(clip)

        headers = {"Content-Length": str(size)}
        return PatientStream(pieces(), "video/mp4", headers, service.limits.send_seconds)

    @router.delete(
        "/v1/video/{number}",
        status_code=204,
        summary="Give a clip up, or its result",
        response_class=Response,
        responses={
            204: {"description": "It is forgotten."},
            **schema.problem(*schema.GUARDED, "not-found"),
        },
    )
    async def give_up(number: str) -> Response:
        clips.forget(clips.find(number).number)
        return Response(status_code=204)

    return router
