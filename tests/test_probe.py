"""Clients that send no more, against a real server: some still read, some have gone."""

import json
import re
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from app.service import Service
from app.settings import Settings
from tests.conftest import serving

POEM = {"form": "jueju-5", "seed": 3}
LONG = {"length": 200, "n": 16, "seed": 3}


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with serving(service) as client:
        yield client


def ask(client: httpx.Client, path: str, fields: object, version: str = "1.1") -> socket.socket:
    url = client.base_url
    connection = socket.create_connection((url.host, url.port or 80), timeout=20)
    body = json.dumps(fields)
    connection.sendall(
        f"POST {path} HTTP/{version}\r\nHost: yin\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    return connection


def rest(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def wait_until_idle(service: Service) -> None:
    deadline = time.monotonic() + 10
    while service.engine.jobs or service.poet.engine.running:
        assert time.monotonic() < deadline, "slots are still in use"
        time.sleep(0.005)


def slowed(service: Service, monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    """Let a poem of twenty characters take seconds, so that its answer is begun in advance."""
    step = service.poet.engine.step

    def slow() -> object:
        time.sleep(step_s)
        return step()

    monkeypatch.setattr(service.poet.engine, "step", slow)


def unchunked(body: bytes) -> bytes:
    """Return a body without its chunks' sizes."""
    parts = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        parts, body = parts + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return parts


@pytest.mark.parametrize("step_s", [0.0, 0.02])
@pytest.mark.parametrize("path", ["/generate", "/generate/stream"])
def test_who_sends_no_more_gets_the_answer(
    client: httpx.Client,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    step_s: float,
) -> None:
    expected = client.post("/generate", json=POEM).json()["poems"]
    slowed(service, monkeypatch, step_s)
    connection = ask(client, path, POEM)
    connection.shutdown(socket.SHUT_WR)
    head, _, body = rest(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    answer = body
    if path.endswith("stream"):
        answer = unchunked(body).rpartition(b"event: poem\ndata: ")[2]
    assert json.loads(answer)["poems"] == expected


def test_who_sends_no_more_amid_a_stream_gets_the_rest(
    client: httpx.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed(service, monkeypatch, 0.1)  # zeros are sent between two characters
    connection = ask(client, "/generate/stream", POEM)
    first = connection.recv(65_536)
    connection.shutdown(socket.SHUT_WR)
    head, _, body = (first + rest(connection)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert re.search(rb"^0+3\w\r\nevent", body, re.MULTILINE)
    assert b"event: poem" in unchunked(body)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", ["/generate", "/generate/stream"])
def test_who_has_gone_frees_the_slots_at_once(
    client: httpx.Client,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    version: str,
) -> None:
    slowed(service, monkeypatch, 0.02)  # 240 steps and more: five seconds
    connection = ask(client, path, LONG, version)
    while not service.poet.engine.running:
        time.sleep(0.005)
    start = time.monotonic()
    connection.close()
    wait_until_idle(service)
    assert time.monotonic() - start < 1


def test_half_a_request_gets_no_answer(client: httpx.Client) -> None:
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
        connection.sendall(b"POST /generate HTTP/1.1\r\nHost: yin\r\nContent-Length: 10\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) == b""


@pytest.mark.parametrize("path", ["/forms", "/health/live", "/docs"])
def test_what_is_only_fetched_is_answered_too(client: httpx.Client, path: str) -> None:
    url = client.base_url
    connection = socket.create_connection((url.host, url.port or 80), timeout=20)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: yin\r\n\r\n".encode() * 2)
    connection.shutdown(socket.SHUT_WR)
    assert rest(connection).count(b"HTTP/1.1 200 OK") == 2
