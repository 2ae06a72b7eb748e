"""What a request may ask for, checked; the same words as the library's and the command line's."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unveil.server.problems import Problem

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
        "1 gives the first of them instead.",
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
        errors = [
            {"field": ".".join(str(part) for part in e["loc"]), "detail": e["msg"]}
            for e in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        told = "; ".join(f"{e['field']}: {e['detail']}" for e in errors)
        raise Problem("bad-option", told, members={"errors": errors}) from None


def choose_format(asked: Format | None, accept: str | None) -> Format:
    """The form of the answer: as asked for by the option, or by the header Accept; else PNG.

    Raises:
        Problem: wrong-type, when Accept leaves none.

    >>> choose_format(None, "image/avif, image/webp;q=0.9, */*;q=0.1")
    'webp'
    """
    if asked is not None:
        return asked
    # Best quality first; of equals the one named first.
    for kind in sorted(_accepted(accept or "*/*"), key=lambda pair: -pair[1]):
        if kind[1] <= 0:
            break
        for name, media in MEDIA_TYPES.items():
            if kind[0] in (media, "*/*", media.split("/")[0] + "/*"):
                return name
    raise Problem("wrong-type", f"none of these can be given: {(accept or '')[:200]}")


def _accepted(accept: str) -> list[tuple[str, float]]:
    """Media ranges and their weights, as they are named."""
    found = []
    for part in accept.split(","):
        media, *parameters = (p.strip().lower() for p in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        found.append((media, weight))
    return found
