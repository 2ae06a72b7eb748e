"""Errors as RFC 9457 problem details: one table of what can go wrong, one form to say it in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from unveil.errors import (
    FormatError,
    ImageError,
    MaskError,
    NoFaceError,
    NotAlignedError,
    OversizeError,
    UnveilError,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A sort of problem: the HTTP status, a title that never changes, and what a caller can do."""

    status: int
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "bad-form": Kind(
        400, "Not a usable form", "Send multipart/form-data with a file `photo`, or a `clip`."
    ),
    "no-token": Kind(401, "Token missing or wrong", "Send the header Authorization: Bearer TOKEN."),
    "wrong-host": Kind(
        403, "Not asked for by this name", "Use the address the server printed, or --allow-host."
    ),
    "not-found": Kind(404, "No such address", "See /openapi.json for those there are."),
    "wrong-method": Kind(405, "Not with this method", "See the header Allow."),
    "wrong-type": Kind(
        406, "None of the accepted types", "Accept image/png, jpeg, webp or application/json."
    ),
    "not-done": Kind(409, "Not done yet", "GET /v1/video/{id} says how far it is."),
    "slow-upload": Kind(408, "The upload took too long", "Send a smaller file, or try again."),
    "too-large": Kind(413, "Too large", "Make the picture smaller; the detail says how small."),
    "not-an-image": Kind(415, "Not an image that can be read", "Send PNG, JPEG, WebP or TIFF."),
    "not-a-clip": Kind(415, "Not a clip that can be read", "Send MP4, MOV, Matroska, WebM or AVI."),
    "no-face": Kind(422, "No face found", "Send a photo with a face, or aligned=true for a crop."),
    "not-aligned": Kind(422, "Not an aligned face", "Leave out `aligned` to have faces found."),
    "bad-mask": Kind(422, "The mask does not fit", "White is hidden; of the photo's own size."),
    "bad-option": Kind(422, "A wrong option", "The detail names it; see /openapi.json."),
    "internal": Kind(500, "Something went wrong here", "It is our fault; please report it."),
    "no-clips": Kind(501, "This server takes no clips", "Its owner can install unveil[video]."),
    "busy": Kind(503, "Too much to do", "Try again after the seconds in Retry-After."),
    "too-slow": Kind(503, "It took too long", "Try again later, or send a smaller picture."),
    "not-ready": Kind(503, "Still loading", "Try again in a moment."),
}


class Problem(Exception):
    """Something to be answered as a problem; `name` is one of `KINDS`.

    Attributes:
        name: which kind.
        detail: what was wrong this time, for people.
        headers: further headers of the answer.
        members: further members of the problem, such as `errors`.
    """

    def __init__(
        self,
        name: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def again(self) -> Problem:
        """The same without what raising it left on it: the frames that it went through."""
        return Problem(self.name, self.detail, self.headers, self.members)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.name].status

    def body(self) -> dict[str, Any]:
        """The members of RFC 9457; `type` is an address of this server that explains the kind."""
        kind = KINDS[self.name]
        return {
            "type": f"/problems/{self.name}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            **self.members,
        }

    def response(self) -> Response:
        """The answer itself."""
        return Response(
            json.dumps(self.body(), ensure_ascii=False),
            self.status,
            self.headers,
            MEDIA_TYPE,
        )


def bad_option(wrong: Mapping[str, str]) -> Problem:
    """The problem of wrong fields of a form: what is wrong with each of them.

    Its member `errors` says the same for programs. The field "" is the form as a whole.

    >>> bad_option({"faces": "at least 1", "": "too much"}).detail
    'faces: at least 1; too much'
    """
    told = "; ".join(f"{field}: {detail}" if field else detail for field, detail in wrong.items())
    errors = [{"field": field, "detail": detail} for field, detail in wrong.items()]
    return Problem("bad-option", told, members={"errors": errors})


# Most particular first: an error is answered by the first of its classes.
_OF_ERRORS: tuple[tuple[type[UnveilError], str], ...] = (
    (MaskError, "bad-mask"),
    (NotAlignedError, "not-aligned"),
    (NoFaceError, "no-face"),
    (OversizeError, "too-large"),
    (ImageError, "not-an-image"),
)


def from_error(error: UnveilError) -> Problem:
    """The problem that one of the project's own errors is.

    >>> from_error(MaskError("the mask is 3x3, the photo 4x4")).status
    422
    """
    if isinstance(error, UsageError):
        return bad_option({"": str(error)})
    if isinstance(error, FormatError):
        return bad_option({"format": str(error)})
    for kind, name in _OF_ERRORS:
        if isinstance(error, kind):
            return Problem(name, str(error))
    # Weights that are missing or damaged: the caller cannot help it, nor needs to see our paths.
    return Problem("internal", "the model could not be used; the server's log says why")


def explain(name: str) -> str | None:
    """What a kind means, in words; None: there is no such kind."""
    kind = KINDS.get(name)
    return f"{kind.status} {kind.title}\n\n{kind.advice}\n" if kind else None
