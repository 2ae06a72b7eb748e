"""The addresses of clips: hand one in, ask how far it is, fetch it, or give it up."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from unveil.server import schema
from unveil.server.clips import Clip
from unveil.server.form import Form
from unveil.server.options import VideoOptions, parse_options
from unveil.server.problems import Problem
from unveil.server.service import NO_STORE, Service, files_of

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
        "damaged": {"type": "integer", "description": "Packets that could not be decoded."},
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
_ALWAYS = ("no-token", "wrong-host", "internal")
_HANDING_IN = ("bad-form", "slow-upload", "too-large", "not-a-clip", "bad-option", "busy")


def _told(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _CLIP}}}


def make_video_router(service: Service) -> APIRouter:
    """The addresses under /v1/video, with what OpenAPI says of them."""
    router = APIRouter()
    clips = service.clips

    async def hand_in(form: Form) -> Clip:
        options = parse_options(VideoOptions, form.fields)
        data, _ = files_of(form, "clip")
        name = service.engine.check_name(options.model)
        return clips.hand_in(data, partial(service.engine.restorer, name))

    @router.post(
        "/v1/video",
        status_code=202,
        summary="Hand in a short clip",
        description="It is restored when its turn comes. The hidden part is invented: not for "
        "identification. The file lies in a private folder until it is done, the result until it "
        "is fetched, and no longer than the server's limits say.",
        response_class=Response,
        responses={
            202: _told("Taken; `Location` says where to ask for it."),
            **schema.problem(*_ALWAYS, *_HANDING_IN, "no-clips"),
        },
        openapi_extra=_BODY,
    )
    async def video(request: Request) -> Response:
        try:
            clip = await service.take(request, hand_in)
        except ClientDisconnect:
            service.metrics.hung_up.inc()
            return Response(status_code=400)  # nobody is there to read it
        headers = {"Location": f"/v1/video/{clip.number}", **NO_STORE}
        return JSONResponse(clip.describe(), 202, headers)

    @router.get(
        "/v1/video/{number}",
        summary="How far a clip is",
        response_class=Response,
        responses={200: _told("How far it is."), **schema.problem(*_ALWAYS, "not-found")},
    )
    async def state(number: str) -> Response:
        return JSONResponse(clips.find(number).describe(), headers=NO_STORE)

    @router.get(
        "/v1/video/{number}/result",
        summary="Fetch a restored clip, once",
        response_class=Response,
        responses={
            200: {
                "description": "The clip, which is then forgotten here.",
                "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}},
            },
            **schema.problem(
                *_ALWAYS, "not-found", "not-done", "too-large", "too-slow", "not-a-clip", "no-face"
            ),
        },
    )
    async def result(number: str) -> Response:
        clip = clips.find(number)
        if clip.problem is not None:
            raise clip.problem
        if clip.state != "done":
            raise Problem("not-done", f"{clip.done} frames are done", {"Retry-After": "1"})
        service.metrics.faces.inc(clip.report["faces"])

        async def forget() -> None:
            clips.forget(number)

        return Response(
            clip.result.read_bytes(),
            media_type="video/mp4",
            headers=NO_STORE,
            background=BackgroundTask(forget),
        )

    @router.delete(
        "/v1/video/{number}",
        status_code=204,
        summary="Give a clip up, or its result",
        response_class=Response,
        responses={
            204: {"description": "It is forgotten."},
            **schema.problem(*_ALWAYS, "not-found"),
        },
    )
    async def give_up(number: str) -> Response:
        clips.forget(clips.find(number).number)
        return Response(status_code=204)

    return router
