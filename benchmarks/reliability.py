"""Attacks on a service, each with the figure that has to hold.

    python -m benchmarks.reliability lag
    python -m benchmarks.reliability overload --port 8000 --slots 128

lag: how long the event loop is held while the largest allowed requests are prepared. overload: what
a running service delivers to as many clients as it has slots, and to five times as many.
"""

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import typer

from app.errors import ServiceError
from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings
from benchmarks.load import Connection

AMBIGUOUS, CLEAR = "发后里干台云谷松叶余面丑卷向回", "日月山春夏秋冬夜湖海"
LOOK_S = 0.002  # between looks at the event loop
KINDS: dict[str, list[dict[str, Any]]] = {
    "quatrains": [{"form": "jueju-7"}],
    "longest": [{"length": 200}],
    "sampling": [{"length": 196, "top_k": 7000, "top_p": 0.999}],
}
KINDS["mixed"] = list(itertools.chain.from_iterable(KINDS.values()))

app = typer.Typer(add_completion=False)


def largest_request(chance: random.Random) -> dict[str, Any]:
    """Return a random request of the largest size that is allowed."""

    def text(length: int) -> str:
        return "".join(chance.choice(AMBIGUOUS + CLEAR) for _ in range(length))

    shapes: list[dict[str, Any]] = [
        {"opening": [text(5) for _ in range(chance.choice([1, 20, 39]))], "form": "gushi-5"},
        {"opening": [text(7) for _ in range(chance.choice([1, 14, 27]))], "form": "gushi-7"},
        {"start": text(chance.randint(1, 7)), "form": chance.choice(["lushi-7", "gushi-7"])},
        {"acrostic": text(chance.choice([14, 28])), "form": "gushi-7", "length": 196},
    ]
    given = chance.choice(shapes)
    meter = chance.choice(["free", "rhyme"])
    return {"title": text(20), "n": chance.choice([1, 4, 16]), "meter": meter, **given}


async def held(service: Service, requests: Sequence[dict[str, Any]], together: int) -> list[float]:
    """Return by how many seconds the event loop was late while requests were prepared, sorted."""
    late, waiting = list[float](), iter(requests)

    async def watch() -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(LOOK_S)
            late.append(time.perf_counter() - start - LOOK_S)

    async def ask() -> None:
        for fields in waiting:
            request = GenerateRequest.model_validate(fields)
            try:
                claim = service.claim(request, "benchmark")
                service.engine.cancel((await service.commission(request, claim)).job)
            except ServiceError:
                pass  # no poem meets it, and finding that out has held the loop as well

    service.engine.start()
    watching = asyncio.ensure_future(watch())
    await asyncio.gather(*(ask() for _ in range(together)))
    watching.cancel()
    await service.engine.drain(0)
    return sorted(late)


async def deliver(port: int, kinds: Sequence[dict[str, Any]], clients: int, seconds: float) -> Any:
    """Return what so many clients got in a time, by status, and the characters of their poems."""
    got, end, seeds = Counter[str](), time.monotonic() + seconds, itertools.count()

    async def ask(fields: dict[str, Any]) -> None:
        connection = Connection("127.0.0.1", port)
        while time.monotonic() < end:
            status, body = await connection.post("/generate", {**fields, "seed": next(seeds)})
            if time.monotonic() < end:
                got[str(status)] += 1
            if status != 200:
                await asyncio.sleep(1)
            elif time.monotonic() < end:
                got["characters"] += sum(p["characters"] for p in json.loads(body)["poems"])
        connection.close()

    asked = itertools.islice(itertools.cycle(kinds), clients)
    await asyncio.gather(*(ask(fields) for fields in asked))
    return got


@app.command()
def lag(requests: int = 1000, together: int = 8) -> None:
    """Print how long the event loop was held, in milliseconds; fail above 20 at p99.9."""
    chance = random.Random(0)
    limits = {"max_queue_steps": 10**6, "deadline_s": 1e4}
    service = Service.load(Settings().model_copy(update=limits))
    late = asyncio.run(held(service, [largest_request(chance) for _ in range(requests)], together))
    shares = {share: 1000 * late[int(len(late) * share)] for share in (0.5, 0.99, 0.999)}
    print(json.dumps({"requests": requests, "ms": shares, "longest_ms": 1000 * late[-1]}))
    raise typer.Exit(shares[0.999] > 20)


@app.command()
def overload(port: int = 8000, slots: int = 128, seconds: float = 60.0) -> None:
    """Print what is delivered at full load and at five times it; fail below 90 %."""
    failed = False
    for name, kinds in KINDS.items():
        full, over = (asyncio.run(deliver(port, kinds, n * slots, seconds)) for n in (1, 5))
        share = over["characters"] / max(1, full["characters"])
        print(json.dumps({"kind": name, "full": full, "five": over, "share": round(share, 2)}))
        failed |= share < 0.9
    raise typer.Exit(failed)


if __name__ == "__main__":
    app()
