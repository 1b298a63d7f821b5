import asyncio
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import structlog
import torch

from app.main import create_app
from app.server import Server, configuration
from app.service import Service
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.poetry_model import PoetryConfig, PoetryModel
from model.verse.rhymes import Rhymes
from model.verse.script import unify
from model.vocabulary import Vocabulary

KNOWN = "日紅山夜湖海月春夏秋冬登樓里裏后後干乾幹雲發髮來"


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Small tensors: threads that wait for each other cost more than they bring."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _silent_log() -> None:
    """Nothing in the tests' own process writes log lines among the output that is tested."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture(scope="session")
def tiny_checkpoint() -> Checkpoint:
    """A checkpoint with random weights that knows enough characters for regulated verse."""
    rhymes = Rhymes.load()
    table = [chr(code) for code in range(0x4E00, 0x9FA6) if chr(code) in rhymes]
    usable = [c for c in table if unify(c) == c and c not in KNOWN]
    characters = [*KNOWN, *random.Random(0).sample(usable, 2500)]
    vocabulary = Vocabulary(characters, ["李白", "杜甫", "蘇軾"])
    torch.manual_seed(0)
    config = PoetryConfig(len(vocabulary), embedding_size=8, hidden_size=16, num_layers=2)
    return Checkpoint("tiny", config, vocabulary, PoetryModel(config).state_dict(), {"step": 0})


@pytest.fixture(scope="session")
def checkpoint_path(tiny_checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "poetry.safetensors"
    tiny_checkpoint.save(path)
    return path


@contextmanager
def running(service: Service) -> Iterator[tuple[Server, httpx.Client]]:
    """Serve on a free port in a thread; yield the server and a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = service.settings.model_copy(update={"port": port})
    config = configuration(create_app(service=service), settings)
    server = Server(config, service, service.settings.drain_s)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield server, client
    server.handle_exit(signal.SIGTERM, None)
    thread.join(timeout=30)
    assert not thread.is_alive()


@contextmanager
def serving(service: Service) -> Iterator[httpx.Client]:
    """Serve on a free port in a thread; yield a client of it."""
    with running(service) as (_, client):
        yield client


@pytest.fixture(scope="session")
def service_settings(checkpoint_path: Path) -> Settings:
    return Settings(
        checkpoint=checkpoint_path,
        num_slots=16,
        threads=1,
        dtype="float32",
        drain_s=5,
        candidates=1,  # the fastest
        max_queue_steps=10_000,  # nothing is refused but where a test wants it
    )


@pytest.fixture(scope="module")
def client(service_settings: Settings) -> Iterator[httpx.Client]:
    """A client of a service that writes with the tiny checkpoint."""
    with serving(Service.load(service_settings)) as client:
        yield client
