"""T1: a request with a seed gets the same poems alone and among many, plain and streamed."""

import asyncio
import json
import random
from typing import Any

from benchmarks.load import Connection
from benchmarks.reliability.report import Report
from benchmarks.traffic import REFUSED_S, any_request

STREAM = "/generate/stream"


async def ask(port: int, path: str, fields: dict[str, Any]) -> Any:
    """Return the poems of a request, as poems_of(); ask again while it is refused for now."""
    connection = Connection("127.0.0.1", port)
    while True:
        status, body = await connection.post(path, fields)
        late = b"event: failure" in body and b'"status":50' in body  # in a stream, the same
        if status not in (429, 503, 504) and not late:
            connection.close()
            return poems_of(status, path, body)
        await asyncio.sleep(REFUSED_S)


def poems_of(status: int, path: str, body: bytes) -> Any:
    """Return the poems of an answer, or what it says instead.

    A stream's characters have to be those of its poems; else that is said.
    """
    if status != 200:
        return status, json.loads(body)
    if path != STREAM:
        return json.loads(body)["poems"]
    events = [event.split("\n") for event in body.decode().split("\n\n") if event]
    named = [(e[0].removeprefix("event: "), e[1].removeprefix("data: ")) for e in events if e[1:]]
    name, data = named[-1]
    if name != "poem":
        return 422, json.loads(data)
    poems = json.loads(data)["poems"]
    texts = [""] * len(poems)
    for each in (json.loads(data) for name, data in named if name == "character"):
        texts[each["poem"]] += each["text"]
    printed = [poem["text"].replace("\n", "") for poem in poems]
    return poems if texts == printed else ("the stream is another poem", texts, printed)


async def compare(port: int, distinct: int, together: int) -> Report:
    """Ask for each of some requests alone, then for all of them at once, plain and streamed.

    Args:
        port: Of the service.
        distinct: Different requests.
        together: In flight at once, every other one as a stream.
    """
    chance = random.Random(distinct)
    requests = [any_request(chance) for _ in range(distinct)]
    alone = [await ask(port, "/generate", fields) for fields in requests]

    async def ask_again(number: int) -> bool:
        fields, expected = requests[number // 2 % distinct], alone[number // 2 % distinct]
        found = await ask(port, STREAM if number % 2 else "/generate", fields)
        return bool(found == expected or (refused(found) and refused(expected)))

    equal = await asyncio.gather(*(ask_again(number) for number in range(together)))
    written = sum(not refused(each) for each in alone)
    report = Report({"requests": together, "distinct": distinct, "of them written": written})
    report.figures["differ"] = together - sum(equal)
    report.require(all(equal), "an answer differs from that of the same request alone")
    report.require(written > 0, "no request was answered with a poem")
    return report


def refused(found: Any) -> bool:
    """Return whether an answer says that no poem meets the request; it says so in two shapes."""
    return isinstance(found, tuple) and found[0] == 422
