"""Connections that say little, against a real server."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from app import protocol
from app.protocol import Protocol
from app.service import Service
from app.settings import Settings
from tests.conftest import serving

HEAD = b"GET /health/live HTTP/1.1\r\nHost: yin\r\n"
PATIENCE_S = 0.3


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "HEAD_S", PATIENCE_S)
        with serving(service) as client:
            yield client


def connect(client: httpx.Client) -> socket.socket:
    url = client.base_url
    return socket.create_connection((url.host, url.port or 80), timeout=10)


def closed_after_s(connection: socket.socket) -> float:
    """Read to the end; return how long that took."""
    start = time.monotonic()
    while connection.recv(65_536):
        pass
    return time.monotonic() - start


def dribble(connection: socket.socket, content: bytes) -> None:
    for byte in content:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def flood(connection: socket.socket, more: bytes, limit: int) -> int:
    """Send more again and again until the other side has closed; return the bytes sent."""
    for sent in range(0, limit, len(more)):
        try:
            connection.sendall(more)
        except OSError:
            return sent
    return limit


def test_who_says_nothing_or_little_is_let_go(client: httpx.Client) -> None:
    for said in (b"", b"G", HEAD):
        with connect(client) as connection:
            connection.sendall(said)
            assert PATIENCE_S / 2 < closed_after_s(connection) < 5


def test_who_dribbles_wins_no_time(client: httpx.Client) -> None:
    with connect(client) as connection:
        start = time.monotonic()
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            dribble(connection, HEAD * 20)
        assert PATIENCE_S / 2 < time.monotonic() - start < 5


def test_the_second_request_of_a_connection_has_to_come_too(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(HEAD + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        time.sleep(2 * PATIENCE_S)  # uvicorn's own patience between two requests is longer
        connection.sendall(HEAD)
        assert PATIENCE_S / 2 < closed_after_s(connection) < 5


def test_an_answer_may_take_longer_than_the_question(
    client: httpx.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = service.poet.engine.step

    def slow() -> Any:
        time.sleep(2 * PATIENCE_S / 30)  # a quatrain takes 40 steps
        return step()

    monkeypatch.setattr(service.poet.engine, "step", slow)
    with connect(client) as connection:
        connection.sendall(
            b"POST /generate HTTP/1.1\r\nHost: yin\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nContent-Length: 20\r\n\r\n"
        )
        time.sleep(2 * PATIENCE_S)  # a body has a limit of its own
        connection.sendall(b'{"form": "jueju-7" }')
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"poems"' in answer


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (HEAD, b"X: %s\r\n" % (b"a" * 1000)),
        (b"GET /", b"a" * 1000),
        (HEAD.replace(b"GET /health/live", b"POST /generate") + b"X: ", b"a" * 1000),
        (
            b"POST /generate HTTP/1.1\r\nHost: yin\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: %s\r\n" % (b"a" * 1000),
        ),
        (
            b"POST /generate HTTP/1.1\r\nHost: yin\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1;%s\r\na\r\n" % (b"a" * 1000),
        ),
    ],
    ids=["headers", "path", "header", "trailers", "chunk extensions"],
)
def test_who_says_much_besides_a_body_is_cut_short(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, beginning: bytes, more: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 30.0)
    with connect(client) as connection:
        connection.sendall(beginning)
        # Some megabytes fill the buffers of both sides.
        assert flood(connection, more, limit=100_000_000) < 20_000_000


def test_a_head_that_is_too_large_is_refused_however_it_arrives(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(HEAD + b"X: %s\r\n\r\n" % (b"a" * 70_000))
        assert b" 200 " not in b"".join(iter(lambda: connection.recv(65_536), b""))


def test_blank_lines_do_not_keep_a_connection(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Protocol, "on_message_begin", hurried(Protocol.on_message_begin))
    with connect(client) as connection:
        connection.sendall(HEAD + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            dribble(connection, b"\r\n" * 500)
        assert PATIENCE_S / 2 < time.monotonic() - start < 5


def hurried(begin: Callable[[Protocol], None]) -> Callable[[Protocol], None]:
    """Let connections be idle for less than the second that settings allow at least."""

    def on_message_begin(self: Protocol) -> None:
        self.timeout_keep_alive = PATIENCE_S  # type: ignore[assignment]
        begin(self)

    return on_message_begin


def test_a_body_that_goes_on_after_its_refusal_ends(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_S", PATIENCE_S)
    with connect(client) as connection:
        connection.sendall(
            b"POST /generate HTTP/1.1\r\nHost: yin\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000000\r\n\r\n"
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")
        start = time.monotonic()
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            dribble(connection, b" " * 500)
        assert time.monotonic() - start < 5


def test_who_does_not_read_is_let_go(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALL_S", PATIENCE_S)
    asked = b"GET /font/kai.woff2 HTTP/1.1\r\nHost: yin\r\n\r\n"
    size = int(client.head("/font/kai.woff2").headers["content-length"])
    with connect(client) as connection:
        connection.sendall(asked * 20)
        time.sleep(4 * PATIENCE_S)
        received = 0
        with suppress(ConnectionResetError):
            while part := connection.recv(1 << 20):
                received += len(part)
        assert 0 < received < 20 * size


def test_one_connection_too_many_is_refused_and_the_others_go_on(
    service_settings: Settings,
) -> None:
    settings = service_settings.model_copy(update={"max_connections": 2})
    with serving(Service.load(settings)) as client:
        assert client.get("/health/live").status_code == 200
        with connect(client):
            with connect(client) as third:
                assert third.recv(65_536).startswith(b"HTTP/1.1 503")
                assert third.recv(1) == b""
            assert client.get("/health/live").status_code == 200


def test_a_large_body_is_the_application_s_to_refuse(client: httpx.Client) -> None:
    assert client.post("/generate", content=b" " * 200_000).status_code == 413
    assert client.get("/health/live", headers={"X-Large": "a" * 60_000}).status_code == 200


def test_a_request_behind_a_large_refused_body_is_answered(client: httpx.Client) -> None:
    body = b'{"start": "' + b"x" * 1_000_000 + b'"}'
    for _ in range(10):
        large = client.post("/generate", content=body, headers={"Content-Type": "application/json"})
        assert large.status_code == 413
        assert client.get("/forms").status_code == 200


@pytest.mark.parametrize("candidates", [1, 2])
def test_http_1_0_gets_no_chunks(client: httpx.Client, candidates: int) -> None:
    body = b'{"form": "jueju-5", "seed": 3, "candidates": %d}' % candidates
    asked = b"POST /generate/stream HTTP/1.0\r\nContent-Type: application/json\r\n"
    with connect(client) as connection:
        connection.sendall(asked + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, events = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert b"content-length" not in head.lower()
    assert events.startswith(b"event: character\ndata: ")
    assert events.endswith(b"}\n\n")
    assert events.count(b"event: poem\n") == 1


def test_http_1_0_gets_a_file_whole(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(b"GET /font/kai.woff2 HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    assert answer.partition(b"\r\n\r\n")[2] == client.get("/font/kai.woff2").content


def test_a_lost_connection_ends_the_request_before_the_last(
    client: httpx.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvicorn itself lets only the last of several requests know."""
    step = service.poet.engine.step

    def slow() -> Any:
        time.sleep(0.02)  # 240 steps and more: five seconds
        return step()

    monkeypatch.setattr(service.poet.engine, "step", slow)
    body = b'{"length": 200, "n": 16, "seed": 1}'
    asked = b"POST /generate/stream HTTP/1.1\r\nHost: yin\r\nContent-Type: application/json\r\n"
    with connect(client) as connection:
        connection.sendall(asked + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        connection.sendall(HEAD + b"\r\n")
        connection.recv(100)
        assert service.engine.jobs
    deadline = time.monotonic() + 2
    while service.engine.jobs:
        assert time.monotonic() < deadline
        time.sleep(0.005)
