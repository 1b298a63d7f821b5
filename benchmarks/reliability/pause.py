"""T11: a service that was paused in mid-poem for longer than any deadline writes as ever."""

import asyncio
import signal
import time

from benchmarks.load import Connection
from benchmarks.reliability.report import Report
from benchmarks.reliability.served import Served


async def pause(service: Served, seconds: float, poems: int = 16) -> Report:
    """Stop a service's process amid a long poem, let it go on, and ask ten times for more.

    Args:
        service: Whose process it is.
        seconds: From its stop until it goes on.
        poems: Of each request after that.
    """
    connection, late = Connection("127.0.0.1", service.port), Connection("127.0.0.1", service.port)
    writing = asyncio.ensure_future(late.post("/generate", {"length": 200, "n": 8, "seed": 1}))
    await asyncio.sleep(0.3)
    service.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    service.process.send_signal(signal.SIGCONT)
    statuses, took = list[int](), list[float]()
    for number in range(10):
        start = time.monotonic()
        status, _ = await connection.post("/generate", {"n": poems, "seed": number})
        statuses.append(status)
        took.append(round(time.monotonic() - start, 2))
    ready, _ = await connection.get("/health/ready")
    in_flight, _ = await writing
    connection.close()
    late.close()
    report = Report({"paused_s": seconds, "in_flight": in_flight, "statuses": statuses})
    report.figures["longest_s"] = max(took)
    report.require(set(statuses) == {200}, f"after the pause: {statuses}")
    report.require(in_flight in (200, 503, 504), f"the poem in flight ended with {in_flight}")
    report.require(ready == 200, "it is not ready")
    return report
