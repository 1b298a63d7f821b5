"""The attacks of benchmarks.reliability, in short."""

import asyncio
import random

import pytest

from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings
from benchmarks.reliability import KINDS, deliver, held, largest_request
from tests.conftest import running


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    # As many slots as the largest request takes.
    return Service.load(service_settings.model_copy(update={"num_slots": 128}))


def test_the_largest_requests_are_requests() -> None:
    chance = random.Random(1)
    for _ in range(50):
        GenerateRequest.model_validate(largest_request(chance))


def test_the_event_loop_is_watched_while_requests_are_prepared(service: Service) -> None:
    chance = random.Random(1)
    late = asyncio.run(held(service, [largest_request(chance) for _ in range(60)], together=2))
    assert late == sorted(late)
    assert len(late) > 1
    assert late[len(late) // 2] < 0.05


def test_what_is_delivered_is_counted(service_settings: Settings) -> None:
    with running(Service.load(service_settings)) as (_, client):
        port = client.base_url.port
        assert port is not None
        got = asyncio.run(deliver(port, KINDS["quatrains"], clients=2, seconds=0.5))
    assert got["200"] > 0
    assert got["characters"] == 28 * got["200"]
