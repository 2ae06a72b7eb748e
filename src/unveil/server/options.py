"""What a request may ask for, checked; the same words as the library's and the command line's."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unveil.server.problems import Problem, bad_option

Format = Literal["png", "jpeg", "webp", "json"]
MEDIA_TYPES: dict[Format, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "json": "application/json",
}


class SegmentOptions(BaseModel):
    """Options of `POST /v1/segment`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None, max_length=100, description="A name of GET /v1/models; default: the server's."
    )
    aligned: bool = Field(
        False, description="The photo is one square face in CelebA's frame; nothing is searched."
    )
    faces: int | None = Field(
        None, ge=1, description="Only so many faces, the largest; default: all."
    )
    format: Format | None = Field(
        None, description="What to answer; default: by the header Accept, else png."
    )


class RestoreOptions(SegmentOptions):
    """Options of `POST /v1/restore`."""

    detail: float | None = Field(
        None,
        ge=0,
        le=1,
        description="0: the most likely face, soft; 1: sharp. Default: as the model is best.",
    )
    samples: int = Field(
        0,
        ge=0,
        description="With JSON: so many other plausible faces beside the likeliest; as a picture: "
        "1 gives the first of them instead. The photo and they have at most 2.5 times the pixels "
        "that a photo may have.",
    )
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Of the samples; the one after it has the next number."
    )
    overlay: bool = Field(False, description="Tint the invented pixels in the answered picture.")


class VideoOptions(BaseModel):
    """Options of `POST /v1/video`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None, max_length=100, description="A name of GET /v1/models; default: the server's."
    )


Options = TypeVar("Options", bound=BaseModel)


def parse_options(kind: type[Options], fields: dict[str, str]) -> Options:
    """The options in a form's text fields; an empty field counts as left out.

    Raises:
        Problem: bad-option; its member `errors` names each field and what is wrong with it.

    >>> parse_options(SegmentOptions, {"faces": "2", "format": ""}).faces
    2
    """
    try:
        return kind.model_validate({k: v for k, v in fields.items() if v != ""})
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise bad_option({str(e["loc"][0]): e["msg"] for e in errors}) from None


def choose_format(asked: Format | None, accept: str | None) -> Format:
    """The form of the answer: as asked for by the option, or by the header Accept; else PNG.

    Raises:
        Problem: wrong-type, when Accept leaves none.

    >>> choose_format(None, "image/avif, image/webp;q=0.9, */*;q=0.1")
    'webp'
    """
    if asked is not None:
        return asked
    ranges = _accepted(accept or "*/*")
    order = list(ranges)
    ranked: list[tuple[float, int, Format]] = []
    for name, media in MEDIA_TYPES.items():
        # What is said of a type holds before what is said of all its kind.
        for each in (media, f"{media.split('/')[0]}/*", "*/*"):
            if each in ranges:
                ranked.append((-ranges[each], order.index(each), name))
                break
    # Best weight first; of equals the one named first, else in our own order.
    ranked.sort(key=lambda one: one[:2])
    if not ranked or not ranked[0][0]:
        raise Problem("wrong-type", f"none of these can be given: {(accept or '')[:200]}")
    return ranked[0][2]


def _accepted(accept: str) -> dict[str, float]:
    """Media ranges as they are named, and their weights, 0..1."""
    found: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (p.strip().lower() for p in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        found.setdefault(media, weight if 0 <= weight <= 1 else 0.0)
    return found
