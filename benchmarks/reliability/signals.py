"""T4: after one SIGTERM every stream ends with its poem, after a second one with a failure."""

import asyncio
import signal
import time

from benchmarks.load import Connection
from benchmarks.reliability.report import Report
from benchmarks.reliability.served import Served

TWICE_S = 0.3  # from the first signal to the second


async def stop(service: Served, streams: int, times: int) -> Report:
    """Send SIGTERM once or twice while streams are written; see how they and the service end."""
    connections = [Connection("127.0.0.1", service.port) for _ in range(streams)]
    fields = {"length": 200, "n": 2, "candidates": 1}
    asking = [
        asyncio.ensure_future(each.post("/generate/stream", {**fields, "seed": number}))
        for number, each in enumerate(connections)
    ]
    await asyncio.sleep(1)
    start = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    if times > 1:
        await asyncio.sleep(TWICE_S)
        service.process.send_signal(signal.SIGTERM)
    answers = await asyncio.gather(*asking, return_exceptions=True)
    ended_s = time.monotonic() - start
    for each in connections:
        each.close()
    code = await asyncio.to_thread(service.end)
    ends = [last_event(each) for each in answers]
    expected = ("poem",) if times == 1 else ("failure", "poem")  # one may have been ready
    report = Report({"streams": streams, "ended_s": round(ended_s, 1), "exit_code": code})
    report.figures["ends"] = {end: ends.count(end) for end in sorted(set(ends))}
    report.require(set(ends) <= set(expected), f"a stream ended with {sorted(set(ends))}")
    report.require(times == 1 or "failure" in ends, "no stream was cut short")
    report.require(code == 0, f"the exit code is {code}")
    report.require("Traceback" not in service.log.read_text(), "the log has a trace")
    return report


def last_event(answer: tuple[int, bytes] | BaseException) -> str:
    """Return the name of a stream's last event, or what came instead."""
    if isinstance(answer, BaseException):
        return type(answer).__name__
    status, body = answer
    names = [line[7:] for line in body.decode().split("\n") if line.startswith("event: ")]
    return names[-1] if status == 200 and names else str(status)
