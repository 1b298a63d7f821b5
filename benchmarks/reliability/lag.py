"""T12: the event loop is never held for long while the largest requests are prepared."""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any

from app.errors import ServiceError
from app.schemas import GenerateRequest
from app.service import Service
from benchmarks.reliability.report import Report

AMBIGUOUS, CLEAR = "发后里干台云谷松叶余面丑卷向回", "日月山春夏秋冬夜湖海"
LOOK_S = 0.002  # between looks at the event loop
P999_MS = 20.0


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


def measure(service: Service, requests: int, together: int) -> Report:
    """Prepare random requests of the largest size, and report by how much the loop was late.

    Args:
        service: One that nobody else uses; it refuses none of them for want of room.
        requests: How many.
        together: At once.
    """
    chance = random.Random(0)
    asked = [largest_request(chance) for _ in range(requests)]
    late = asyncio.run(held(service, asked, together))
    shares = {share: round(1000 * late[int(len(late) * share)], 2) for share in (0.5, 0.99, 0.999)}
    report = Report(
        {"requests": requests, "late_ms": shares, "longest_ms": round(1000 * late[-1], 1)}
    )
    report.require(shares[0.999] < P999_MS, f"one moment in a thousand is {shares[0.999]} ms late")
    return report
