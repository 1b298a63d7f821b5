"""What clients see while the replicas behind the balancer are replaced, or killed.

    docker compose up -d balancer
    python -m benchmarks.rolling
    python -m benchmarks.rolling docker kill yin_replica_1

Asks for poems and streams without pause, runs the command (deploy/roll if none is given) in the
midst of it, and reports what was whole, refused or lost before, meanwhile and after. Every seed is
asked for twice, once as a poem and once as a stream, and must give the same poem. It fails if
anything was lost.
"""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import typer

ROLL = Path(__file__).parents[1] / "deploy/roll"
FIELDS = {"form": "lushi-7", "n": 2}
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What came of one request.

    Args:
        seed: That it asked with.
        outcome: whole, refused (503) or lost, and why.
        asked_s: When, from the beginning.
        took_s: Until it was whole.
        pause_s: The longest that a stream said nothing; 0 for a poem.
        texts: Of the poems.
    """

    seed: int
    outcome: str
    asked_s: float
    took_s: float
    pause_s: float
    texts: tuple[str, ...] = ()


def texts_of(answer: str) -> tuple[str, ...]:
    """Return the poems of an answer."""
    return tuple(poem["text"] for poem in json.loads(answer)["poems"])


async def ask(client: httpx.AsyncClient, number: int, start: float) -> Answer:
    """Ask for a poem or, every other time, for a stream of it."""
    seed, streamed = divmod(number, 2)
    path = "/generate/stream" if streamed else "/generate"
    asked = news = time.monotonic()
    pause_s, event, data, outcome = 0.0, "", "", ""
    try:
        async with client.stream("POST", path, json={**FIELDS, "seed": seed}) as response:
            async for line in response.aiter_lines():
                now = time.monotonic()
                pause_s, news = max(pause_s, now - news) if streamed else 0.0, now
                event = line.removeprefix("event: ") if line.startswith("event: ") else event
                data = line.removeprefix("data: ") or data
        if response.status_code == 503:
            outcome = "refused"
        elif response.status_code != 200:
            outcome = f"lost: {response.status_code}"
        elif streamed and event != "poem":
            outcome = f"lost: the stream ended with {event} {data}"
    except httpx.TransportError as error:
        outcome = f"lost: {type(error).__name__} {'in a stream' if event else ''}".strip()
    texts = () if outcome else texts_of(data)
    now = time.monotonic()
    return Answer(seed, outcome or "whole", asked - start, now - asked, pause_s, texts)


async def press(
    url: str, command: Sequence[str], clients: int, margin_s: float
) -> tuple[list[Answer], float, float]:
    """Keep clients asking from margin_s before the command until margin_s after it.

    Returns:
        What came, and when the command began and ended.
    """
    start, numbers, over = time.monotonic(), itertools.count(), asyncio.Event()
    answers: list[Answer] = []

    async def ask_on(client: httpx.AsyncClient) -> None:
        while not over.is_set():
            answers.append(await ask(client, next(numbers), start))
            if answers[-1].outcome != "whole":
                await asyncio.sleep(0.2)

    # As many clients would: each request on a connection of its own.
    pool = httpx.Limits(max_connections=clients, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, limits=pool) as client:
        asking = [asyncio.create_task(ask_on(client)) for _ in range(clients)]
        await asyncio.sleep(margin_s)
        began_s = time.monotonic() - start
        process = await asyncio.create_subprocess_exec(*command)
        status = await process.wait()
        ended_s = time.monotonic() - start
        await asyncio.sleep(margin_s)
        over.set()
        await asyncio.gather(*asking)
    if status:
        raise RuntimeError(f"{command[0]} ended with {status}")
    return answers, began_s, ended_s


def summary(name: str, answers: Sequence[Answer]) -> str:
    """Return a line about the requests of one stretch of time."""
    outcomes = Counter(answer.outcome for answer in answers)
    whole = sorted(answer.took_s for answer in answers if answer.outcome == "whole")
    if whole:
        middle, tail = whole[len(whole) // 2], whole[int(len(whole) * 0.99)]
        pause_s = max(answer.pause_s for answer in answers if answer.outcome == "whole")
        times = f"; p50 {middle:.2f} s, p99 {tail:.2f} s, longest {whole[-1]:.2f} s"
        times += f", longest silence of a stream {pause_s:.2f} s"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return f"{name}: {counts or 'nothing'}{times if whole else ''}"


def faults(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield what is not as it should be."""
    lost = Counter(answer.outcome for answer in answers if answer.outcome.startswith("lost"))
    yield from (f"{count} {outcome}" for outcome, count in lost.items())
    poems: dict[int, tuple[str, ...]] = {}
    for answer in answers:
        if answer.texts and poems.setdefault(answer.seed, answer.texts) != answer.texts:
            yield f"seed {answer.seed} gave another poem the second time"


def main(
    command: Annotated[list[str] | None, typer.Argument(help="To run under load.")] = None,
    url: Annotated[str, typer.Option(help="The balancer.")] = "http://127.0.0.1:8000",
    clients: Annotated[int, typer.Option(help="Asking at once.")] = 12,
    margin_s: Annotated[float, typer.Option(help="Load before and after the command.")] = 5.0,
) -> None:
    """Print what clients saw; fail if a request was lost."""
    answers, began_s, ended_s = asyncio.run(press(url, command or [str(ROLL)], clients, margin_s))
    print(f"the command took {ended_s - began_s:.1f} s")
    print(summary("before", [each for each in answers if each.asked_s + each.took_s < began_s]))
    meanwhile = [a for a in answers if a.asked_s <= ended_s and a.asked_s + a.took_s >= began_s]
    print(summary("meanwhile", meanwhile))
    print(summary("after", [each for each in answers if each.asked_s > ended_s]))
    found = list(faults(answers))
    for fault in found:
        print(f"fault: {fault}")
    raise typer.Exit(bool(found))


if __name__ == "__main__":
    typer.run(main)
