"""The OpenAPI of the forms and answers, which FastAPI cannot read off handlers that stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unveil.server.options import RestoreOptions, SegmentOptions
from unveil.server.problems import KINDS, MEDIA_TYPE

_IMAGE = {
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": {"type": "string", "const": "image/png"},
        "data": {"type": "string", "contentEncoding": "base64"},
    },
}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_FACE = {
    "type": "object",
    "required": ["box", "points", "score", "coverage", "confidence", "occluder"],
    "properties": {
        "box": {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 4,
            "maxItems": 4,
            "description": "Left, top, right, bottom in the photo's pixels.",
        },
        "points": {
            "type": "array",
            "description": "x, y of eyes, nose tip and mouth corners in the photo's pixels.",
            "items": {"type": "array", "items": {"type": "number"}},
            "minItems": 5,
            "maxItems": 5,
        },
        "score": {**_SHARE, "description": "The detector's."},
        "coverage": {**_SHARE, "description": "Hidden pixels / pixels of the face."},
        "confidence": {**_SHARE, "description": "Of the invented pixels, their mean."},
        "occluder": {**_IMAGE, "description": "The face's 256x256 frame; white = hidden."},
    },
}
_EXAMPLE = {
    "model": "lite:1a2b3c4d5e6f7081",
    "width": 640,
    "height": 480,
    "invented": 0.021504,
    "faces": [
        {
            "box": [210.4, 96.0, 388.1, 331.7],
            "points": [[258.1, 190.2], [341, 188.7], [300.4, 238], [266.3, 279.9], [335.2, 278.8]],
            "score": 0.9981,
            "coverage": 0.161,
            "confidence": 0.62,
            "occluder": {"type": "image/png", "data": "iVBORw0KGgo..."},
        }
    ],
    "notes": [],
    "mask": {"type": "image/png", "data": "iVBORw0KGgo..."},
}


def result_schema(restored: bool) -> dict[str, Any]:
    """The JSON of an answer, with (`restored`) or without the restored photo."""
    properties: dict[str, Any] = {
        "model": {"type": "string", "description": "Name and sha256 of the weights."},
        "width": {"type": "integer", "minimum": 1},
        "height": {"type": "integer", "minimum": 1},
        "invented": {**_SHARE, "description": "Invented pixels / all pixels."},
        "faces": {"type": "array", "items": _FACE},
        "notes": {"type": "array", "items": {"type": "string"}},
        "mask": {**_IMAGE, "description": "The photo's size; white = invented."},
    }
    if restored:
        properties["photo"] = {**_IMAGE, "description": "The restored photo."}
        properties["confidence"] = {
            **_IMAGE,
            "description": "The photo's size; white = known, darker = less sure.",
        }
        properties["samples"] = {
            "type": "array",
            "items": _IMAGE,
            "description": "Other plausible faces, as many as `samples`.",
        }
    return _record(**properties)


def form(kind: type[SegmentOptions]) -> dict[str, Any]:
    """`openapi_extra` of an operation that takes this form."""
    schema = kind.model_json_schema()
    files = {"photo": {"type": "string", "format": "binary", "description": "PNG, JPEG, WebP..."}}
    example = {"photo": "(the bytes of face.jpg)", "format": "json"}
    if issubclass(kind, RestoreOptions):
        files["mask"] = {
            "type": "string",
            "format": "binary",
            "description": "White = hidden, of the photo's size; default: found by the model.",
        }
    body = {
        "type": "object",
        "required": ["photo"],
        "properties": {**files, **schema["properties"]},
        "additionalProperties": False,
    }
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": body,
                    "examples": {
                        "everything": {"summary": "Everything as JSON", "value": example},
                        "picture": {
                            "summary": "A picture of the two largest faces",
                            "value": {**example, "format": "png", "faces": 2},
                        },
                    },
                }
            },
        }
    }


def problem(*names: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of an operation that may answer with these problems."""
    found: dict[int | str, dict[str, Any]] = {}
    for name in names:
        kind = KINDS[name]
        example = {
            "type": f"/problems/{name}",
            "title": kind.title,
            "status": kind.status,
            "detail": kind.advice,
        }
        entry = found.setdefault(
            kind.status,
            {
                "description": kind.title,
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {},
                    }
                },
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][name] = {"value": example}
    return found


PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": 'Of a wrong option: each field that is wrong; "" is the whole form.',
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
# Problems of every address, and of those that a token guards; the former say that none is asked.
OPEN = ("wrong-host", "internal")
GUARDED = ("no-token", *OPEN)
WITHOUT_TOKEN: dict[str, Any] = {"security": []}


def told(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A good answer of `responses`, in JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _record(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has each of these."""
    return {"type": "object", "required": list(properties), "properties": properties}


_TEXT, _FLAG, _NUMBER = {"type": "string"}, {"type": "boolean"}, {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}
ALIVE = _record(status={"const": "ok"}, version=_TEXT)
READY = _record(status={"const": "ready"})
MODELS = _record(
    version=_TEXT,
    default={**_TEXT, "description": "The model that is used where none is named."},
    models={
        "type": "array",
        "items": _record(
            name=_TEXT,
            fingerprint={**_TEXT, "description": "Name and sha256 of the weights."},
            licence=_TEXT,
            training_data=_TEXT,
            faces_seen=_COUNT,
            bytes={**_COUNT, "description": "Of its files."},
            prior={**_FLAG, "description": "Whether it has a choice of detail and draws samples."},
            scores={"type": "object", "additionalProperties": _NUMBER},
        ),
    },
    options={"type": "array", "items": _TEXT, "description": "Of POST /v1/restore."},
    detail={**_SHARE, "description": "What is taken where none is asked for."},
    limits=_record(
        megabytes={**_NUMBER, "description": "Of a request."},
        megapixels={**_NUMBER, "description": "Of a photo."},
        faces={**_COUNT, "description": "Of a photo or a clip, the largest."},
        samples=_COUNT,
        answer_megapixels={**_NUMBER, "description": "Of a photo and its samples together."},
        seconds={**_NUMBER, "description": "Of a request."},
        clip_frames={**_COUNT, "description": "0: this server takes no clips."},
        clip_megapixels=_NUMBER,
        clip_seconds=_NUMBER,
    ),
    in_browser={**_FLAG, "description": "Whether /ort/ has what runs the networks in a browser."},
    webgpu={**_FLAG, "description": "Whether on its graphics card too."},
)


# Problems that restore and segment never have.
_ELSEWHERE = ("not-found", "wrong-method", "not-ready", "not-done", "not-a-clip", "no-clips")


def answers(restored: bool) -> dict[int | str, dict[str, Any]]:
    """`responses` of restore or segment: pictures, JSON, and every problem there can be."""
    picture = {"schema": {"type": "string", "format": "binary"}}
    picked = _EXAMPLE["mask"]
    more = {"photo": picked, "confidence": picked, "samples": []} if restored else {}
    example = _EXAMPLE | more
    good = {
        "description": "The picture, or everything as JSON.",
        "headers": {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in (
                ("Unveil-Model", "Name and sha256 of the weights."),
                ("Unveil-Faces", "How many faces were found."),
                ("Unveil-Invented", "Invented pixels / all pixels."),
                ("Unveil-Note", "What else there is to say; seldom there."),
            )
        }
        if restored
        else {},
        "content": {
            "image/png": picture,
            "image/jpeg": picture,
            "image/webp": picture,
            "application/json": {"schema": result_schema(restored), "example": example},
        },
    }
    return {
        200: good,
        **problem(*(name for name in KINDS if name not in _ELSEWHERE)),
    }
