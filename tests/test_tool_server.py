"""The tools, by the client of the official SDK: over stdio, and over HTTP beside the API."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent
from typer.testing import CliRunner

from app import settings as settings_module
from app.cli import app as command_line
from app.revision import ReviseRequest
from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings
from tests.conftest import serving

ROOT = Path(__file__).parents[1]
STORK = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
TOOLS = ["write_poem", "check_poem", "revise", "rhymes", "forms"]
MODES = ["auto", "legacy"]  # the newest protocol, and that of 2025
KEY = "a-key-of-the-tests"


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


async def answer(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool answers; the client has compared it with the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert json.loads(text_of(result)) == result.structured_content
    return result.structured_content


async def use_every_tool(client: Client) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(tools) == TOOLS
    assert tools["write_poem"].input_schema == GenerateRequest.model_json_schema()
    assert tools["revise"].input_schema == ReviseRequest.model_json_schema()
    written = await answer(client, "write_poem", form="五绝", seed=3, candidates=1)
    (poem,) = written["poems"]
    assert (poem["characters"], poem["meter"]["regulated"]) == (20, True)
    again = await answer(client, "write_poem", form="五绝", seed=3, candidates=1)
    assert again["poems"] == [poem]
    proof = await answer(client, "check_poem", text=STORK)
    assert (proof["regulated"], proof["rhyme"]) == (True, "十一尤")
    group = await answer(client, "rhymes", name="七阳", script="traditional")
    assert group["groups"][0]["name"] == "七陽"
    listed = await answer(client, "forms")
    assert len(listed["forms"]) > 70
    assert not any(form["variants"] for form in listed["forms"])
    (shown,) = (await answer(client, "forms", name="浣溪沙"))["forms"]
    assert len(shown["cards"][0]["lines"]) == 6
    assert await refusal(client, "write_poem", length=9) == "length: must be at least 10"
    assert "the fields are title" in await refusal(client, "write_poem", titel="雪")
    assert await refusal(client, "write_poem", start="龘") == (
        "start: the model does not know the character '龘'"
    )
    assert "must be simplified or" in await refusal(client, "rhymes", name="花", script="x")
    assert await refusal(client, "rhymes") == "name: must be given"
    assert "without 'x'" in await refusal(client, "rhymes", name="../x")
    assert "must be a rhyme group" in await refusal(client, "rhymes", name="花花")
    assert "huanxisha" in await refusal(client, "forms", name="浣溪砂")
    assert "the tools are write_poem, " in await refusal(client, "paint")


def over_http(url: str, do: Callable[[Client], Awaitable[None]], mode: str, **headers: str) -> None:
    async def run() -> None:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30, trust_env=False) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
        ):
            await do(client)

    asyncio.run(run())


@pytest.fixture(scope="module")
def served(service_settings: Settings) -> Any:
    service = Service.load(service_settings.model_copy(update={"mcp": True}))
    with serving(service) as client:
        yield client


@pytest.mark.parametrize("mode", MODES)
def test_every_tool_answers_over_http(served: httpx.Client, mode: str) -> None:
    over_http(str(served.base_url).rstrip("/"), use_every_tool, mode)
    text = served.get("/metrics").text
    assert 'yin_requests_total{route="/generate",status="200"}' in text
    assert 'yin_requests_total{route="/mcp",status="200"}' in text


def test_refusals_are_in_the_language_that_the_client_accepts(served: httpx.Client) -> None:
    async def ask(client: Client) -> None:
        assert await refusal(client, "write_poem", length=9) == "length: 至少为 10"
        assert await refusal(client, "rhymes") == "name: 不可缺少"

    over_http(str(served.base_url).rstrip("/"), ask, "auto", **{"Accept-Language": "zh"})


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Host": "elsewhere.example"}, 421),
        ({"Origin": "http://elsewhere.example", "Host": "elsewhere.example"}, 421),
    ],
)
def test_pages_from_elsewhere_cannot_use_the_tools(
    served: httpx.Client, headers: dict[str, str], status: int
) -> None:
    response = served.post("/mcp", json=LIST, headers={**ACCEPT, **headers})
    assert response.status_code == status, response.text


def test_on_every_address_only_its_own_pages_and_those_named_use_the_tools(
    service_settings: Settings,
) -> None:
    changes = {"mcp": True, "host": "0.0.0.0", "cors_origins": "https://poems.example"}
    with serving(Service.load(service_settings.model_copy(update=changes))) as http:

        def status(**headers: str) -> int:
            answer = http.post("/mcp", json=LIST, headers={**ACCEPT, **headers})
            return answer.status_code

        assert status(Host="yin.example") == 200
        assert status(Host="yin.example", Origin="https://yin.example") == 200
        assert status(Origin="https://poems.example") == 200
        assert status(Host="yin.example", Origin="https://elsewhere.example") == 403
        assert status(Origin="null") == 403


def test_a_service_that_is_not_told_to_has_no_tools(client: httpx.Client) -> None:
    assert client.post("/mcp", json=LIST, headers=ACCEPT).status_code == 404


def test_tools_are_behind_the_keys_and_count_for_the_caller(
    service_settings: Settings, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text(KEY)
    changes = {"mcp": True, "api_keys": keys, "rate_limit": "30/hour"}
    with serving(Service.load(service_settings.model_copy(update=changes))) as http:
        assert http.post("/mcp", json=LIST, headers=ACCEPT).status_code == 401

        async def write(client: Client) -> None:
            await answer(client, "write_poem", form="五绝", candidates=1)
            message = await refusal(client, "write_poem", length=200, n=16, candidates=4)
            assert "this counts as " in message
            assert "at most 30 per 1 hour; try again in" in message

        url = str(http.base_url).rstrip("/")
        over_http(url, write, "auto", Authorization=f"Bearer {KEY}")


def over_stdio(do: Callable[[Client], Awaitable[None]], *arguments: str, **env: str) -> None:
    async def run() -> None:
        command = StdioServerParameters(
            command=sys.executable,
            args=["-W", "error", "-c", "from app.cli import main; main()", "mcp", *arguments],
            env=env,
            cwd=ROOT,
        )
        async with Client(command, read_timeout_seconds=120) as client:
            await do(client)

    asyncio.run(run())


def test_every_tool_answers_over_stdio_from_a_process_of_its_own(checkpoint_path: Path) -> None:
    over_stdio(use_every_tool, YIN_CHECKPOINT=str(checkpoint_path), YIN_DTYPE="float32")


def test_every_tool_answers_over_stdio_from_a_running_service(client: httpx.Client) -> None:
    url = str(client.base_url).removeprefix("http://").rstrip("/")
    over_stdio(use_every_tool, "--url", url)


def test_a_service_that_does_not_answer_is_named_to_the_model() -> None:
    async def ask(client: Client) -> None:
        assert (await refusal(client, "forms")).startswith("no service answers: ")

    over_stdio(ask, "--url", "http://127.0.0.1:9")


def test_an_address_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(command_line, ["mcp", "--url", "ftp://x"])
    assert result.exit_code == 2
    assert "it should look like http://127.0.0.1:8000" in result.stderr


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "find_spec", lambda _name: None)
    result = CliRunner().invoke(command_line, ["mcp"])
    assert result.exit_code == 1
    assert "need the package mcp: pip install -c constraints.txt '.[mcp]'" in result.stderr
    with pytest.raises(ValueError, match="need the package mcp"):
        Settings(mcp=True)
    assert not Settings().mcp
