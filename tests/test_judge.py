import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.aside import MOST, MOST_OF_ONE, Aside
from app.errors import QueueFull, TooMuchHeld, UnacceptableRequest
from app.judge import Judge, cost
from app.metrics import Metrics
from model.verse.proof import MeterProof, check

POEM = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"


@pytest.fixture
def judge() -> Judge:
    return Judge(Aside(Metrics()))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lets poems be judged when it is set."""
    gate = threading.Event()

    def slowly(text: str) -> MeterProof:
        gate.wait(timeout=20)
        return check(text)

    monkeypatch.setattr("app.judge.judge", slowly)
    yield gate
    gate.set()


def test_one_caller_may_wait_for_only_so_many(judge: Judge, gate: threading.Event) -> None:
    async def scenario() -> None:
        waiting = [asyncio.ensure_future(judge.proof(POEM, "a")) for _ in range(MOST_OF_ONE)]
        await asyncio.sleep(0)
        with pytest.raises(TooMuchHeld, match="8 of your poems") as refusal:
            await judge.proof(POEM, "a")
        assert refusal.value.retry_after_s == 1
        waiting.append(asyncio.ensure_future(judge.proof(POEM, "b")))
        gate.set()
        assert all(each.regulated for each in await asyncio.gather(*waiting))
        assert (await judge.proof(POEM, "a")).regulated

    asyncio.run(scenario())


def test_all_together_may_wait_for_only_so_many(judge: Judge, gate: threading.Event) -> None:
    async def scenario() -> None:
        callers = [str(number // MOST_OF_ONE) for number in range(MOST)]
        waiting = [asyncio.ensure_future(judge.proof(POEM, caller)) for caller in callers]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="64 poems are waiting") as refusal:
            await judge.proof(POEM, "another")
        assert refusal.value.retry_after_s == 1
        waiting.pop().cancel()
        await asyncio.sleep(0)
        waiting.append(asyncio.ensure_future(judge.proof(POEM, "another")))
        gate.set()
        assert all(each.regulated for each in await asyncio.gather(*waiting))

    asyncio.run(scenario())


def test_what_is_no_poem_is_refused_and_leaves_its_place(judge: Judge) -> None:
    async def scenario() -> None:
        for _ in range(2 * MOST_OF_ONE):
            with pytest.raises(UnacceptableRequest) as refusal:
                await judge.proof("hello", "a")
            assert refusal.value.field == "text"

    asyncio.run(scenario())


@pytest.mark.parametrize(("characters", "slot_steps"), [(1, 1), (16, 1), (17, 2), (1000, 63)])
def test_a_text_costs_by_its_length(characters: int, slot_steps: int) -> None:
    assert cost("日" * characters) == slot_steps
