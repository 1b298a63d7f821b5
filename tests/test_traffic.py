"""Random traffic against a real server: neighbours, order and leavers change no answer."""

import asyncio
import random

import httpx
import pytest

from app.schemas import GenerateRequest
from benchmarks.load import Connection
from benchmarks.traffic import any_request, attack, poems


def test_random_requests_are_understood() -> None:
    chance = random.Random(0)
    for _ in range(200):
        GenerateRequest.model_validate(any_request(chance))


def test_answers_are_the_same_alone_and_together_and_slots_come_free(client: httpx.Client) -> None:
    port = client.base_url.port
    assert port is not None
    outcome = asyncio.run(attack(port, 40, together=12, leaving_s=0.5))
    assert outcome["written"] > 20
    assert outcome["left"] >= 12
    assert outcome["differ"] == []
    assert outcome["busy"] == {"slots_busy": 0, "queue_depth": 0}


def test_answer_that_is_neither_poem_nor_refusal_ends_the_attack() -> None:
    class Broken(Connection):
        async def post(self, path: str, fields: object) -> tuple[int, bytes]:  # noqa: ARG002
            return 500, b""

    with pytest.raises(RuntimeError, match="500"):
        asyncio.run(poems(Broken("127.0.0.1", 1), {"seed": 7}))
