"""Replicas on one machine under a real Ray; skipped where Ray is not installed."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

ray = pytest.importorskip("ray", reason="Ray is an extra: pip install .[ray]")
serve = pytest.importorskip("ray.serve")

pytestmark = pytest.mark.filterwarnings("default")  # what Ray warns of is not ours

SLOTS = 4
POEM = {"length": 200, "seed": 7}


@pytest.fixture(scope="module")
def url(checkpoint_path: Path) -> Iterator[str]:
    """Where one replica of the tiny checkpoint answers, or two if there is more to do."""
    from app.ray_serve import Scale, build

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YIN_CHECKPOINT", str(checkpoint_path))
        patch.setenv("YIN_DTYPE", "float32")
        patch.setenv("YIN_NUM_SLOTS", str(SLOTS))
        patch.setenv("YIN_MAX_QUEUE_STEPS", "10000")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers
        patch.setenv("RAY_AUTH_MODE", "disabled")  # a cluster of this machine alone
        ray.init(num_cpus=2, include_dashboard=False)
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(build(Scale(min_replicas=1, max_replicas=2, num_cpus=1)))
        yield f"http://127.0.0.1:{port}"
        serve.shutdown()
        ray.shutdown()


def replicas() -> list[int]:
    """The process ids of the replicas."""
    commands = Path("/proc").glob("[0-9]*/cmdline")
    return [int(file.parent.name) for file in commands if b"ServeReplica" in read(file)]


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # its process has ended
        return b""


def wait_until(holds: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def running() -> int:
    deployment = serve.status().applications["default"].deployments["Replica"]
    number: int = deployment.replica_states.get("RUNNING", 0)
    return number


def gone(client: httpx.Client) -> bool:
    """Whether the replica that happens to answer has counted a client that left."""
    return 'yin_jobs_total{outcome="gone"} 1.0' in client.get("/metrics").text.splitlines()


def poem(url: str) -> str:
    """The poem of the one seed, asked for until a replica gives it."""
    while True:
        response = httpx.post(f"{url}/generate", json=POEM, timeout=60)
        if response.status_code == 200:
            text: str = response.json()["poems"][0]["text"]
            return text
        assert response.status_code in (500, 503), response.text
        time.sleep(0.2)


def test_requests_that_wait_bring_another_replica_and_its_poems_are_the_same(url: str) -> None:
    assert running() == 1
    first = poem(url)
    enough = threading.Event()

    def ask_on() -> set[str]:
        poems = set()
        while not enough.is_set():
            poems.add(poem(url))
        return poems

    with ThreadPoolExecutor(3 * SLOTS) as pool:
        asking = [pool.submit(ask_on) for _ in range(3 * SLOTS)]
        try:
            wait_until(lambda: running() == 2, limit_s=120)
        finally:
            enough.set()
        assert {text for each in asking for text in each.result()} == {first}


def test_a_stream_passes_as_it_is_written_and_is_given_up_when_its_client_leaves(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        with client.stream("POST", "/generate/stream", json={"length": 200, "n": SLOTS}) as poems:
            assert next(poems.iter_lines()) == "event: character"
        wait_until(lambda: gone(client), limit_s=10)


def test_a_replica_that_is_killed_is_replaced_and_no_poem_is_lost(url: str) -> None:
    expected = poem(url)
    before = replicas()
    assert len(before) == 2
    with ThreadPoolExecutor(2 * SLOTS) as pool:
        asked = [pool.submit(poem, url) for _ in range(10 * SLOTS)]
        os.kill(before[0], signal.SIGKILL)
        assert {poem.result() for poem in asked} == {expected}
    wait_until(lambda: running() == 2 and before[0] not in replicas(), limit_s=60)


def test_a_replica_that_is_told_to_stop_ends_its_poems_first(url: str) -> None:
    fields = {"length": 200, "n": SLOTS}
    with httpx.stream("POST", f"{url}/generate/stream", json=fields, timeout=60) as response:
        lines = response.iter_lines()
        next(lines)
        deleting = threading.Thread(target=serve.delete, args=["default"])
        deleting.start()
        rest = [line for line in lines if line]
    deleting.join()
    assert rest[-2] == "event: poem"
    assert len(json.loads(rest[-1].removeprefix("data: "))["poems"]) == SLOTS
    assert not replicas()


@pytest.mark.parametrize(("alive", "draining"), [(True, False), (False, True), (False, False)])
def test_ray_is_told_of_an_engine_that_has_stopped(alive: bool, draining: bool) -> None:
    from app.ray_serve import Replica

    engine = SimpleNamespace(alive=alive, draining=draining)
    service = SimpleNamespace(engine=engine)
    replica: Any = SimpleNamespace(_app=SimpleNamespace(state=SimpleNamespace(service=service)))
    if alive or draining:
        Replica.check_health(replica)
    else:
        with pytest.raises(RuntimeError, match="the engine has stopped"):
            Replica.check_health(replica)
