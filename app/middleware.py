"""What every request passes: its id, its log line, its size, its key, its rate, safe headers.

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
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ServiceError, describe_crash
from app.metrics import Metrics

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
POEM_PATHS = ("/generate", "/generate/stream")
OPEN_PATHS = ("/health/", "/metrics")
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
                add_headers(message, {"X-Request-ID": request_id, **SECURITY_HEADERS})
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
            unrouted = scope["path"] if scope["path"] in POEM_PATHS else "other"
            route = getattr(scope.get("route"), "path", unrouted)
            self._metrics.requests.labels(route, status).inc()
            self._metrics.request_s.labels(route).observe(elapsed_s)
            # Probes and scrapes come every few seconds, and would bury the poems.
            quiet = scope["path"].startswith(OPEN_PATHS) and status < 400
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
                scope["app"].state.service.engine.require_room()
            except ServiceError as error:
                answer = JSONResponse({"detail": error.detail}, error.status, error.headers)
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
        self._open_paths = frozenset(open_paths)
        keys = [line.strip() for line in path.read_bytes().splitlines() if line.strip()]
        if not keys:
            raise ValueError(f"{path} holds no key; it must hold one key a line")
        self._digests = [sha256(key).digest() for key in keys]  # of one length, as comparing wants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if scope["type"] == "http" and not self._is_open(scope["path"]):
            scheme, _, key = Headers(scope=scope).get("Authorization", "").partition(" ")
            # Every key is compared, so that the time gives no hint of which one is near.
            digest = sha256(key.encode("latin-1")).digest()
            known = sum(hmac.compare_digest(digest, own) for own in self._digests)
            if scheme.lower() != "bearer" or not known:
                answer = JSONResponse(
                    {"detail": "this service needs a valid key: Authorization: Bearer KEY"},
                    401,
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path.startswith(OPEN_PATHS) or path in self._open_paths


class RateLimit:
    """Limits how often a client, known by its address, may post.

    What it only fetches is not counted: the page alone is a dozen files.
    """

    def __init__(self, app: ASGIApp, limit: str) -> None:
        self._app = app
        self._limit = parse(limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429."""
        if scope["type"] == "http" and scope["method"] == "POST":
            client = (scope.get("client") or ("unknown",))[0]
            retry_after_s = self._wait_s(client)
            if retry_after_s:
                answer = JSONResponse(
                    {"detail": f"at most {self._limit}; try again in {retry_after_s} s"},
                    429,
                    headers={"Retry-After": str(retry_after_s)},
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _wait_s(self, client: str) -> int:
        """Count a client's request; return 0, or the seconds until it may ask again."""
        if self._limiter.hit(self._limit, client):
            return 0
        wait_s = self._limiter.get_window_stats(self._limit, client).reset_time - time.time()
        if wait_s > self._limit.get_expiry() + 1:
            # Longer than the window: the clock was set back, and would lock everybody out.
            self._limiter.storage.reset()
            return 0
        return max(1, round(wait_s))


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
