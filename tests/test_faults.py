"""What happens around the service: replicas killed, clocks set, crowds that say nothing."""

import itertools
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from app import protocol
from app.service import Service
from app.settings import Settings
from tests.conftest import running, serving
from tests.test_cli import free_port, serve, wait_until_ready

CROWD = 500
POEM = {"length": 100, "seed": 7}
LONG = {"length": 200, "n": 16, "seed": 7}


@pytest.fixture
def ports(checkpoint_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setenv("YIN_CHECKPOINT", str(checkpoint_path))
    monkeypatch.setenv("YIN_THREADS", "1")
    monkeypatch.setenv("YIN_DTYPE", "float32")
    monkeypatch.setenv("YIN_MAX_QUEUE_STEPS", "10000")
    return [free_port(), free_port()]


def poem(urls: list[str]) -> tuple[int, str]:
    """Ask one replica after the other; return how many failed, and the poem."""
    for failed, url in enumerate(urls):
        try:
            response = httpx.post(f"{url}/generate", json=POEM, timeout=60)
        except httpx.TransportError:
            continue
        assert response.status_code == 200
        return failed, response.json()["poems"][0]["text"]
    raise AssertionError("no replica answers")


def test_a_replica_killed_under_load_costs_no_poem(ports: list[int]) -> None:
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    processes: list[subprocess.Popen[str]] = [serve(port) for port in ports]
    try:
        for process, url in zip(processes, urls, strict=True):
            wait_until_ready(process, url)
        _, expected = poem(urls[1:])
        with ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(poem, urls) for _ in range(40)]
            next(iter(asked)).result()  # the first is under way or done, most are not
            processes[0].send_signal(signal.SIGKILL)
            answers = [answer.result() for answer in asked]
        assert {text for _, text in answers} == {expected}
        assert sum(failed for failed, _ in answers) > 0
        processes[0].communicate()
        processes[0] = serve(ports[0])
        wait_until_ready(processes[0], urls[0])
        assert poem(urls) == (0, expected)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_server_that_was_paused_in_mid_poem_writes_again(
    ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIN_DEADLINE_S", "2")
    process, url = serve(ports[0]), f"http://127.0.0.1:{ports[0]}"
    try:
        wait_until_ready(process, url)
        # Of one candidate, whose characters come one by one and not when all candidates agree.
        asked = LONG | {"candidates": 1}
        with httpx.stream("POST", f"{url}/generate/stream", json=asked, timeout=20) as stream:
            lines = stream.iter_lines()
            next(lines)
            process.send_signal(signal.SIGSTOP)
            time.sleep(3)
            process.send_signal(signal.SIGCONT)
            assert "event: failure" in list(lines)
        for seed in range(3):
            assert httpx.post(f"{url}/generate", json={"n": 16, "seed": seed}).status_code == 200
        assert httpx.get(f"{url}/health/ready").status_code == 200
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def _descriptors() -> Iterator[None]:
    """Let this process, both ends of a crowd, open enough of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * CROWD), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_descriptors")
def test_a_crowd_that_says_little_stops_nobody_and_is_sent_away(
    service_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 2.0)
    beginnings = (
        b"",
        b"POST /generate HTTP/1.1\r\nHost: yin\r\n",
        b"GET / HTTP/1.1\r\nHost: yin\r\nX-Slow: ",
    )
    with running(Service.load(service_settings)) as (server, client), ExitStack() as crowd:
        url = client.base_url
        connections = [
            crowd.enter_context(socket.create_connection((url.host, url.port or 80), timeout=20))
            for _ in range(CROWD)
        ]
        for connection, beginning in zip(connections, itertools.cycle(beginnings), strict=False):
            connection.sendall(beginning)
        assert client.post("/generate", json={"seed": 1}).status_code == 200
        for connection in connections:
            assert connection.recv(1) == b""  # ended by the server
        deadline = time.monotonic() + 10
        while len(server.server_state.connections) > 1:  # the client's own
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert client.post("/generate", json={"seed": 1}).status_code == 200


@pytest.mark.parametrize("jump_s", [86_400, -86_400])
def test_a_clock_that_is_set_moves_no_deadline(
    service_settings: Settings, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    now = time.time
    calls = itertools.count()
    with serving(Service.load(service_settings)) as client:
        monkeypatch.setattr("time.time", lambda: now() + jump_s * (next(calls) % 2))
        response = client.post("/generate", json=POEM)
        assert response.status_code == 200
        assert 0 <= response.json()["elapsed_s"] < 30
        with client.stream("POST", "/generate/stream", json=POEM) as stream:
            assert "event: poem" in list(stream.iter_lines())
