"""T2: clients that leave, most of them in mid-poem, free their slots and leave nothing behind."""

import asyncio
import time

from benchmarks.reliability.report import Report
from benchmarks.reliability.served import Served
from benchmarks.traffic import FREE_WITHIN_S, gauges, leave_at_random

GROWTH = 1.05  # of memory that is taken for flat


async def leave(service: Served, clients: int, seconds: float) -> Report:
    """Let clients come and go for a time; then see what is left of them."""
    await leave_at_random(service.port, clients, min(10.0, seconds / 4))  # memory settles
    memory_mib, descriptors = service.memory_mib, service.descriptors
    left = await leave_at_random(service.port, clients, seconds)
    end = time.monotonic()
    while any((busy := await gauges(service.port)).values()) and time.monotonic() < (
        end + FREE_WITHIN_S
    ):
        await asyncio.sleep(0.01)
    report = Report({"left": left, "free_s": round(time.monotonic() - end, 2), **busy})
    report.figures["memory_mib"] = [memory_mib, service.memory_mib]
    report.require(not any(busy.values()), f"something is still in use: {busy}")
    report.require(service.memory_mib <= GROWTH * memory_mib, "memory grew")
    report.require(service.descriptors <= descriptors + 5, "connections are still open")
    report.require(left > 0, "nobody left")
    return report
