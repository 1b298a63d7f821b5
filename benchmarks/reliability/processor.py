"""T5: on one processor everybody gets an answer, and health is answered all the while."""

import asyncio
import json
import time

from benchmarks.load import Connection, Load, closed_loop
from benchmarks.reliability.report import Report
from benchmarks.reliability.served import Served

LIVE_S = 1.0  # an orchestrator's patience with a probe is longer
LOOK_S = 0.1


async def press(service: Served, clients: int, seconds: float) -> Report:
    """Keep clients asking a service on one processor, and ask for its health meanwhile."""
    over, took = asyncio.Event(), list[float]()

    async def watch() -> None:
        connection = Connection("127.0.0.1", service.port)
        while not over.is_set():
            start = time.perf_counter()
            status, _ = await connection.get("/health/live")
            took.append(time.perf_counter() - start if status == 200 else float("inf"))
            await asyncio.sleep(LOOK_S)
        connection.close()

    watching = asyncio.ensure_future(watch())
    load: Load = await closed_loop(
        service.port,
        "/generate",
        lambda number: {"form": "jueju-7", "seed": number},
        concurrency=clients,
        seconds=seconds,
    )
    over.set()
    await watching
    threads = json.loads(service.log.read_text().split("\n")[0])["threads"]
    report = Report({"threads": threads, "poems_a_second": round(load.rate, 1)})
    report.figures["statuses"] = dict(load.statuses)
    report.figures["live_s"] = {"median": median(took), "longest": round(max(took), 3)}
    report.require(threads == 1, f"{threads} threads share one processor")
    report.require(set(load.statuses) <= {200, 503}, f"answers other than 503: {load.statuses}")
    report.require(load.rate > 0, "no poem was written")
    report.require(max(took) < LIVE_S, f"health took {max(took):.1f} s")
    return report


def median(values: list[float]) -> float:
    """Return the middle of some seconds, rounded."""
    return round(sorted(values)[len(values) // 2], 4)
