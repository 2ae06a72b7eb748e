"""One request's work, from bytes to bytes; it runs in a thread and knows nothing of HTTP."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unveil.cancel import checkpoint
from unveil.errors import ImageError, NoFaceError, UsageError
from unveil.files import ImageFile, encode, read_image
from unveil.imaging import Mask
from unveil.metadata import Disclosure
from unveil.output import tinted
from unveil.restorer import Restorer
from unveil.runtime.weights import DEFAULT_DETAIL
from unveil.server.limits import Limits, check_pixels
from unveil.server.options import MEDIA_TYPES, Format, RestoreOptions, SegmentOptions
from unveil.types import Face, Restoration


@dataclass(frozen=True)
class Answer:
    """What goes out.

    Attributes:
        body: the bytes.
        media_type: of them.
        headers: `Unveil-...`: what a picture alone does not say.
        faces: faces found, for the metrics.
    """

    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    faces: int = 0


def restore(
    restorer: Restorer,
    photo: bytes,
    mask: bytes | None,
    options: RestoreOptions,
    form: Format,
    limits: Limits,
) -> Answer:
    """Decode, restore, encode.

    Raises:
        UnveilError: an image is damaged, the mask does not fit, no face is found, the model cannot
            do what is asked.
        Problem: too-large.
    """
    source = _decode(photo, limits)
    hidden = None if mask is None else _decode_mask(mask, limits)
    most = min(options.faces or limits.faces, limits.faces)
    if options.samples > limits.samples:
        raise UsageError(f"samples: at most {limits.samples}")
    if options.samples > 1 and form != "json":
        raise UsageError("samples: more than one only with format=json")
    detail = DEFAULT_DETAIL if options.detail is None else options.detail
    asked = (hidden, options.aligned)
    if options.samples and form != "json":
        drawn = restorer.sample(source.photo, 1, *asked, options.seed, most, detail)
        result = drawn[0]
    else:
        result = restorer.restore(source.photo, *asked, most, detail)
    if not result.faces:
        raise NoFaceError("no face was found in this photo")
    checkpoint()
    notes = _notes(result, hidden, options.faces, limits)
    picture = tinted(result.photo, result.invented) if options.overlay else result.photo
    kept = _disclosure(result)
    if form != "json":
        body = encode(picture, MEDIA_TYPES[form].split("/")[1].upper(), source, kept)
        return Answer(body, MEDIA_TYPES[form], _headers(result, notes), len(result.faces))
    described = _describe(result, notes)
    described["photo"] = _image(encode(picture, "PNG", source, kept))
    checkpoint()
    described["mask"] = _image(encode(result.invented.astype(np.uint8) * 255, "PNG"))
    described["confidence"] = _image(encode(_grey(result.confidence), "PNG"))
    described["samples"] = []
    if options.samples and result.invented.any():
        drawn = restorer.sample(source.photo, options.samples, *asked, options.seed, most, detail)
        described["samples"] = [
            _image(encode(each.photo, "PNG", source, _disclosure(each))) for each in drawn
        ]
    return _as_json(described, result)


def segment(
    restorer: Restorer, photo: bytes, options: SegmentOptions, form: Format, limits: Limits
) -> Answer:
    """Decode, find what `restore` would invent, encode.

    Raises:
        As `restore`.
    """
    source = _decode(photo, limits)
    most = min(options.faces or limits.faces, limits.faces)
    if form != "json":
        found = restorer.find(source.photo, options.aligned, most)
        if found is None:
            raise NoFaceError("no face was found in this photo")
        white = found.astype(np.uint8) * 255
        return Answer(encode(white, MEDIA_TYPES[form].split("/")[1].upper()), MEDIA_TYPES[form])
    # The faces beside the mask; the restoration tells both, and finding a mask takes one anyway.
    result = restorer.restore(source.photo, None, options.aligned, most)
    if not result.faces:
        raise NoFaceError("no face was found in this photo")
    described = _describe(result, _notes(result, None, options.faces, limits))
    described["mask"] = _image(encode(result.invented.astype(np.uint8) * 255, "PNG"))
    return _as_json(described, result)


def _decode(photo: bytes, limits: Limits) -> ImageFile:
    check_pixels(photo, limits)
    return read_image(io.BytesIO(photo))


def _decode_mask(mask: bytes, limits: Limits) -> Mask:
    """White (or 1) = hidden; greys, as JPEG leaves them, are cut in the middle."""
    check_pixels(mask, limits, "mask")
    try:
        grey = read_image(io.BytesIO(mask)).photo[..., 0]
    except ImageError as error:
        raise ImageError(f"the mask: {error}") from None
    return np.asarray(grey > 127 if grey.max() > 1 else grey > 0)


def _disclosure(result: Restoration) -> Disclosure | None:
    if not result.invented.any():
        return None
    restored = sum(face.coverage > 0 for face in result.faces)
    return Disclosure(result.model, float(result.invented.mean()), restored)


def _notes(
    result: Restoration, hidden: Mask | None, asked: int | None, limits: Limits
) -> list[str]:
    """What a user should hear beside the picture."""
    notes = []
    if not result.invented.any():
        notes.append("Nothing is hidden: the photo is as it was.")
    if hidden is not None and (hidden & ~result.invented).any():
        notes.append("A part of the mask lies in no face; it was left as it is.")
    if len(result.faces) == limits.faces and (asked is None or asked > limits.faces):
        notes.append(f"Only the {limits.faces} largest faces were looked at.")
    return notes


def _headers(result: Restoration, notes: list[str]) -> dict[str, str]:
    headers = {
        "Unveil-Model": result.model,
        "Unveil-Faces": str(len(result.faces)),
        "Unveil-Invented": f"{float(result.invented.mean()):.6f}",
    }
    return headers | ({"Unveil-Note": " ".join(notes)} if notes else {})


def _describe(result: Restoration, notes: list[str]) -> dict[str, Any]:
    height, width = result.invented.shape
    return {
        "model": result.model,
        "width": width,
        "height": height,
        "invented": round(float(result.invented.mean()), 6),
        "faces": [_describe_face(face) for face in result.faces],
        "notes": notes,
    }


def _describe_face(face: Face) -> dict[str, Any]:
    return {
        "box": [round(float(v), 1) for v in face.box],
        "points": face.points.astype(float).round(1).tolist(),
        "score": round(float(face.score), 4),
        "coverage": round(float(face.coverage), 6),
        "confidence": round(float(face.confidence), 4),
        "occluder": _image(encode(_grey(face.occluder), "PNG")),
    }


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """HW in [0, 1] -> HW uint8."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _image(png: bytes) -> dict[str, str]:
    return {"type": MEDIA_TYPES["png"], "data": base64.b64encode(png).decode("ascii")}


def _as_json(described: dict[str, Any], result: Restoration) -> Answer:
    body = json.dumps(described, ensure_ascii=False).encode()
    return Answer(body, MEDIA_TYPES["json"], faces=len(result.faces))
