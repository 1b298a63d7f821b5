"""The load generator, against a server that answers as it is told."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchmarks.http import times_faster
from benchmarks.load import Connection, Load, closed_loop, open_loop

ANSWER = b"HTTP/1.1 %d said\r\nContent-Length: 4\r\n\r\npoem"


@asynccontextmanager
async def answering(*statuses: int, delay_s: float = 0.0) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve statuses in turn; yield the port and what was asked. 0 closes without an answer."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.read(65536):
                asked.append(head)
                status = statuses[(len(asked) - 1) % len(statuses)]
                await asyncio.sleep(delay_s)
                if status == 0:
                    break
                writer.write(ANSWER % status)
        except ConnectionResetError:
            pass  # the load has ended
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked
        await asyncio.sleep(delay_s + 0.05)  # until every connection has seen its end


def body(number: int) -> dict[str, Any]:
    return {"seed": number}


def test_latency_is_what_a_share_of_the_answers_did_not_exceed() -> None:
    load = Load(2.0, {200: 100, 503: 7}, tuple(n / 100 for n in range(100)))
    assert load.rate == 50
    assert [load.latency_s(share) for share in (0, 0.5, 0.99, 1)] == [0, 0.5, 0.99, 0.99]
    assert math.isnan(Load(1.0, {503: 1}, ()).latency_s(0.5))


def test_connection_is_kept_between_answers() -> None:
    async def ask() -> list[bytes]:
        async with answering(200, 503) as (port, asked):
            connection = Connection("127.0.0.1", port)
            assert await connection.post("/generate", body(7)) == (200, b"poem")
            assert await connection.get("/metrics") == (503, b"poem")
            connection.close()
        return asked

    post, get = asyncio.run(ask())
    assert post.startswith(b"POST /generate HTTP/1.1\r\n")
    assert post.endswith(b'{"seed": 7}')
    assert get.startswith(b"GET /metrics HTTP/1.1\r\n")


def test_server_that_closes_without_an_answer_is_an_error() -> None:
    async def ask() -> None:
        async with answering(0) as (port, _):
            await Connection("127.0.0.1", port).get("/")

    with pytest.raises(ConnectionError, match="before the answer"):
        asyncio.run(ask())


def test_closed_loop_keeps_so_many_in_flight_and_lets_them_end() -> None:
    async def run() -> tuple[Load, int]:
        async with answering(200, 503, delay_s=0.02) as (port, asked):
            load = await closed_loop(port, "/", body, concurrency=4, seconds=0.4, warm_up_s=0.05)
        return load, len(asked)

    load, asked = asyncio.run(run())
    assert set(load.statuses) == {200, 503}
    assert len(load.latencies_s) == load.statuses[200]
    assert min(load.latencies_s) >= 0.02
    assert sum(load.statuses.values()) <= asked <= 4 * (0.5 / 0.02 + 1)


def test_open_loop_sends_at_its_rate_whatever_comes_back() -> None:
    async def run() -> Load:
        async with answering(200, delay_s=0.2) as (port, _):
            return await open_loop(port, "/", body, rate=100, seconds=0.6, warm_up_s=0.3)

    load = asyncio.run(run())
    assert 25 <= load.statuses[200] <= 90  # one at a time would be three


def test_error_of_a_request_ends_the_load() -> None:
    async def run() -> None:
        async with answering(0) as (port, _):
            await closed_loop(port, "/", body, concurrency=1, seconds=0.05, warm_up_s=0.05)

    with pytest.raises(ConnectionError):
        asyncio.run(run())


def test_ratios_are_ours_to_each_other_at_the_same_concurrency() -> None:
    def row(rate: float) -> dict[str, dict[str, float]]:
        return {"1": {"poems_per_s": rate}, "64": {"poems_per_s": 10 * rate}}

    servers = {"yin": row(8.0), "plain": row(2.0)}
    assert times_faster(servers) == {"plain": {"1": 4.0, "64": 4.0}}
    assert times_faster({"plain": row(2.0)}) == {}
