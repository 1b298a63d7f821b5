"""Random traffic against a running service: the same poems alone or together, leavers, idle ones.

    python -m benchmarks.traffic --port 8000

Answers of random requests, each asked for alone, are compared with those that the same requests
get when many are in flight; then clients leave at random, and every slot has to come free.
"""

import asyncio
import contextlib
import itertools
import json
import random
import re
import time
from typing import Any

import typer

from benchmarks.load import Connection

STARTS = "日红山夜湖海月春秋风"
FREE_WITHIN_S = 10.0
REFUSED_S = 0.2  # before a refused request is sent again


def any_request(chance: random.Random) -> dict[str, Any]:
    """Return a random request with a seed; it is short enough to be asked for alone."""
    form = chance.choice(["jueju-5", "jueju-7", "lushi-5", "gushi-5", None])
    fields = {
        "start": chance.choice([None, chance.choice(STARTS)]),
        "form": form,
        "length": chance.choice([None, 20, 40]) if form is None else None,
        "temperature": chance.choice([0, 0.5, 0.8, 1.2]),
        "top_k": chance.choice([None, 20]),
        "top_p": chance.choice([None, 0.9]),
        "n": chance.choice([1, 1, 1, 2]),
        "seed": chance.getrandbits(31),
    }
    return {name: value for name, value in fields.items() if value is not None}


async def poems(connection: Connection, fields: dict[str, Any]) -> Any:
    """Return what a request gets but for the time it took; ask again while it is refused.

    Raises:
        RuntimeError: If it gets neither a poem nor a refusal that says what would be right.
    """
    while True:
        status, body = await connection.post("/generate", fields)
        if status in (200, 422):
            answer = json.loads(body)
            return answer.get("poems", answer)
        if status != 503:
            raise RuntimeError(f"{status} for {fields}")
        await asyncio.sleep(REFUSED_S)


async def answers(port: int, requests: list[dict[str, Any]], together: int) -> list[Any]:
    """Return the answers of requests in order, so many of which are in flight together."""
    waiting, found = iter(enumerate(requests)), dict[int, Any]()

    async def ask() -> None:
        connection = Connection("127.0.0.1", port)
        for number, fields in waiting:
            found[number] = await poems(connection, fields)
        connection.close()

    await asyncio.gather(*(ask() for _ in range(together)))
    return [found[number] for number in range(len(requests))]


async def leave_at_random(port: int, clients: int, seconds: float) -> int:
    """Let clients ask for poems and go, most of them before the answer; return how many asked."""
    end, numbers = time.monotonic() + seconds, itertools.count()

    async def come_and_go(chance: random.Random) -> None:
        while time.monotonic() < end:
            connection, number = Connection("127.0.0.1", port), next(numbers)
            path = chance.choice(["/generate", "/generate/stream"])
            fields = any_request(chance) | {"seed": number}
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.post(path, fields), chance.uniform(0.01, 1.5))
            connection.close()

    await asyncio.gather(*(come_and_go(random.Random(seed)) for seed in range(clients)))
    return next(numbers)


async def gauges(port: int) -> dict[str, float]:
    """Return slots in use and poems that wait, as /metrics reports."""
    connection = Connection("127.0.0.1", port)
    _, body = await connection.get("/metrics")
    connection.close()
    pattern = r"^yin_(slots_busy|queue_depth) (\S+)$"
    return {name: float(value) for name, value in re.findall(pattern, body.decode(), re.MULTILINE)}


async def attack(port: int, number: int, together: int, leaving_s: float) -> dict[str, Any]:
    """Return what came of everything."""
    chance = random.Random(number)
    requests = [any_request(chance) for _ in range(number)]
    alone = await answers(port, requests, 1)
    order = chance.sample(range(number), number)
    mixed = await answers(port, [requests[n] for n in order], together)
    differ = [requests[n] for n, answer in zip(order, mixed, strict=True) if answer != alone[n]]
    asked = await leave_at_random(port, together, leaving_s) if leaving_s else 0
    deadline = time.monotonic() + FREE_WITHIN_S
    while any((busy := await gauges(port)).values()) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    written = sum(isinstance(answer, list) for answer in alone)
    return {"requests": number, "written": written, "differ": differ, "left": asked, "busy": busy}


def main(
    port: int = 8000, requests: int = 1000, together: int = 64, leaving_s: float = 120.0
) -> None:
    """Print what came of the attack; exit with 1 if an answer differs or a slot is not free."""
    outcome = asyncio.run(attack(port, requests, together, leaving_s))
    print(json.dumps(outcome, indent=1, ensure_ascii=False))
    if outcome["differ"] or any(outcome["busy"].values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
