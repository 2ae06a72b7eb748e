"""The page: a handful of built files, kept in memory and served with their fingerprints."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "page"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


def page_routes(folder: Path = FOLDER) -> list[Route]:
    """A route for each file of the folder, index.html also at `/`.

    Only what lies there now is served: no path of a request is ever looked up on the disk.
    """
    routes = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        handler = _serve(path.read_bytes(), _type_of(path))
        routes.append(Route(f"/{name}", handler))
        if name == "index.html":
            routes.append(Route("/", handler))
    return routes


def _type_of(path: Path) -> str:
    known = TYPES.get(path.suffix)
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _serve(data: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    etag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
    # Asked again each time, answered in a few bytes: a new version is seen at once.
    headers = {"ETag": etag, "Cache-Control": "no-cache"}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=media_type, headers=headers)

    return answer
