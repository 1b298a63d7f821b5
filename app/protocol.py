"""The protocol of a connection: uvicorn's, but a request's head must be short and arrive in time.

uvicorn itself waits for ever, so that clients which begin a request and then say nothing could take
every descriptor that this process may open; and it keeps a head of any size, so that four clients
which keep sending headers could take two gigabytes of memory in five seconds.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0  # from the connection, or a request's first byte, to the end of its head
HEAD_BYTES = 65_536  # of a request besides its body: the head, trailers, the framing of chunks


class Protocol(HttpToolsProtocol):
    """Closes a connection whose next request does not come, or says much besides its body."""

    _patience: asyncio.TimerHandle | None = None
    _beside_body = 0  # bytes of the request so far

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes, up to a limit."""
        # Before it is parsed: what ends one request's body may begin another, which counts anew.
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > HEAD_BYTES:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Leave the size of a body to the application."""
        self._beside_body -= len(body)
        super().on_body(body)

    def on_message_begin(self) -> None:
        """Wait for the rest of a head; between two requests uvicorn's own limit holds."""
        super().on_message_begin()
        self._beside_body = 0
        self._wait()

    def on_headers_complete(self) -> None:
        """Let the application wait for what follows."""
        self._stop_waiting()
        super().on_headers_complete()

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
