"""T3: at five times its load a service delivers nine tenths of what it does at full load."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.load import Connection
from benchmarks.reliability.report import Report

SHARE = 0.9
KINDS: dict[str, list[dict[str, Any]]] = {
    "quatrains": [{"form": "jueju-7"}],
    "longest": [{"length": 200}],
    "sampling": [{"length": 196, "top_k": 7000, "top_p": 0.999}],
}
KINDS["mixed"] = list(itertools.chain.from_iterable(KINDS.values()))


async def deliver(
    port: int, kinds: Sequence[dict[str, Any]], clients: int, seconds: float, warm_up_s: float = 0
) -> Counter[str]:
    """Return what so many clients got in a time, by status, and the characters of their poems.

    Args:
        port: Of the service.
        kinds: What they ask for in turns, besides a seed.
        clients: Who each wait for an answer before they ask again, after a refusal for a second.
        seconds: How long answers are counted.
        warm_up_s: How long they ask before, until poems end as often as they begin.
    """
    start = time.monotonic() + warm_up_s
    got, end, seeds = Counter[str](), start + seconds, itertools.count()

    async def ask(fields: dict[str, Any]) -> None:
        connection = Connection("127.0.0.1", port)
        while time.monotonic() < end:
            status, body = await connection.post("/generate", {**fields, "seed": next(seeds)})
            if start <= time.monotonic() < end:
                got[str(status)] += 1
                if status == 200:
                    got["characters"] += sum(p["characters"] for p in json.loads(body)["poems"])
            if status != 200:
                await asyncio.sleep(1)
        connection.close()

    asked = itertools.islice(itertools.cycle(kinds), clients)
    await asyncio.gather(*(ask(fields) for fields in asked))
    return got


def overload(port: int, kind: str, full: int, seconds: float, warm_up_s: float = 0) -> Report:
    """Compare what is delivered to as many clients as make a full load, and to five times as many.

    Args:
        port: Of the service.
        kind: Of KINDS.
        full: Clients whose requests fill all slots.
        seconds: How long answers are counted, each time.
        warm_up_s: How long clients ask before.
    """
    once, five = (
        asyncio.run(deliver(port, KINDS[kind], clients, seconds, warm_up_s))
        for clients in (full, 5 * full)
    )
    share = five["characters"] / max(1, once["characters"])
    report = Report({"kind": kind, "clients": full, "full": once, "five": five})
    report.figures["share"] = round(share, 2)
    report.require(once["characters"] > 0, f"nothing is delivered at full load of {kind}")
    report.require(share >= SHARE, f"at five times the load of {kind} {share:.0%} is delivered")
    return report
