"""A soak: the service at capacity for minutes on end; memory must stay flat, no slot may be lost.

    python -m benchmarks.soak --minutes 10

Starts `yin serve` and keeps more requests in flight than it has slots: poems awaited whole, streams
read to their end, and streams that are left in the middle. It fails if memory after the first
minute grows by more than a twentieth, if any answer is neither a poem nor a 503, or if a slot is
still in use, a poem waits or more files are open than before when all is over.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import typer

GROWTH = 1.05  # of memory that is taken for flat
WARM_UP_S = 60.0  # in which batches of every size have come up
SAMPLE_S = 10.0
FORMS = ("jueju-5", "jueju-7", "lushi-5", "lushi-7", "gushi-7")


@dataclass
class Sample:
    """What the service uses at a moment."""

    at_s: float
    rss_mib: float
    descriptors: int
    slots_busy: int
    queued: int
    processor_s: float
    characters: int


@dataclass
class Tally:
    """What came of the requests; the first sample is from before them, the last from after."""

    outcomes: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)


@contextmanager
def service(slots: int) -> Iterator[tuple[int, str]]:
    """Serve the bundled checkpoint on a free port; yield process id and address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"YIN_PORT": str(port), "YIN_NUM_SLOTS": str(slots), "YIN_LOG_LEVEL": "error"}
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    process = subprocess.Popen(command, env=os.environ | environment)
    try:
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                httpx.get(f"{url}/health/ready").raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None:
                    raise RuntimeError("the service did not start") from None
                time.sleep(0.2)
        yield process.pid, url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


async def sample(client: httpx.AsyncClient, pid: int, at_s: float) -> Sample:
    """Look at the process and at what it reports of itself."""
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    lines = (await client.get("/metrics")).text.splitlines()
    gauges = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return Sample(
        at_s=round(at_s, 1),
        rss_mib=round(resident / 2**20, 1),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        slots_busy=int(float(gauges["yin_slots_busy"])),
        queued=int(float(gauges["yin_queue_depth"])),
        processor_s=sum(map(int, times)) / os.sysconf("SC_CLK_TCK"),
        characters=int(float(gauges["yin_characters_total"])),
    )


async def ask(client: httpx.AsyncClient, draw: random.Random) -> str:
    """Send one request; return what came of it."""
    fields = {"form": draw.choice(FORMS), "seed": draw.randrange(2**48), "n": draw.randint(1, 3)}
    if draw.random() < 0.5:
        response = await client.post("/generate", json=fields)
        if response.status_code == 200:
            return "poem" if len(response.json()["poems"]) == fields["n"] else "poem missing"
        await response.aread()
        return str(response.status_code)
    leave_after = draw.randint(1, 20) if draw.random() < 0.5 else -1
    last = ""
    async with client.stream("POST", "/generate/stream", json=fields) as response:
        if response.status_code != 200:
            return str(response.status_code)
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                last = line.removeprefix("event: ")
                leave_after -= 1
                if leave_after == 0 and last == "character":
                    return "left"
    return "stream" if last == "poem" else f"stream ended with {last}"


async def press(url: str, pid: int, clients: int, limit_s: float) -> Tally:
    """Keep so many clients asking for limit_s, watch, and look again when all is over."""
    tally, start = Tally(), time.monotonic()

    async def ask_on(client: httpx.AsyncClient, number: int) -> None:
        draw = random.Random(number)
        while time.monotonic() < start + limit_s:
            outcome = await ask(client, draw)
            tally.outcomes[outcome] += 1
            if outcome == "503":
                await asyncio.sleep(0.5)

    # No connection is kept: one that the server ends just as it is used again looks like a fault.
    pool = httpx.Limits(max_connections=clients, max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(base_url=url, timeout=60, limits=pool) as client,
        httpx.AsyncClient(base_url=url, timeout=60, limits=pool) as watcher,
    ):
        tally.samples.append(await sample(watcher, pid, 0.0))
        asking = [asyncio.create_task(ask_on(client, number)) for number in range(clients)]
        while time.monotonic() < start + limit_s:
            await asyncio.sleep(SAMPLE_S)
            tally.samples.append(await sample(watcher, pid, time.monotonic() - start))
            print(tally.samples[-1], flush=True)
        await asyncio.gather(*asking)
        await asyncio.sleep(1)
        tally.samples.append(await sample(watcher, pid, time.monotonic() - start))
    return tally


def faults(tally: Tally, slots: int) -> list[str]:
    """Return what is not as it should be."""
    before, *under_load, last = tally.samples
    settled = [each for each in under_load if each.at_s >= WARM_UP_S]
    found = [
        f"{number} requests ended with {outcome!r}"
        for outcome, number in tally.outcomes.items()
        if outcome not in ("poem", "stream", "left", "503")
    ]
    if max(each.rss_mib for each in settled) > GROWTH * settled[0].rss_mib:
        found.append(f"memory grew from {settled[0].rss_mib} MiB: {settled}")
    if max(each.slots_busy for each in settled[len(settled) // 2 :]) < slots:
        found.append("the slots were not all in use in the second half")
    if last.slots_busy or last.queued:
        found.append(f"something is still in use at the end: {last}")
    if last.descriptors > before.descriptors:
        found.append(f"{last.descriptors} files are open at the end, before {before.descriptors}")
    return found


def characters_a_processor_second(tally: Tally) -> float:
    """Return what a second of a processor writes, all that serving costs included."""
    first, *_, last = [each for each in tally.samples[:-1] if each.at_s >= WARM_UP_S]
    return (last.characters - first.characters) / (last.processor_s - first.processor_s)


def main(
    minutes: float = 10.0,
    slots: int = 128,
    clients: Annotated[int, typer.Option(help="Asking at once; 1 to 3 poems each.")] = 120,
) -> None:
    """Soak the service, print what it used, and fail if that was not as it should be."""
    with service(slots) as (pid, url):
        tally = asyncio.run(press(url, pid, clients, minutes * 60))
    print(tally.samples[-1], dict(tally.outcomes), sep="\n")
    print(f"{characters_a_processor_second(tally):.0f} characters a processor second")
    found = faults(tally, slots)
    for fault in found:
        print(f"fault: {fault}", file=sys.stderr)
    raise typer.Exit(bool(found))


if __name__ == "__main__":
    typer.run(main)
