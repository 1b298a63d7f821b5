"""Shutting down, against a real server."""

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, cast

import httpx
import pytest
import uvicorn

from app.main import create_app
from app.server import Server, check_address, listening, url_of
from app.service import Service
from app.settings import InvalidSetting, Settings
from app.step_time import StepTime
from tests.conftest import running, serving

LONG = {"length": 200, "seed": 1}


@pytest.fixture
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings.model_copy(update={"drain_s": 0.3}))


def hold(service: Service, monkeypatch: pytest.MonkeyPatch, before: Callable[[], Any]) -> None:
    """Do something before every step of a service's engine."""
    step = service.poet.engine.step

    def held() -> Any:
        before()
        return step()

    monkeypatch.setattr(service.poet.engine, "step", held)


class Background:
    """A call in a thread, and what came of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._result: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._result.append(call()), daemon=True)
        self._thread.start()

    @property
    def result(self) -> Any:
        self._thread.join(timeout=20)
        (result,) = self._result
        return result


def last_event(client: httpx.Client) -> tuple[str, Any]:
    with client.stream("POST", "/generate/stream", json=LONG) as response:
        lines = [line for line in response.iter_lines() if line]
    return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


def in_flight(service: Service, number: int) -> None:
    deadline = time.monotonic() + 10
    while len(service.poet.engine.running) < number:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def wait_for_503(client: httpx.Client) -> httpx.Response:
    deadline = time.monotonic() + 10
    while (response := client.get("/health/ready")).status_code != 503:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return response


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def test_poems_in_flight_end_while_new_ones_are_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    service.settings.drain_s = 20
    hold(service, monkeypatch, gate.wait)
    with running(service) as (server, client):
        plain = Background(lambda: client.post("/generate", json=LONG))
        stream = Background(lambda: last_event(client))
        while len(service.engine.jobs) < 2:
            time.sleep(0.005)
        server.handle_exit(signal.SIGTERM, None)
        wait_for_503(client)
        refused = client.post("/generate", json={})
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert client.get("/health/live").status_code == 200
        gate.set()
        assert plain.result.status_code == 200
        name, answer = stream.result
        assert name == "poem"
        assert answer["poems"] == plain.result.json()["poems"]


def test_at_the_limit_whatever_is_left_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(service, monkeypatch, lambda: time.sleep(0.02))  # 240 steps: five seconds
    with running(service) as (server, client):
        plain = Background(lambda: client.post("/generate", json=LONG))
        stream = Background(lambda: last_event(client))
        in_flight(service, 2)
        server.handle_exit(signal.SIGTERM, None)
        assert plain.result.status_code == 503
        assert plain.result.headers["retry-after"] == "1"
        name, failure = stream.result
        assert name == "failure"
        assert failure == {"status": 503, "detail": "the service is shutting down"}


def test_a_second_sigterm_refuses_what_is_being_written(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.settings.drain_s = 60
    hold(service, monkeypatch, lambda: time.sleep(0.05))
    with running(service) as (server, client):
        stream = Background(lambda: last_event(client))
        in_flight(service, 1)
        server.handle_exit(signal.SIGTERM, None)
        wait_for_503(client)
        server.handle_exit(signal.SIGTERM, None)
        name, failure = stream.result
        assert name == "failure"
        assert failure["status"] == 503


def test_a_second_sigint_does_not_wait(
    service: Service, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    service.settings.drain_s = 60
    hold(service, monkeypatch, lambda: gate.wait(timeout=1))

    def abandoned() -> None:
        with suppress(httpx.HTTPError):
            client.post("/generate", json=LONG)

    with running(service) as (server, client):
        Background(abandoned)
        while not service.engine.jobs:
            time.sleep(0.005)
        server.handle_exit(signal.SIGINT, None)
        wait_for_503(client)
        assert not server.should_exit
        server.handle_exit(signal.SIGINT, None)
        assert server.should_exit
        assert server.force_exit
        gate.set()


def test_a_signal_before_the_port_is_open_ends_the_start(service: Service) -> None:
    config = uvicorn.Config(create_app(service=service), log_config=None)
    server = Server(config, service, drain_s=1)
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit
    assert not server.force_exit


def test_an_engine_that_fails_ends_every_request_and_the_server(
    service: Service, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    def fail() -> None:
        gate.wait()
        raise MemoryError

    hold(service, monkeypatch, fail)
    with running(service) as (server, client):
        plain = Background(lambda: client.post("/generate", json=LONG))
        stream = Background(lambda: last_event(client))
        while len(service.engine.jobs) < 2:
            time.sleep(0.005)
        assert client.get("/health/live").status_code == 200
        gate.set()
        assert plain.result.status_code == 500
        assert "engine stopped" in plain.result.json()["detail"]
        assert stream.result[0] == "failure"
        assert stream.result[1]["status"] == 500
        deadline = time.monotonic() + 10
        while server.started and not server.should_exit:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_without_a_server_a_failed_engine_is_reported_by_health(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> list[int]:
        def fail() -> None:
            raise MemoryError

        application = create_app(service=service)
        transport = httpx.ASGITransport(application)
        async with (
            application.router.lifespan_context(application),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            hold(service, monkeypatch, fail)
            asked = [("POST", "/generate"), ("GET", "/health/live"), ("GET", "/health/ready")]
            asked += [("POST", "/generate")]
            answers = [await client.request(*each, json={}) for each in asked]
        return [answer.status_code for answer in answers]

    assert asyncio.run(scenario()) == [500, 503, 503, 500]


def test_what_is_refused_has_not_been_prepared(
    service: Service, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    hold(service, monkeypatch, gate.wait)
    with running(service) as (_, client):
        first = Background(lambda: client.post("/generate", json={}))
        while not service.engine.jobs:
            time.sleep(0.005)
        service.engine.ledger.step_time = StepTime({1: 1000.0})

        def prepare(*_: Any) -> Any:
            raise AssertionError("a refused request was prepared")

        with monkeypatch.context() as patched:
            patched.setattr(service, "prepare", prepare)
            response = client.post("/generate", json={"n": 16, "candidates": 4})
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert "too much in flight" in response.json()["detail"]
        service.engine.ledger.step_time = StepTime()
        gate.set()
        assert first.result.status_code == 200


@pytest.mark.parametrize(
    ("trusted", "statuses"), [("10.0.0.0/8", [200, 429]), ("10.0.0.1, 127.0.0.0/8", [200, 200])]
)
def test_only_a_trusted_proxy_may_say_for_whom_it_asks(
    service_settings: Settings, trusted: str, statuses: list[int]
) -> None:
    changed = {"trusted_proxies": trusted, "rate_limit": "1/minute"}
    with serving(Service.load(service_settings.model_copy(update=changed))) as client:
        clients = ({"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"})
        poem = {"text": "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"}
        asked = [client.post("/check", json=poem, headers=each) for each in clients]
        assert [answer.status_code for answer in asked] == statuses


def test_every_address_is_those_of_both_versions(service: Service) -> None:
    settings = service.settings.model_copy(update={"host": "::", "port": 0})
    made = listening(settings)
    if made is None:
        pytest.skip("this machine has no IPv6")
    with made[0] as both:
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, both.getsockname()[1]), timeout=5).close()
    assert listening(service.settings) is None


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:8123"), ("::", "http://[::]:8123")]
)
def test_the_address_is_one_that_a_browser_takes(host: str, url: str) -> None:
    assert url_of(Settings(host=host, port=8123)) == url


@pytest.mark.parametrize(
    ("host", "message"),
    [("nowhere.invalid", "names no address"), ("192.0.2.1", "no address of this machine")],
)
def test_an_address_that_cannot_be_listened_on_is_an_invalid_setting(
    service_settings: Settings, host: str, message: str
) -> None:
    with pytest.raises(InvalidSetting, match=f"host: .*{message}"):
        check_address(service_settings.model_copy(update={"host": host}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_is_free_until_another_has_it(service_settings: Settings, host: str) -> None:
    with socket.create_server((host, 0)) as other:
        port = other.getsockname()[1]
        settings = service_settings.model_copy(update={"host": host, "port": port})
        with pytest.raises(OSError, match=f"port: {port} at {host}: Address already in use"):
            check_address(settings)
    check_address(settings)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_who_does_not_read_the_last_answers_leaves_no_trace(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sig: signal.Signals,
) -> None:
    monkeypatch.setattr("app.server.LAST_ANSWERS_S", 1)
    monkeypatch.setattr("app.server.MARGIN_S", 0.5)
    with running(service) as (server, client):
        url = client.base_url
        with socket.create_connection((url.host, url.port or 80)) as lazy:
            lazy.sendall(b"GET /font/kai.woff2 HTTP/1.1\r\nHost: yin\r\n\r\n" * 20)
            in_time = time.monotonic() + 10
            connections = server.server_state.connections
            while not any(cast("Any", each).flow.write_paused for each in connections):
                assert time.monotonic() < in_time
                time.sleep(0.005)
            server.handle_exit(sig, None)
            server.handle_exit(sig, None)
            while server.server_state.connections:
                assert time.monotonic() < in_time
                time.sleep(0.005)
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
