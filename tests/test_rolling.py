"""The load that watches replicas being replaced: it notices what it is there to notice."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.rolling import Answer, ask, faults, press, summary


def answer(seed: int = 1, outcome: str = "whole", text: str = "日", asked_s: float = 0) -> Answer:
    return Answer(seed, outcome, asked_s, 0.5, 0.1, (text,) if outcome == "whole" else ())


def asked(respond: Response, number: int) -> Answer:
    async def endpoint(_request: Request) -> Response:
        return respond

    routes = [Route(path, endpoint, methods=["POST"]) for path in ("/generate", "/generate/stream")]

    async def send() -> Answer:
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await ask(client, number, 0.0)

    return asyncio.run(send())


WHOLE = '{"poems": [{"text": "白日依山尽"}]}'


def test_a_poem_and_a_stream_are_read_whole() -> None:
    poem = asked(Response(WHOLE), 6)
    stream = asked(Response(f"event: character\ndata: 白\n\nevent: poem\ndata: {WHOLE}\n\n"), 7)
    assert (poem.seed, poem.outcome, poem.texts) == (3, "whole", ("白日依山尽",))
    assert (stream.seed, stream.outcome, stream.texts) == (3, "whole", ("白日依山尽",))


@pytest.mark.parametrize(
    ("response", "number", "outcome"),
    [
        (JSONResponse({}, 503), 0, "refused"),
        (JSONResponse({}, 502), 0, "lost: 502"),
        (Response("event: failure\ndata: 503\n\n"), 1, "lost: the stream ended with failure 503"),
        (Response("event: character\ndata: 白\n\n"), 1, "lost: the stream ended with character 白"),
    ],
)
def test_what_is_not_whole_is_counted(response: Response, number: int, outcome: str) -> None:
    assert asked(response, number).outcome == outcome


def test_what_is_lost_or_differs_is_a_fault() -> None:
    assert list(faults([answer(), answer(), answer(outcome="refused")])) == []
    assert list(faults([answer(outcome="lost: 502")])) == ["1 lost: 502"]
    assert list(faults([answer(), answer(text="月")])) == [
        "seed 1 gave another poem the second time"
    ]


def test_a_line_counts_and_times() -> None:
    line = summary("before", [answer(), answer(outcome="refused")])
    assert line.startswith("before: 1 refused, 1 whole; p50 0.50 s, p99 0.50 s, longest 0.50 s")
    assert summary("after", []) == "after: nothing"


def test_the_command_runs_in_the_midst_of_requests(client: httpx.Client, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    answers, began_s, ended_s = asyncio.run(
        press(str(client.base_url), ["touch", str(ran)], clients=2, margin_s=0.5)
    )
    assert ran.exists()
    assert {each.outcome for each in answers} == {"whole"}
    assert list(faults(answers)) == []
    assert min(each.asked_s for each in answers) < began_s < ended_s
    assert max(each.asked_s for each in answers) > ended_s


def test_a_command_that_fails_is_an_error(client: httpx.Client) -> None:
    with pytest.raises(RuntimeError, match="false ended with 1"):
        asyncio.run(press(str(client.base_url), ["false"], clients=1, margin_s=0))
