"""T9: the metrics count each request once, and no caller can make series of their own."""

import asyncio
import random
import re

import httpx

from benchmarks.load import Connection
from benchmarks.reliability.report import Report

MOST = 600  # series, whatever is asked for


def read(url: str) -> dict[str, float]:
    """Return every series with its value."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def requests(series: dict[str, float]) -> dict[str, float]:
    """Return the requests that were counted, by status; those for the metrics left out."""
    found = dict[str, float]()
    pattern = r'yin_requests_total\{route="([^"]*)",status="(\d+)"\}'
    for name, value in series.items():
        if (match := re.fullmatch(pattern, name)) and match[1] != "/metrics":
            found[match[2]] = found.get(match[2], 0) + value
    return found


async def ask(port: int, number: int) -> dict[str, float]:
    """Ask for all kinds of things; return how many answers had each status."""
    chance, connection, got = (
        random.Random(number),
        Connection("127.0.0.1", port),
        dict[str, float](),
    )
    for turn in range(number):
        kind = turn % 5
        if kind == 0:
            status, _ = await connection.post("/generate", {"form": "jueju-5", "seed": turn})
        elif kind == 1:
            status, _ = await connection.post("/generate", {f"field{turn}": turn})
        elif kind == 2:
            status, _ = await connection.get(f"/{chance.getrandbits(64):x}?{turn}")
        elif kind == 3:
            status, _ = await connection.post("/check", {"text": "日" * (turn % 50)})
        else:
            status, _ = await connection.post(f"/health/{turn}", {})
        got[str(status)] = got.get(str(status), 0) + 1
    connection.close()
    return got


def count(port: int, number: int) -> Report:
    """Ask for much that there is and is not, and compare what came with what was counted."""
    url = f"http://127.0.0.1:{port}"
    before = read(url)
    got = asyncio.run(ask(port, number))
    after = read(url)
    grown = {
        status: value - requests(before).get(status, 0)
        for status, value in requests(after).items()
        if value > requests(before).get(status, 0)
    }
    report = Report({"requests": number, "answers": got, "series": len(after)})
    report.require(grown == got, f"{got} came, {grown} were counted")
    report.require(len(after) <= MOST, f"there are {len(after)} series")
    return report
