"""Poems per second and latencies over HTTP, against the same model behind other servers.

    pip install -c constraints.txt -e '.[bench]'
    python -m benchmarks.http

Every server runs alone, one after the other, and is asked for quatrains that begin with one
character. The peers write once with torch.nn.LSTM as a user would write it, once with our step and
our proofs, so that the framework's own share shows. Then ours is offered five times what it can
serve. The load comes from this process, on the same processors.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from app.settings import Settings
from benchmarks.load import Connection, Load, closed_loop, open_loop
from benchmarks.side_by_side import machine

STARTS = "日红山夜湖海月春秋风"
READY_WITHIN_S = 90.0
STOPPED_WITHIN_S = 10.0
OVERLOAD = 5  # times the capacity


@dataclass(frozen=True)
class Contestant:
    """A server to start.

    Args:
        name: What the table calls it.
        command: What Python is to run; the port is added.
    """

    name: str
    command: tuple[str, ...]


OURS = Contestant("yin", ("-c", "from app.cli import main; main()", "serve"))
CONTESTANTS = (
    OURS,
    Contestant("FastAPI, torch.nn.LSTM", ("-m", "benchmarks.peers.plain", "--poet", "torch")),
    Contestant("FastAPI, our step", ("-m", "benchmarks.peers.plain", "--poet", "ours")),
    Contestant("LitServe, torch.nn.LSTM", ("-m", "benchmarks.peers.lit", "--poet", "torch")),
    Contestant("LitServe, our step", ("-m", "benchmarks.peers.lit", "--poet", "ours")),
    Contestant("Ray Serve, torch.nn.LSTM", ("-m", "benchmarks.peers.ray_serve", "--poet", "torch")),
    Contestant("Ray Serve, our step", ("-m", "benchmarks.peers.ray_serve", "--poet", "ours")),
)


def quatrain(number: int) -> dict[str, Any]:
    """Return the body of request number n."""
    start = STARTS[number % len(STARTS)]
    return {"start": start, "form": "jueju-7", "temperature": 0.8, "seed": number}


@contextlib.contextmanager
def serving(contestant: Contestant, port: int) -> Iterator[int]:
    """Run a server until it is ready, then until the end; yield its process id.

    Raises:
        RuntimeError: If it does not become ready.
        OSError: If the port is taken.
    """
    wait_until_free(port)  # else another server would be measured
    command = [sys.executable, *contestant.command]
    command += [] if contestant is OURS else ["--port", str(port)]
    environment = os.environ | {"YIN_PORT": str(port), "YIN_LOG_LEVEL": "warning"}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0"}
    # A session of its own: some servers leave processes behind when they are stopped.
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        asyncio.run(wait_until_ready(contestant.name, port, process))
        yield process.pid
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOPPED_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_free(port: int) -> None:
    """Wait until nobody listens: what a server left running ends a little after it is killed.

    Raises:
        OSError: If the port stays taken.
    """
    deadline = time.monotonic() + STOPPED_WITHIN_S
    while True:
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


async def wait_until_ready(name: str, port: int, process: "subprocess.Popen[bytes]") -> None:
    """Ask until a poem comes.

    Raises:
        RuntimeError: If none comes in time.
    """
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            status, _ = await Connection("127.0.0.1", port).post("/generate", quatrain(0))
            if status == 200:
                return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"{name} did not become ready within {READY_WITHIN_S:g} s")


def figures(load: Load) -> dict[str, Any]:
    """Return the summary of a load."""
    return {
        "poems_per_s": load.rate,
        "p50_s": load.latency_s(0.5),
        "p90_s": load.latency_s(0.9),
        "p99_s": load.latency_s(0.99),
        "statuses": {str(status): count for status, count in sorted(load.statuses.items())},
    }


async def by_concurrency(
    port: int, concurrencies: Sequence[int], seconds: float
) -> dict[str, dict[str, Any]]:
    """Return the figures of a server at each concurrency."""
    return {
        str(number): figures(
            await closed_loop(port, "/generate", quatrain, concurrency=number, seconds=seconds)
        )
        for number in concurrencies
    }


async def overload(port: int, pid: int, seconds: float) -> dict[str, Any]:
    """Return the figures of our service at its capacity and at five times the load.

    Capacity is what it serves when as many ask as it has slots, each again after its answer. Both
    loads then come at random times, so that the same chance makes the same bursts.
    """
    closed = await closed_loop(
        port, "/generate", quatrain, concurrency=Settings().num_slots, seconds=seconds, warm_up_s=2
    )
    loads, memory = {"closed loop": closed}, {}
    for times in (1, OVERLOAD):
        memory[f"before {times} times"] = memory_mib(pid)
        loads[f"{times} times"] = await open_loop(
            port, "/generate", quatrain, rate=times * closed.rate, seconds=seconds, warm_up_s=2
        )
    memory["after"] = memory_mib(pid)
    p99_s = {name: load.latency_s(0.99) for name, load in loads.items()}
    return {
        "loads": {name: figures(load) for name, load in loads.items()},
        "p99_ratio": p99_s[f"{OVERLOAD} times"] / p99_s["1 times"],
        "p99_ratio_to_closed_loop": p99_s[f"{OVERLOAD} times"] / p99_s["closed loop"],
        "memory_mib": memory,
    }


def memory_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmRSS"))
    return int(kib) / 1024


def times_faster(servers: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    """Return how many times the poems a second of each other server ours are, by concurrency."""
    ours = servers.get(OURS.name, {})
    return {
        name: {
            number: row["poems_per_s"] / rows[number]["poems_per_s"] for number, row in ours.items()
        }
        for name, rows in servers.items()
        if ours and name != OURS.name
    }


def show(results: dict[str, Any]) -> None:
    """Print the table."""
    first = next(iter(results["servers"].values()))
    table = Table("", *(f"{number} at once" for number in first))
    for name, rows in results["servers"].items():
        cells = (
            f"{row['poems_per_s']:.1f}/s, {row['p50_s'] * 1e3:.0f} / {row['p99_s'] * 1e3:.0f} ms"
            for row in rows.values()
        )
        table.add_row(name, *cells)
    for name, ratios in results["times_faster"].items():
        table.add_row(f"yin / {name}", *(f"{ratio:.1f}" for ratio in ratios.values()))
    console = Console()
    console.print(table)
    if "overload" in results:
        console.print_json(data=results["overload"])


def main(
    port: int = 18300,
    seconds: Annotated[float, typer.Option(help="To count, for each figure.")] = 8.0,
    concurrency: Annotated[list[int] | None, typer.Option(help="Requests in flight.")] = None,
    only: Annotated[str, typer.Option(help="Part of the names of those to run.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where to write the figures as JSON.")] = None,
) -> None:
    """Print poems a second, p50 and p99 by concurrency; then ours under too much load."""
    uvloop.install()
    chosen = [contestant for contestant in CONTESTANTS if only in contestant.name]
    results: dict[str, Any] = {"machine": machine(), "servers": {}}
    for contestant in chosen:
        with serving(contestant, port) as pid:
            loads = by_concurrency(port, concurrency or (1, 16, 64), seconds)
            results["servers"][contestant.name] = asyncio.run(loads)
            if contestant is OURS:
                results["overload"] = asyncio.run(overload(port, pid, seconds))
        results["times_faster"] = times_faster(results["servers"])
        if out is not None:  # what is measured is kept, even if the next one does not start
            out.write_text(json.dumps(results, indent=1) + "\n")
    show(results)


if __name__ == "__main__":
    typer.run(main)
