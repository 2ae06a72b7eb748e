"""The application, put together: models, gate, guard, addresses, page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from unveil import __version__
from unveil.server.api import make_router
from unveil.server.engine import Engine, Loader
from unveil.server.guard import LOOPBACK, Guard, check_host, check_token
from unveil.server.limits import Limits
from unveil.server.metrics import Metrics
from unveil.server.page import (
    FOLDER,
    GPU_FILES,
    RUNTIME_FOLDER,
    page_routes,
    runtime_files,
    runtime_routes,
)
from unveil.server.problems import Problem, bad_option
from unveil.server.schema import PROBLEM_SCHEMA
from unveil.server.service import Service
from unveil.server.video import make_video_router

log = logging.getLogger("unveil.server")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Settings:
    """How a server is set up.

    Attributes:
        model: the default model.
        threads: threads of one restoration, 0 = all cores.
        limits: what it takes on.
        token: asked for under /v1 and /metrics; None: nobody is asked.
        hosts: names by which it may be called; "*" allows all.
        page: the folder of the built page.
        runtime: the folder of onnxruntime's files for the browser; it may be missing.

    Raises:
        UsageError: the token or a host can never match what a request carries.
    """

    model: str
    threads: int = 0
    limits: Limits = field(default_factory=Limits)
    token: str | None = None
    hosts: Sequence[str] = LOOPBACK
    page: Path = FOLDER
    runtime: Path = RUNTIME_FOLDER

    def __post_init__(self) -> None:
        if self.token is not None:
            check_token(self.token)
        for host in self.hosts:
            check_host(host)


def create_app(settings: Settings, load: Loader | None = None) -> FastAPI:
    """The ASGI application.

    Args:
        settings: see `Settings`.
        load: makes the restorer of a model's name; None: `unveil.Restorer`.

    Raises:
        UsageError: there is no such model.
        WeightsError: the manifest of the models is damaged.
    """
    metrics = Metrics()
    engine = Engine(settings.model, settings.threads, load)

    files = runtime_files(settings.runtime)
    service = Service(
        engine,
        settings.limits,
        metrics,
        in_browser=bool(files),
        webgpu=GPU_FILES[0] in files,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm_up(service))
        yield
        await asyncio.to_thread(service.clips.close)
        await warming
        # uvicorn has waited for the answers before it comes here; nothing begun is cut off.
        await asyncio.to_thread(service.gate.close)

    app = FastAPI(
        title="unveil",
        version=__version__,
        description="Restores the part of a face that something hides. The hidden part is "
        "invented: not for identification.",
        lifespan=lifespan,
        # The usual pages of documentation load scripts from elsewhere; /openapi.json is enough.
        docs_url=None,
        redoc_url=None,
        exception_handlers={HTTPException: _as_problem, RequestValidationError: _as_problem},
    )
    app.state.service = service
    app.include_router(make_router(service))
    app.include_router(make_video_router(service))
    patience = settings.limits.send_seconds
    app.router.routes.extend(page_routes(settings.page, patience))
    app.router.routes.extend(runtime_routes(settings.runtime, patience))
    app.add_middleware(Guard, metrics=metrics, token=settings.token, hosts=settings.hosts)
    app.openapi = lambda: _openapi(app, settings.token is not None)  # type: ignore[method-assign]
    return app


async def _as_problem(request: Request, error: Exception) -> Response:
    """The framework's own errors, said as ours; the guard answers them."""
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            raise Problem("not-found", "there is nothing at this address")
        if error.status_code == 405:
            told = f"this address does not answer to {request.method[:20]}"
            raise Problem("wrong-method", told, {"Allow": ", ".join(_allowed(request))})
        raise Problem("bad-form", str(error.detail), error.headers)
    raise bad_option({"": "the address is not of the right form"})


def _allowed(request: Request) -> list[str]:
    """The methods of an address, which has a route for each; the framework names the first's."""
    routes = request.app.routes
    return [
        method
        for method in METHODS
        if any(r.matches({**request.scope, "method": method})[0] is Match.FULL for r in routes)
    ]


def _openapi(app: FastAPI, token: bool) -> dict[str, Any]:
    """The schema; made once, with the problems' form and the token where one is asked for."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        parts = made.setdefault("components", {})
        parts["schemas"] = {"Problem": PROBLEM_SCHEMA}
        # The framework adds its own form of 422 to whatever has a parameter; ours are the above.
        for methods in made["paths"].values():
            for operation in methods.values():
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
        if token:
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            made["security"] = [{"token": []}]
        app.openapi_schema = made
    return app.openapi_schema


async def _warm_up(service: Service) -> None:
    try:
        await service.gate.run(service.engine.warm_up)
    except Exception as error:
        # The server stays up and says that it is not ready; whoever supervises it decides.
        log.error("the model cannot be loaded: %s", error)
