"""The protocol of a connection: uvicorn's, with a deadline for each state that it can be in.

uvicorn itself waits for ever, so that clients which begin a request and then say nothing could take
every descriptor that this process may open; and it keeps a head of any size, so that four clients
which keep sending headers could take two gigabytes of memory in five seconds.

    head     from the connection, or a request's first byte, to the end of its head
    body     from there to the end of the request, even if it is answered before
    idle     from the answer to the next request; blank lines are none
    stalled  while the client reads nothing of what is written

It answers who sends no more (see app.probe), and HTTP/1.0, which knows no chunks.
"""

import asyncio
import math
import resource
import socket
import struct
from typing import Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.probe import Probe

HEAD_S = 10.0
BODY_S = 15.0  # the application answers after 10
STALL_S = 30.0
HEAD_BYTES = 65_536  # of a request besides its body: the head, trailers, the framing of chunks
NO_LINGER = struct.pack("ii", 1, 0)  # for SO_LINGER
SPARE = 64  # descriptors for what is not a connection
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: 52\r\n\r\n"
    b'{"detail":"too many connections; try again in 1 s"}\n'
)


class Protocol(HttpToolsProtocol):
    """Closes a connection that stays in a state for too long, or says much besides its body."""

    max_connections = 1000
    _answered: RequestResponseCycle | None = None  # what is being answered, or was
    _deadline: asyncio.TimerHandle | None = None  # of head, body or idle
    _stall: asyncio.TimerHandle | None = None
    _in_head = False
    _in_message = False
    _beside_body = 0  # bytes of the request so far
    _head = 0  # of them, those of its address and headers

    @classmethod
    def limited(cls, max_connections: int) -> type[Self]:
        """Return this protocol for so many connections, or as many as may be open."""
        openable, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        limits = {"max_connections": max(1, min(max_connections, openable - SPARE))}
        return type(cls.__name__, (cls,), limits)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, unless there are too many who do."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.write(FULL)
            transport.close()
            return
        self._in_head = True
        self._allow(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._allow(None)
        self.resume_writing()
        super().connection_lost(exc)
        if self._answered is not None:  # uvicorn lets the last request know, but not those before
            self._answered.disconnected = not self._answered.response_complete
            self._answered.message_event.set()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer what has been asked, although there will be no more requests."""
        last, answered = self.cycle, self._answered
        if self._in_message or answered is None or answered.response_complete:
            return None
        last.keep_alive = False
        Probe(answered, self.transport)
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]
        """Begin to answer."""
        self._answered = cycle
        old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, unframed(cycle, app) if old else app)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Take what comes, up to a limit."""
        # Before it is parsed: what ends one request's body may begin another, which counts anew.
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > HEAD_BYTES:
            self._end()

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._beside_body = self._head = 0
        self._in_message = True
        if not self._in_head:
            self._in_head = True
            self._allow(HEAD_S)

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._in_head = False
        super().on_headers_complete()
        # What is sent before the last answer has come is not even read until then.
        self._allow(None if self.pipeline else BODY_S)

    def on_body(self, body: bytes) -> None:
        """Leave the size of a body to the application."""
        self._beside_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Let the application answer."""
        super().on_message_complete()
        self._in_message = False
        self._allow(self.timeout_keep_alive if self.cycle.response_complete else None)

    def on_response_complete(self) -> None:
        """Wait for the next request, or the rest of this one."""
        super().on_response_complete()
        if not self._in_message and not self.pipeline and not self.transport.is_closing():
            self._allow(self.timeout_keep_alive)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(STALL_S, self.reset)

    def resume_writing(self) -> None:
        """Write on."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def _count(self, *parts: bytes) -> None:
        """Refuse a head that is too large, which uvicorn answers with 400.

        Raises:
            ValueError: If it is.
        """
        self._head += sum(map(len, parts))
        if self._head > HEAD_BYTES:
            raise ValueError(f"a head must be at most {HEAD_BYTES} bytes")

    def _allow(self, seconds: float | None) -> None:
        """Let the connection stay in its state for so long; None for any time."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._end)

    def reset(self) -> None:
        """Close at once, and let the system forget what the client has not read."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.transport.abort()

    def _end(self) -> None:
        """Close, without waiting for a client that does not read."""
        if self.transport.get_write_buffer_size():
            self.reset()
        else:
            self.transport.close()


def unframed(cycle: RequestResponseCycle, app: ASGIApp) -> ASGIApp:
    """Return an application whose answer, where its length is unknown, ends with the connection."""

    async def unframed_app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if b"content-length" not in (name.lower() for name, _ in message["headers"]):
                    cycle.chunked_encoding = False
                    cycle.expected_content_length = math.inf  # type: ignore[assignment]
            elif cycle.expected_content_length == math.inf and not message.get("more_body", False):
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_unframed)

    return unframed_app
