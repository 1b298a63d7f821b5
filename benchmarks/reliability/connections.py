"""T7: connections held in each state are closed at its deadline, and stop nobody meanwhile."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Mapping

from benchmarks.load import Connection
from benchmarks.reliability.report import Report

GET = b"GET /health/live HTTP/1.1\r\nHost: yin\r\n\r\n"
POST = b"POST /generate HTTP/1.1\r\nHost: yin\r\nContent-Type: application/json\r\n"
FONT = b"GET /font/kai.woff2 HTTP/1.1\r\nHost: yin\r\n\r\n"
# What a client of each state says, what it goes on to say, and whether it reads.
STATES: Mapping[str, tuple[bytes, bytes, bool]] = {
    "silent": (b"", b"", True),
    "head": (b"GET / HTTP/1.1\r\nHost: yin\r\n", b"X: a\r\n", True),
    "body": (POST + b"Content-Length: 1000\r\n\r\n{", b" ", True),
    "refused body": (POST + b"Content-Length: 1000000\r\n\r\n", b" ", True),
    "idle": (GET, b"\r\n", True),
    "not reading": (FONT * 20, b"", False),
}
SAY_EVERY_S = 0.5
SLACK_S = 3.0


async def held_s(port: int, state: str, most_s: float) -> float:
    """Hold a connection in a state; return after how many seconds it was closed.

    Args:
        port: Of the service.
        state: Of STATES.
        most_s: When to give up.
    """
    says, goes_on, reads = STATES[state]
    loop, start = asyncio.get_running_loop(), time.monotonic()
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", port))
        with contextlib.suppress(OSError):
            await loop.sock_sendall(connection, says)
            while time.monotonic() < start + most_s:
                if not await still_open(connection, reads):
                    break
                if goes_on:
                    await loop.sock_sendall(connection, goes_on)
    return time.monotonic() - start


async def still_open(connection: socket.socket, reads: bool) -> bool:
    """Wait a little, reading or not; return whether a connection is open after that."""
    if not reads:
        await asyncio.sleep(SAY_EVERY_S)
        error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return error == 0
    loop, end = asyncio.get_running_loop(), time.monotonic() + SAY_EVERY_S
    while time.monotonic() < end:
        try:
            async with asyncio.timeout_at(loop.time() + max(0.0, end - time.monotonic())):
                if not await loop.sock_recv(connection, 65_536):
                    return False
        except TimeoutError:
            return True
    return True


async def hold(port: int, deadlines_s: Mapping[str, float], clients: int) -> Report:
    """Hold many connections in each state, and ask for a poem meanwhile.

    Args:
        port: Of the service.
        deadlines_s: When a connection in each state has to be closed.
        clients: Connections of each state.
    """
    holding = {
        state: [
            asyncio.ensure_future(held_s(port, state, deadline_s + 2 * SLACK_S))
            for _ in range(clients)
        ]
        for state, deadline_s in deadlines_s.items()
    }
    await asyncio.sleep(1)
    connection, took = Connection("127.0.0.1", port), list[float]()
    for number in range(10):
        start = time.monotonic()
        status, _ = await connection.post("/generate", {"form": "jueju-7", "seed": number})
        took.append(time.monotonic() - start if status == 200 else float("inf"))
    connection.close()
    report = Report({"clients": clients, "poem_s": round(sorted(took)[5], 3)})
    report.require(max(took) < 5, f"a poem took {max(took):.1f} s meanwhile")
    for state, each in holding.items():
        longest_s = max(await asyncio.gather(*each))
        report.figures[state] = round(longest_s, 1)
        late = longest_s > deadlines_s[state] + SLACK_S
        report.require(not late, f"{state}: held for {longest_s:.1f} s and more")
    return report
