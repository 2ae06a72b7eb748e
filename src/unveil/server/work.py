"""One request's work, from bytes to bytes; it runs in a thread and knows nothing of HTTP."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from unveil.cancel import checkpoint
from unveil.errors import ImageError, MaskError, NoFaceError
from unveil.files import ImageFile, encode, read_image, read_mask
from unveil.imaging import Mask
from unveil.output import in_colour, restored_file, tinted
from unveil.restorer import Restorer
from unveil.runtime.model import Manner
from unveil.runtime.weights import DEFAULT_DETAIL
from unveil.server.limits import Limits, check_pixels
from unveil.server.options import MEDIA_TYPES, Format, RestoreOptions, SegmentOptions
from unveil.server.problems import Problem, bad_option
from unveil.types import Face, Restoration

# Of a model's name, as it stands in a header; the rest is percent-encoded.
KEPT = "!#$&'()*+,/:;=?@[]^`{|} "


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
        UnveilError: an image is damaged, the mask does not fit, no face is found.
        Problem: too-large; bad-option, where the model or this server cannot do what is asked.
    """
    if options.samples:
        _check_samples(options.samples, restorer, form, limits)
    source = _decode(photo, limits)
    _check_answer(source, options.samples, form, limits)
    hidden = None if mask is None else _decode_mask(mask, limits)
    most = min(options.faces or limits.faces, limits.faces)
    detail = DEFAULT_DETAIL if options.detail is None else options.detail
    asked = (hidden, options.aligned, most)
    others: Iterator[Restoration] = iter(())
    if options.samples:
        # As a picture the first sample alone; in JSON they come after the likeliest.
        manners = Manner.several(detail, options.seed, options.samples)
        first = [Manner(detail)] if form == "json" else []
        others = restorer.draw(source.photo, [*first, *manners], *asked)
        result = next(others)
    else:
        result = restorer.restore(source.photo, *asked, detail)
    if not result.faces:
        raise NoFaceError("no face was found in this photo")
    checkpoint()
    notes = _notes(result, hidden, options.faces, limits)
    written, shown = source, result
    if options.overlay and result.invented.any():
        written = in_colour(source)
        shown = replace(result, photo=tinted(result.photo, result.invented))
    if form != "json":
        body = restored_file(shown, form.upper(), written, photo)
        return Answer(body, MEDIA_TYPES[form], _headers(result, notes), len(result.faces))
    described = _describe(result, notes)
    described["photo"] = _image(restored_file(shown, "PNG", written, photo))
    checkpoint()
    described["mask"] = _image(encode(result.invented.astype(np.uint8) * 255, "PNG"))
    described["confidence"] = _image(encode(_grey(result.confidence), "PNG"))

    def sample(other: Restoration) -> dict[str, str]:
        return _image(restored_file(other, "PNG", source, photo))

    # By `map`, which keeps none of them while the next is made.
    described["samples"] = list(map(sample, others)) if result.invented.any() else []
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
        return Answer(encode(white, form.upper()), MEDIA_TYPES[form])
    result = restorer.look(source.photo, options.aligned, most)
    if not result.faces:
        raise NoFaceError("no face was found in this photo")
    described = _describe(result, _notes(result, None, options.faces, limits))
    described["mask"] = _image(encode(result.invented.astype(np.uint8) * 255, "PNG"))
    return _as_json(described, result)


def _check_samples(asked: int, restorer: Restorer, form: Format, limits: Limits) -> None:
    if asked > limits.samples:
        raise bad_option({"samples": f"at most {limits.samples}"})
    if asked > 1 and form != "json":
        raise bad_option({"samples": "more than one only with format=json"})
    if not restorer.model.network.draws:
        name = restorer.model.weights.name
        raise bad_option({"samples": f"the model {name} gives one result only"})


def _check_answer(source: ImageFile, samples: int, form: Format, limits: Limits) -> None:
    height, width = source.photo.shape[:2]
    asked = samples if form == "json" else 0
    most = int(limits.answer_megapixels * 1e6 / (width * height)) - 1
    if asked > most:
        raise Problem(
            "too-large",
            f"the photo is {width}x{height}: with its samples an answer would have over "
            f"{limits.answer_megapixels:g} megapixels; make it smaller, or ask for {most} at most",
        )


def _decode(photo: bytes, limits: Limits) -> ImageFile:
    check_pixels(photo, limits)
    return read_image(io.BytesIO(photo))


def _decode_mask(mask: bytes, limits: Limits) -> Mask:
    check_pixels(mask, limits, "mask")
    try:
        return read_mask(io.BytesIO(mask))
    except (ImageError, MaskError) as error:
        raise type(error)(f"the mask: {error}") from None


def _notes(
    result: Restoration, hidden: Mask | None, asked: int | None, limits: Limits
) -> list[str]:
    """What a user should hear beside the picture."""
    notes = []
    outside = hidden is not None and bool((hidden & ~result.invented).any())
    if outside and not result.invented.any():
        notes.append("The mask lies in no face: the photo is as it was.")
    elif outside:
        notes.append("A part of the mask lies in no face; it was left as it is.")
    elif not result.invented.any():
        notes.append("Nothing is hidden: the photo is as it was.")
    if result.passed_over and (asked is None or asked > limits.faces):
        notes.append(f"Only the {limits.faces} largest faces were looked at.")
    return notes


def _headers(result: Restoration, notes: list[str]) -> dict[str, str]:
    headers = {
        "Unveil-Model": quote(result.model, safe=KEPT),
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
    return face.numbers() | {"occluder": _image(encode(_grey(face.occluder), "PNG"))}


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """HW in [0, 1] -> HW uint8."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _image(png: bytes) -> dict[str, str]:
    return {"type": MEDIA_TYPES["png"], "data": base64.b64encode(png).decode("ascii")}


def _as_json(described: dict[str, Any], result: Restoration) -> Answer:
    body = json.dumps(described, ensure_ascii=False).encode()
    return Answer(body, MEDIA_TYPES["json"], faces=len(result.faces))
