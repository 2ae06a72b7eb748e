"""multipart/form-data, kept in memory: the usual parsers put larger files on the disk."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from unveil.server.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_PARTS = 32
MOST_FIELD_BYTES = 1000
MOST_HEADER_BYTES = 8000
_EXTENDED_NAME = re.compile(rb";\s*filename\*\s*=", re.IGNORECASE)


@dataclass
class Form:
    """A parsed form.

    Attributes:
        fields: text fields by name.
        files: the bytes of the files by field name. Their own names are not even kept.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


async def read_form(content_type: str, chunks: AsyncIterator[bytes]) -> Form:
    """Parse a form as it arrives.

    Args:
        content_type: the request's header.
        chunks: its body, of bounded size.

    Raises:
        Problem: bad-form, when it is none, is cut off, or says a thing twice.
    """
    kind, parameters = parse_options_header(content_type)
    boundary = parameters.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Problem("bad-form", "the request is not multipart/form-data with a boundary")
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        async for chunk in chunks:
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise Problem("bad-form", f"the form is damaged: {error}") from None
    if not reader.ended:
        raise Problem("bad-form", "the form is cut off")
    return reader.form


class _Reader:
    """Collects what the parser calls out, part by part."""

    def __init__(self) -> None:
        self.form = Form()
        self.ended = False
        self.parts = 0
        self.header = bytearray()
        self.value = bytearray()
        self.data = bytearray()
        self.name = ""
        self.is_file = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self.begin,
            "on_header_field": self.add_header,
            "on_header_value": self.add_value,
            "on_header_end": self.end_header,
            "on_headers_finished": self.check_name,
            "on_part_data": self.add_data,
            "on_part_end": self.end_part,
            "on_end": self.end,
        }

    def begin(self) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise Problem("bad-form", f"the form has over {MOST_PARTS} parts")
        self.name, self.is_file, self.data = "", False, bytearray()

    def add_header(self, data: bytes, start: int, end: int) -> None:
        self._grow(self.header, data[start:end])

    def add_value(self, data: bytes, start: int, end: int) -> None:
        self._grow(self.value, data[start:end])

    def end_header(self) -> None:
        if self.header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self.value))
            self.name = options.get(b"name", b"").decode("utf-8", "replace")
            # `filename*`, which some clients send, the parser drops.
            self.is_file = b"filename" in options or bool(_EXTENDED_NAME.search(self.value))
        self.header, self.value = bytearray(), bytearray()

    def check_name(self) -> None:
        if not self.name:
            raise Problem("bad-form", "a part of the form has no name")
        if self.name in self.form.fields or self.name in self.form.files:
            raise Problem("bad-form", f"the form has more than one {self.name!r}")

    def add_data(self, data: bytes, start: int, end: int) -> None:
        if self.is_file:
            self.data += data[start:end]  # bounded by the body's limit
        elif len(self.data) + end - start > MOST_FIELD_BYTES:
            raise Problem(
                "bad-form",
                f"the field {self.name[:60]!r} is over {MOST_FIELD_BYTES} bytes: a file must be "
                "sent as one (with a filename)",
            )
        else:
            self.data += data[start:end]

    def end_part(self) -> None:
        if self.is_file:
            self.form.files[self.name] = bytes(self.data)
        else:
            self.form.fields[self.name] = self.data.decode("utf-8", "replace")
        self.data = bytearray()

    def end(self) -> None:
        self.ended = True

    def _grow(self, target: bytearray, more: bytes) -> None:
        if len(target) + len(more) > MOST_HEADER_BYTES:
            raise Problem("bad-form", f"a header of the form is over {MOST_HEADER_BYTES} bytes")
        target += more
