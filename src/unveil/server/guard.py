"""Around every request: who may ask, what every answer carries, and that no traceback leaves."""

from __future__ import annotations

import hmac
import logging
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unveil.errors import UsageError
from unveil.server.metrics import Metrics
from unveil.server.problems import Problem

log = logging.getLogger("unveil.server")

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Nothing but this server's own files; no inline scripts or styles. 'wasm-unsafe-eval' lets the
# page compile WebAssembly of its own origin, and nothing else.
CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens at this name or address.

    >>> [is_loopback(host) for host in ("LocalHost", "127.0.0.2", "0.0.0.0", "photos.example")]
    [True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() in LOOPBACK


class Guard:
    """ASGI middleware.

    Args:
        app: what it guards.
        metrics: where it counts.
        token: see `check_token`; asked for under /v1 and /metrics; None: nobody is asked.
        hosts: names by which the server may be called, see `check_host`; "*" allows all.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, token: str | None, hosts: Sequence[str]
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.token = token
        self.hosts = tuple(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                # What is made from a photo, or holds for now only, is kept by nobody.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, receive, send_with_headers)
        except Problem as problem:
            self.metrics.problems.labels(problem.name).inc()
            await problem.response()(scope, receive, send_with_headers)
        except Exception:
            # The log gets the traceback, which holds no photo; the caller gets a sentence.
            log.exception("%s %s failed", scope["method"], _route(scope))
            if status:
                raise  # the answer has begun: only cutting the connection says that it failed
            self.metrics.problems.labels("internal").inc()
            ours = Problem("internal", "this request could not be done; the log says why")
            await ours.response()(scope, receive, send_with_headers)
        finally:
            route = _route(scope)
            self.metrics.requests.labels(route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - started)

    def _check(self, scope: Scope) -> None:
        """Refuse foreign names and origins, and API calls without the token.

        A page of another site could otherwise have its visitor's browser ask this server: directly
        (its Origin tells), or under a name of its own that leads here (Host tells).
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if "*" not in self.hosts and _name(host) not in self.hosts:
            raise Problem("wrong-host", f"this server is not called {host[:100]!r}")
        origin = headers.get("origin")
        if origin is not None and not _same(origin, host):
            raise Problem("wrong-host", "pages of other origins may not ask this server")
        path: str = scope["path"]
        guarded = path.startswith("/v1/") or path == "/metrics"
        if self.token is not None and guarded:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            same = hmac.compare_digest(given.lstrip(" ").encode(), self.token.encode())
            if scheme.lower() != "bearer" or not same:
                raise Problem(
                    "no-token", "this server asks for a token", {"WWW-Authenticate": "Bearer"}
                )


def check_token(token: str) -> None:
    """Refuse a token that no header could carry as it is.

    Raises:
        UsageError: it is empty, or holds a blank or anything but ASCII.
    """
    if not re.fullmatch("[!-~]+", token):
        raise UsageError("the token must be of ASCII letters, digits and signs, without blanks")


def check_host(host: str) -> None:
    """Refuse what no header Host can name.

    Raises:
        UsageError: it is neither a name nor an address by itself, nor "*".
    """
    with suppress(ValueError):
        ip_address(host)
        return
    if host != "*" and not re.fullmatch(r"[a-z0-9._-]+", host.lower()):
        raise UsageError(
            f"{host!r} is not the name of a host: give it alone, without http:// and port, "
            "one outside ASCII as xn--..."
        )


def _same(origin: str, host: str) -> bool:
    """Whether a page of this origin is one of this server's own."""
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False


def _name(host: str) -> str:
    """The host of HOST or HOST:PORT, IPv6 too.

    >>> _name("[::1]:8000"), _name("LocalHost:80")
    ('::1', 'localhost')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _route(scope: Scope) -> str:
    """The path as a label: of those there are, so that nobody can make more."""
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path else "page" if "endpoint" in scope else "other"
