"""A load generator: many HTTP connections from one process, at little cost to the one measured.

closed_loop() keeps so many requests in flight; open_loop() sends at a rate, whatever comes back.
"""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httptools

Fields = Mapping[str, Any]

SETTLED_S = 20.0  # longest wait for answers when the time is over


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection that is kept; a request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    async def post(self, path: str, fields: Fields) -> tuple[int, bytes]:
        """Send fields as JSON; return the status and the body.

        Raises:
            ConnectionError: If the server closes before the answer is whole.
        """
        body = json.dumps(fields).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        return await self._send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of a path.

        Raises:
            ConnectionError: If the server closes before the answer is whole.
        """
        return await self._send(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    async def _send(self, message: bytes) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        transport = self._transport
        if transport is None or transport.is_closing():
            transport, _ = await loop.create_connection(lambda: self, self._host, self._port)
        self._answer, self._body = loop.create_future(), b""
        self._parser = httptools.HttpResponseParser(self)
        transport.write(message)
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.close()  # what comes now would be taken for the next answer
            raise

    def close(self) -> None:
        """Go away, with or without an answer."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what asyncio gives."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what comes."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed before the answer was whole"))

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body; called by the parser."""
        self._body += part

    def on_message_complete(self) -> None:
        """Hand over the answer; called by the parser."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), self._body))


@dataclass(frozen=True)
class Load:
    """What came of a load.

    Args:
        seconds: How long answers were counted.
        statuses: How many answers had each status.
        latencies_s: Of each answer with status 200, sorted.
    """

    seconds: float
    statuses: Mapping[int, int]
    latencies_s: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.latencies_s) / self.seconds

    def latency_s(self, share: float) -> float:
        """Return what this share of the good answers did not exceed; NaN without any."""
        if not self.latencies_s:
            return float("nan")
        return self.latencies_s[min(len(self.latencies_s) - 1, int(share * len(self.latencies_s)))]


class Counter:
    """Counts the answers that come while it counts."""

    def __init__(self) -> None:
        self.counting = False
        self._statuses: dict[int, int] = {}
        self._latencies_s: list[float] = []

    async def ask(self, connection: Connection, path: str, fields: Fields) -> None:
        """Send a request and count its answer."""
        start = time.perf_counter()
        status, _ = await connection.post(path, fields)
        if self.counting:
            self._statuses[status] = self._statuses.get(status, 0) + 1
            if status == 200:
                self._latencies_s.append(time.perf_counter() - start)

    async def count_for(self, seconds: float) -> Load:
        """Count for a time; return what came."""
        self.counting, start = True, time.perf_counter()
        await asyncio.sleep(seconds)
        self.counting = False
        elapsed_s = time.perf_counter() - start
        return Load(elapsed_s, self._statuses, tuple(sorted(self._latencies_s)))


async def closed_loop(
    port: int,
    path: str,
    make: Callable[[int], Fields],
    *,
    concurrency: int,
    seconds: float,
    warm_up_s: float = 1.0,
) -> Load:
    """Keep concurrency requests in flight; count the answers of seconds after a warm-up.

    Args:
        port: Of a server on this machine.
        path: Where to post.
        make: Returns the body of request number n.
        concurrency: Connections, each of which waits for its answer before it asks again.
        seconds: How long to count.
        warm_up_s: How long to run before.
    """
    counter, numbers, over = Counter(), itertools.count(), asyncio.Event()

    async def keep_asking() -> None:
        connection = Connection("127.0.0.1", port)
        while not over.is_set():
            await counter.ask(connection, path, make(next(numbers)))
        connection.close()

    asking = [asyncio.ensure_future(keep_asking()) for _ in range(concurrency)]
    await asyncio.sleep(warm_up_s)
    load = await counter.count_for(seconds)
    over.set()
    # Some servers write on for clients who have left: the next load would not be alone.
    await asyncio.wait(asking, timeout=SETTLED_S)
    await _stop(asking)
    return load


async def open_loop(
    port: int,
    path: str,
    make: Callable[[int], Fields],
    *,
    rate: float,
    seconds: float,
    warm_up_s: float = 1.0,
) -> Load:
    """Send rate requests a second at random times; count the answers of seconds after a warm-up.

    Args:
        port: Of a server on this machine.
        path: Where to post.
        make: Returns the body of request number n.
        rate: Requests a second, whether or not the earlier ones were answered.
        seconds: How long to count.
        warm_up_s: How long to run before.
    """
    counter, free = Counter(), list[Connection]()
    in_flight: set[asyncio.Task[None]] = set()

    async def ask(number: int) -> None:
        connection = free.pop() if free else Connection("127.0.0.1", port)
        await counter.ask(connection, path, make(number))
        free.append(connection)

    async def arrive() -> None:
        chance, start, due = random.Random(0), time.perf_counter(), 0.0
        for number in itertools.count():
            due += chance.expovariate(rate)
            if (wait_s := start + due - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            task = asyncio.ensure_future(ask(number))
            in_flight.add(task)
            task.add_done_callback(in_flight.discard)

    arriving = asyncio.ensure_future(arrive())
    await asyncio.sleep(warm_up_s)
    load = await counter.count_for(seconds)
    await _stop([arriving, *in_flight])
    return load


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks; raise what any of them died of before."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
            raise outcome
