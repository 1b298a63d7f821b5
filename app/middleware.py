"""What every request passes through: ids, the log, limits of size and rate, keys, headers.

Pure ASGI: Starlette's BaseHTTPMiddleware would double the cost of a request.
"""

import asyncio
import hmac
import re
import time
import uuid
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.caller import CALLER, caller_of
from app.errors import ServiceError, TooManyRequests, describe_crash
from app.keys import read_keys
from app.metrics import Metrics
from app.rate import COST, Rate

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
GONE = 499  # status of a request whose client went before an answer began
CRASHED = "something went wrong; the log has the details under this answer's X-Request-ID"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
NO_CACHE = "no-cache"  # asked for again by its ETag: no mixture of two releases
IMMUTABLE = "public, max-age=31536000, immutable"  # of a file whose address has its digest
POEM_PATHS = ("/generate", "/generate/stream", "/revise")
TOOL_PATH = "/mcp"
OPEN_PATHS = ("/health/live", "/health/ready", "/metrics")  # for probes, which have no key
FAILURES = "20/minute"  # keys that are wrong, of one address
BODY_S = 10.0  # that a body may take to arrive; a poem's wishes are a kilobyte


def add_headers(message: Message, headers: Mapping[str, str]) -> None:
    """Add headers to the beginning of an answer."""
    message.setdefault("headers", [])
    MutableHeaders(scope=message).update(headers)


class Observed:
    """Gives a request its id, and writes one log line and its metrics when it is answered."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        start, status = time.perf_counter(), GONE

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                cost = {"X-Yin-Cost": str(scope[COST])} if COST in scope else {}
                add_headers(message, {"X-Request-ID": request_id, **SECURITY_HEADERS, **cost})
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:
            entry = describe_crash(error)
            structlog.get_logger().error("crash", request_id=request_id, **entry)
            if status == GONE:
                await JSONResponse({"detail": CRASHED}, 500)(scope, receive, send_marked)
        finally:
            elapsed_s = time.perf_counter() - start
            unrouted = scope["path"] if scope["path"] in (*POEM_PATHS, TOOL_PATH) else "other"
            route = getattr(scope.get("route"), "path", unrouted)
            self._metrics.requests.labels(route, status).inc()
            self._metrics.request_s.labels(route).observe(elapsed_s)
            # Probes and scrapes come every few seconds, and would bury the poems.
            quiet = scope["path"] in OPEN_PATHS and status < 400
            log = structlog.get_logger()
            (log.debug if quiet else log.info)(
                "request",
                request_id=request_id,
                method=scope["method"],
                route=route,
                status=status,
                elapsed_s=round(elapsed_s, 4),
            )


class BodyLimit:
    """Refuses a body that is larger than it may be, or that takes too long to arrive."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_s: float = BODY_S) -> None:
        self._app, self._max_bytes, self._max_s = app, max_bytes, max_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 413 or 408."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        encoding = Headers(scope=scope).get("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            detail = f"the body must not be encoded, and this one is {encoding!r}"
            await JSONResponse({"detail": detail}, 415)(scope, receive, send)
            return
        length = Headers(scope=scope).get("Content-Length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            await self._refuse_size(scope, receive, send)
            return
        # Read whole before it is passed on: it is small, and a refusal comes before any work.
        try:
            async with asyncio.timeout(self._max_s):
                posted = scope["method"] in ("POST", "PUT", "PATCH")
                body = await self._read(receive) if posted else b""
        except TimeoutError:
            detail = f"the body must arrive within {self._max_s:g} s"
            answer = JSONResponse({"detail": detail}, 408, headers={"Connection": "close"})
            await answer(scope, receive, send)
            return
        if body is None:
            return
        if len(body) > self._max_bytes:
            await self._refuse_size(scope, receive, send)
            return
        await self._app(scope, replaying(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return a body, cut soon after it is too large; None if the client goes."""
        body, more = bytearray(), True
        while more and len(body) <= self._max_bytes:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body)

    async def _refuse_size(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"the body must be at most {self._max_bytes} bytes"
        await JSONResponse({"detail": detail}, 413)(scope, receive, send)


def replaying(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives body first, and then what receive gives."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


class RefuseEarly:
    """Refuses a poem before its request is parsed, when there is no room even for a short one.

    Parsing costs ten times more than refusing: a flood would take the processors from those who are
    served.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer as the engine refuses it."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in POEM_PATHS:
            try:
                scope["app"].state.service.engine.require_slot(caller_of(scope))
            except ServiceError as error:
                answer = JSONResponse({"detail": error.message}, error.status, error.headers)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class ApiKeys:
    """Lets through who shows a key: Authorization: Bearer KEY.

    Args:
        app: What is guarded.
        path: File with one key a line.
        open_paths: Files that need no key, such as the page, where a person types theirs.
    """

    def __init__(self, app: ASGIApp, path: Path, open_paths: Collection[str] = ()) -> None:
        self._app = app
        # Of one length, as comparing wants.
        self._digests = [sha256(key).digest() for key in read_keys(path)]
        self._failures = Rate(FAILURES)
        self._open_paths = frozenset([*OPEN_PATHS, *open_paths])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            scheme, _, key = Headers(scope=scope).get("Authorization", "").partition(" ")
            # Every key is compared, so that the time gives no hint of which one is near.
            digest = sha256(key.encode("latin-1")).digest()
            known = sum(hmac.compare_digest(digest, own) for own in self._digests)
            scope[CALLER] = f"key {digest.hex()}"
            if scheme.lower() != "bearer" or not known:
                del scope[CALLER]
                await self._refuse(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or 429 to who tries one key after the other."""
        try:
            self._failures.count(caller_of(scope))
        except TooManyRequests as error:
            answer = JSONResponse({"detail": error.message}, error.status, error.headers)
        else:
            answer = JSONResponse(
                {"detail": "this service needs a valid key: Authorization: Bearer KEY"},
                401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        await answer(scope, receive, send)


class HeadAsGet:
    """Lets HEAD be answered like GET; the server leaves the body out."""

    def __init__(self, app: ASGIApp, paths: Collection[re.Pattern[str]]) -> None:
        self._app, self._paths = app, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        asked = scope["type"] == "http" and scope["method"] == "HEAD"
        if asked and any(path.match(scope["path"]) for path in self._paths):
            # The server keeps its own scope, by which it knows that there is no body to send.
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class PageHeaders:
    """Lets the page load only what this service serves, and says how long it may be kept."""

    def __init__(self, app: ASGIApp, cache: str = NO_CACHE) -> None:
        self._app = app
        self._headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": cache}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(message, self._headers)
            await send(message)

        await self._app(scope, receive, send_marked)
