"""The page: a handful of built files, kept in memory and served with their fingerprints.

Beside it, where they were built, the files of onnxruntime with which a browser runs the networks.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from unveil.server.sending import PatientResponse

FOLDER = Path(__file__).parent / "page"
# Not in the wheel: `npm run runtime` in web/ writes them, here or into a folder of one's own.
RUNTIME_FOLDER = Path(__file__).parent / "ort"
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
# For browsers with WebGPU: one build of onnxruntime that has both. May be missing by itself.
GPU_FILES = (
    "ort.jspi.min.mjs",
    "ort-wasm-simd-threaded.jspi.mjs",
    "ort-wasm-simd-threaded.jspi.wasm",
)
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def page_routes(folder: Path, seconds: float) -> list[Route]:
    """A route for each file of the folder, index.html also at `/`.

    Only what lies there now is served: no path of a request is ever looked up on the disk.

    Args:
        seconds: in which each piece of an answer must be taken.
    """
    routes = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        handler = _serve(partial(bytes, path.read_bytes()), _type_of(path), seconds)
        routes.append(Route(f"/{name}", handler))
        if name == "index.html":
            routes.append(Route("/", handler))
    return routes


def runtime_files(folder: Path = RUNTIME_FOLDER) -> tuple[str, ...]:
    """The files of the browser's runtime that a folder has.

    None where one of `RUNTIME_FILES` is missing, and none of `GPU_FILES` where one of these is.
    """

    def whole(names: tuple[str, ...]) -> tuple[str, ...]:
        return names if all((folder / name).is_file() for name in names) else ()

    first = whole(RUNTIME_FILES)
    return first + whole(GPU_FILES) if first else ()


def runtime_routes(folder: Path, seconds: float) -> list[Route]:
    """A route under /ort/ for each of `runtime_files`, as `page_routes`.

    They are large and seldom asked for, so they stay on the disk until they are; from then on one
    copy is for all who ask.
    """
    paths = [folder / name for name in runtime_files(folder)]
    return [
        Route(f"/ort/{p.name}", _serve(p.read_bytes, _type_of(p), seconds, keep=True))
        for p in paths
    ]


def _type_of(path: Path) -> str:
    known = TYPES.get(path.suffix)
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _serve(
    read: Callable[[], bytes], media_type: str, seconds: float, keep: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    fingerprint = hashlib.sha256(read()).hexdigest()
    read = cache(read) if keep else read

    async def answer(request: Request) -> Response:
        return await asyncio.to_thread(
            fingerprinted, request, read, fingerprint, media_type, seconds
        )

    return answer


def fingerprinted(
    request: Request, read: Callable[[], bytes], sha256: str, media_type: str, seconds: float
) -> Response:
    """An answer that the browser keeps and asks for again each time, in a few bytes.

    So a new version is seen at once. `read` gives the bytes where the browser has others or none;
    each piece of them must be taken in so many seconds.
    """
    etag = f'"{sha256[:20]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if _has(request, etag):
        return Response(status_code=304, headers=headers)
    return PatientResponse(read(), media_type, headers, seconds)


def _has(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this version, or any (RFC 9110, 13.1.2: compared weakly)."""
    lines = ",".join(request.headers.getlist("if-none-match"))
    tags = [tag.strip().removeprefix("W/") for tag in lines.split(",")]
    return etag in tags or tags == ["*"]
