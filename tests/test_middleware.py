import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.caller import caller_of
from app.errors import QueueFull
from app.metrics import Metrics
from app.middleware import ApiKeys, BodyLimit, Observed, RefuseEarly


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the size of the body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def ask(
    app: ASGIApp, path: str = "/generate", method: str = "POST", **options: Any
) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


@pytest.mark.parametrize(("size", "status"), [(0, 200), (10, 200), (11, 413)])
def test_a_body_may_be_so_large(size: int, status: int) -> None:
    response = ask(BodyLimit(echo, max_bytes=10), content=b"x" * size)
    assert response.status_code == status
    if status == 200:
        assert response.text == str(size)


def full(scope: Scope) -> None:
    """Let scope's application have an engine that refuses."""

    def require_slot(caller: str) -> None:
        assert caller
        raise QueueFull("3.0 s of work are waiting", retry_after_s=3)

    engine = SimpleNamespace(require_slot=require_slot)
    scope["app"] = SimpleNamespace(state=SimpleNamespace(service=SimpleNamespace(engine=engine)))


@pytest.mark.parametrize(
    ("path", "status"), [("/generate", 503), ("/generate/stream", 503), ("/check", 200)]
)
def test_without_room_a_poem_is_refused_whatever_it_should_be(path: str, status: int) -> None:
    metrics = Metrics()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        full(scope)
        await Observed(RefuseEarly(echo), metrics)(scope, receive, send)

    response = ask(app, path, content=b"no JSON")
    assert response.status_code == status
    assert response.headers.get("retry-after") == ("3" if status == 503 else None)
    labels = {"route": path if status == 503 else "other", "status": str(status)}
    assert metrics.registry.get_sample_value("yin_requests_total", labels) == 1


async def never() -> Message:
    """Receive nothing, as from a client that begins a body and says no more."""
    await asyncio.Event().wait()
    raise AssertionError


def test_a_body_that_does_not_arrive_is_answered_and_its_connection_ended() -> None:
    answers: list[Message] = []

    async def send(message: Message) -> None:
        answers.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/generate", "headers": []}
    asyncio.run(BodyLimit(echo, max_bytes=10, max_s=0.05)(scope, never, send))
    assert answers[0]["status"] == 408
    assert (b"connection", b"close") in answers[0]["headers"]
    assert b"within 0.05 s" in answers[1]["body"]


def test_a_client_that_leaves_while_it_sends_is_not_answered() -> None:
    async def leave() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/generate", "headers": []}
    asyncio.run(BodyLimit(echo, max_bytes=10)(scope, leave, send))


@pytest.fixture
def keyed(tmp_path: Path) -> ApiKeys:
    path = tmp_path / "keys"
    path.write_text("first-key\n\n  second-key \n")
    return ApiKeys(echo, path)


@pytest.mark.parametrize("key", ["first-key", "second-key"])
def test_a_known_key_passes(keyed: ApiKeys, key: str) -> None:
    assert ask(keyed, headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "x"},
     {"Authorization": "Basic first-key"}, {"Authorization": "Bearer first-key2"}],
)  # fmt: skip
def test_without_a_known_key_nothing_passes(keyed: ApiKeys, headers: dict[str, str]) -> None:
    response = ask(keyed, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/health/../index.html", "/health/", "/metrics/x", "/", "/model"])
def test_nothing_else_passes_without_a_key(keyed: ApiKeys, path: str) -> None:
    scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    statuses = []

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    asyncio.run(keyed(scope, never, send))
    assert statuses[0] == 401


def test_who_tries_one_key_after_the_other_has_to_wait_and_others_do_not(keyed: ApiKeys) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [ask(keyed, headers=wrong).status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]
    assert "retry-after" in ask(keyed, headers=wrong).headers
    assert ask(keyed, headers={"Authorization": "Bearer first-key"}).status_code == 200


def test_a_known_key_is_whom_a_request_counts_for(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("first-key\nsecond-key\n")
    callers = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        callers.append(caller_of(scope))
        await echo(scope, receive, send)

    app = ApiKeys(note, tmp_path / "keys")
    for key in ("first-key", "second-key", "first-key"):
        ask(app, headers={"Authorization": f"Bearer {key}"})
    first, second, again = callers
    assert first == again != second
    assert "first-key" not in first


def test_health_and_metrics_need_no_key(keyed: ApiKeys) -> None:
    assert ask(keyed, "/health/live").status_code == 200
    assert ask(keyed, "/metrics").status_code == 200


def test_a_key_file_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("\n")
    with pytest.raises(ValueError, match="holds no key"):
        ApiKeys(echo, tmp_path / "keys")


async def crash(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ValueError("白日依山盡")


async def crash_late(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Begin an answer and fail."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError("白日依山盡")


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """What is logged."""
    with structlog.testing.capture_logs() as entries:
        yield entries


def test_an_answered_request_leaves_one_line_without_its_text(log: list[Any]) -> None:
    response = ask(Observed(echo, Metrics()), content="白日依山盡".encode())
    assert response.headers["x-content-type-options"] == "nosniff"
    (line,) = log
    assert line["event"] == "request"
    assert line["request_id"] == response.headers["x-request-id"]
    assert line["status"] == 200
    assert "白" not in str(line)


async def ail(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("ill", 503)(scope, receive, send)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_a_probe_is_logged_aloud_only_if_it_fails(log: list[Any], path: str) -> None:
    ask(Observed(echo, Metrics()), path)
    ask(Observed(ail, Metrics()), path)
    ask(Observed(echo, Metrics()), "/generate")
    assert [line["log_level"] for line in log] == ["debug", "info", "info"]


def test_a_crash_is_a_500_with_its_id_and_logged_without_text(log: list[Any]) -> None:
    metrics = Metrics()
    response = ask(Observed(crash, metrics), content="白日依山盡".encode())
    assert response.status_code == 500
    assert "X-Request-ID" in response.json()["detail"]
    assert response.headers["x-content-type-options"] == "nosniff"
    what, done = log
    assert what["error"] == "ValueError"
    assert what["at"][-1].endswith(" crash")
    assert done["status"] == 500
    assert what["request_id"] == done["request_id"] == response.headers["x-request-id"]
    assert "白" not in str(log)
    labels = {"route": "/generate", "status": "500"}
    assert metrics.registry.get_sample_value("yin_requests_total", labels) == 1


def test_a_crash_in_mid_answer_is_logged_and_not_answered_twice(log: list[Any]) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(Observed(crash_late, Metrics())(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert [line["event"] for line in log] == ["crash", "request"]
