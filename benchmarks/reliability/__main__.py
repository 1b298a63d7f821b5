"""Attacks on a service that is started for it, each with the figures that have to hold.

    python -m benchmarks.reliability overload quatrains
    YIN_THREADS=1 python -m benchmarks.reliability leavers --seconds 60

Each command prints a line of JSON, and fails if something did not hold. YIN_… are the settings of
the service as ever.
"""

import asyncio
import json
import platform
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.service import Service
from app.settings import Settings
from benchmarks.reliability import (
    checkpoints,
    connections,
    equality,
    fuzz,
    kills,
    lag,
    leavers,
    pause,
    processor,
    series,
    signals,
)
from benchmarks.reliability import overload as overloaded
from benchmarks.reliability.report import Report
from benchmarks.reliability.served import served

IDLE_S = 5
# When a connection in each state has to be closed: app.protocol's deadlines, and the setting.
DEADLINES_S = {
    "silent": 10.0,
    "head": 10.0,
    "body": 15.0,
    "refused body": 15.0,
    "idle": IDLE_S,
    "not reading": 30.0,
}
app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True)


def finish(name: str, report: Report) -> None:
    """Print a report, and fail if something did not hold."""
    machine = f"{platform.machine()}, {len(processors())} processors"
    print(json.dumps({"test": name, "machine": machine, **report.figures}, ensure_ascii=False))
    for fault in report.faults:
        print(f"fault: {fault}")
    raise typer.Exit(bool(report.faults))


def processors() -> set[int]:
    """Return the processors that this process may use."""
    import os

    return os.sched_getaffinity(0)


@app.command("equality")
def t1(distinct: int = 100, together: int = 1000) -> None:
    """T1: equal answers alone and among others, plain and streamed."""
    with served({}) as service:
        finish("T1 equality", asyncio.run(equality.compare(service.port, distinct, together)))


@app.command("leavers")
def t2(clients: int = 64, seconds: float = 60.0) -> None:
    """T2: clients that leave."""
    with served({}) as service:
        finish("T2 leavers", asyncio.run(leavers.leave(service, clients, seconds)))


@app.command("overload")
def t3(kind: str, seconds: float = 60.0, warm_up_s: float = 15.0) -> None:
    """T3: five times the load of quatrains, longest, sampling or mixed."""
    full = Settings().num_slots // Settings().candidates
    with served({}) as service:
        finish("T3 overload", overloaded.overload(service.port, kind, full, seconds, warm_up_s))


@app.command("signals")
def t4(times: int = 1, streams: int = 20) -> None:
    """T4: SIGTERM while streams are written, once or twice."""
    with served({}) as service:
        finish("T4 signals", asyncio.run(signals.stop(service, streams, times)))


@app.command("processor")
def t5(clients: int = 64, seconds: float = 30.0) -> None:
    """T5: one processor."""
    with served({}, {min(processors())}) as service:
        finish("T5 processor", asyncio.run(processor.press(service, clients, seconds)))


@app.command("fuzz")
def t6(examples: int = 300) -> None:
    """T6: generated requests."""
    with served({}) as service:
        finish("T6 fuzz", fuzz.fuzz(service.url, examples))


@app.command("connections")
def t7(clients: int = 80) -> None:
    """T7: connections held in each state."""
    with served({"YIN_KEEP_ALIVE_S": str(IDLE_S)}) as service:
        report = asyncio.run(connections.hold(service.port, DEADLINES_S, clients))
        finish("T7 connections", report)


@app.command("checkpoints")
def t8() -> None:
    """T8: forged checkpoints."""
    with TemporaryDirectory() as folder:
        finish("T8 checkpoints", checkpoints.attack(Settings().checkpoint, Path(folder)))


@app.command("series")
def t9(requests: int = 2000) -> None:
    """T9: metrics."""
    with served({}) as service:
        finish("T9 series", series.count(service.port, requests))


@app.command("kills")
def t10(
    corpus: Annotated[Path, typer.Argument(help="What training.corpus wrote.")],
    times: int = 30,
    steps: int = 2000,
) -> None:
    """T10: a training that is killed."""
    with TemporaryDirectory() as folder:
        finish("T10 kills", kills.kill(corpus, Path(folder), times, steps, kills.SMALL))


@app.command("pause")
def t11(seconds: float = 35.0) -> None:
    """T11: a pause."""
    with served({}) as service:
        finish("T11 pause", asyncio.run(pause.pause(service, seconds)))


@app.command("lag")
def t12(requests: int = 10_000, together: int = 8) -> None:
    """T12: how long the event loop is held."""
    roomy = {"max_queue_steps": 10**6, "deadline_s": 1e4}
    service = Service.load(Settings().model_copy(update=roomy))
    finish("T12 lag", lag.measure(service, requests, together))


if __name__ == "__main__":
    app()
