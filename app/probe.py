"""The probe: whether a client that sends no more still reads, or has gone.

Who closes a connection and who ends only the own side of it send the same; they differ in what
comes back when something is sent to them. So an answer is sent a byte at a time before it is there:
any answer begins with the same bytes, and any chunk's size may begin with zeros. To what was sent
first a client that has gone replies with a reset, and then the next byte cannot be sent, which ends
the connection.

Sources
    RFC 9112 (HTTP/1.1): 4, the status line, and 7.1, a chunk's size.
    RFC 9293 (TCP): 3.6, closing a connection, and 3.10.7.1, the reset.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

BEGINNING = b"HTTP/1.1 "
ZEROS = 8  # before a chunk's size
FIRST_S = 0.02  # from the first byte to the second; each further one waits twice as long


class Probe:
    """Takes a transport's place in writing an answer, and sends its beginning in advance.

    Args:
        cycle: The request that is being answered.
        transport: Of the client, who sends no more.
    """

    def __init__(self, cycle: RequestResponseCycle, transport: asyncio.Transport) -> None:
        self._cycle, self._transport = cycle, transport
        self._sent = self._zeros = 0  # bytes of the answer's beginning, and before the next chunk
        self._wait_s = FIRST_S
        self._next: asyncio.TimerHandle | None = None
        cycle.transport = self  # type: ignore[assignment]
        self._send()

    def write(self, data: bytes) -> None:
        """Write what has not been sent in advance."""
        if data:
            self._transport.write(data[self._sent :])
            self._sent = self._zeros = 0

    def is_closing(self) -> bool:
        """Return whether the transport is closing."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close the transport, and probe no more."""
        if self._next is not None:
            self._next.cancel()
        self._transport.close()

    def _send(self) -> None:
        """Send one more byte, if there is one that any answer would go on with."""
        if self._transport.is_closing() or self._cycle.response_complete:
            return
        if not self._transport.get_write_buffer_size():  # else something is being sent
            if not self._cycle.response_started:
                self._transport.write(BEGINNING[self._sent : self._sent + 1])
                self._sent = min(self._sent + 1, len(BEGINNING))
            elif self._cycle.chunked_encoding and self._zeros < ZEROS:
                self._transport.write(b"0")
                self._zeros += 1
        loop = asyncio.get_running_loop()
        self._next = loop.call_later(self._wait_s, self._send)
        self._wait_s *= 2
