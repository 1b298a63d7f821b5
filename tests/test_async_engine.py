import asyncio
import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from app.async_engine import AsyncEngine, Job
from app.errors import Draining, EngineFailed, QueueFull
from app.metrics import Metrics
from model.decoding import SamplingParams
from model.engine import Engine, Sequence
from model.place import Place
from model.poetry_model import PoetryConfig, PoetryModel


class AnyTokens:
    """A guide that lets anything come, a number of times."""

    place = Place.FREE

    def __init__(self, length: int) -> None:
        self.left = length

    @property
    def finished(self) -> bool:
        return self.left == 0

    def allowed(self) -> Tensor | None:
        return None

    def advance(self, token: int) -> None:
        assert token >= 0
        self.left -= 1


def sequence(length: int, seed: int = 0) -> Sequence:
    return Sequence([1, 2], AnyTokens(length), SamplingParams(seed=seed))


class GatedEngine(Engine):
    """An engine that steps only while a gate is open, and fails when told to."""

    def __init__(self, num_slots: int) -> None:
        super().__init__(PoetryModel(PoetryConfig(9, 4, 4, 1)).eval(), num_slots)
        self.gate = threading.Event()
        self.fails = False

    def step(self) -> list[Sequence]:
        assert self.gate.wait(timeout=30)
        if self.fails:
            raise RuntimeError("out of memory")
        return super().step()


@pytest.fixture
def engine() -> Iterator[GatedEngine]:
    engine = GatedEngine(num_slots=2)
    yield engine
    engine.gate.set()


def started(engine: Engine, **limits: float) -> AsyncEngine:
    chosen = {"max_queue_s": 1.0, "deadline_s": 20.0, **limits}
    running = AsyncEngine(engine, Metrics(), **chosen)
    running.start()
    return running


def test_a_job_is_done_when_all_its_sequences_are(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        engine.gate.set()
        sequences = [sequence(length) for length in (3, 9, 5)]
        job = running.submit(sequences, work=11)
        await job.result()
        assert [len(each.tokens) for each in sequences] == [3, 9, 5]
        await running.drain(1)

    asyncio.run(scenario())


def test_every_token_is_told_in_order(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        engine.gate.set()
        job = running.submit([sequence(3), sequence(4)], work=6)
        numbers = [number async for number in job.tokens()]
        assert sorted(numbers) == [0, 0, 0, 1, 1, 1, 1]
        await running.drain(1)

    asyncio.run(scenario())


def test_a_long_queue_is_refused_with_the_time_to_wait(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, max_queue_s=1.0)
        jobs = [running.submit([sequence(50), sequence(50)], work=100) for _ in range(2)]
        with pytest.raises(QueueFull, match="try again in") as refusal:
            running.submit([sequence(5)], work=5)
        # 2 jobs x 2 sequences x 100 steps over 2 slots at the first guess of 10 ms: 2 s.
        assert refusal.value.retry_after_s == 1
        assert refusal.value.headers == {"Retry-After": "1"}
        for job in jobs:
            running.cancel(job)
        engine.gate.set()
        await running.submit([sequence(5)], work=5).result()
        await running.drain(1)

    asyncio.run(scenario())


def test_what_cannot_be_done_in_time_is_refused_at_once(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, deadline_s=0.5)
        with pytest.raises(QueueFull):
            running.submit([sequence(100)], work=100)  # a second at 10 ms a step
        engine.gate.set()
        await running.drain(1)

    asyncio.run(scenario())


def test_a_deadline_that_passes_ends_the_wait(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, deadline_s=0.2)
        job = running.submit([sequence(5)], work=5)
        with pytest.raises(TimeoutError):
            await job.result()
        running.cancel(job)
        engine.gate.set()
        await running.drain(1)

    asyncio.run(scenario())


def test_a_cancelled_job_leaves_slots_and_queue(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        doomed = running.submit([sequence(1000, seed) for seed in range(5)], work=10)
        running.cancel(doomed)
        running.cancel(doomed)  # twice is once
        engine.gate.set()
        await running.submit([sequence(3)], work=5).result()
        assert not engine.running
        assert running.queue_s == 0
        await running.drain(1)

    asyncio.run(scenario())


def test_a_large_request_does_not_starve_a_small_one(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, max_queue_s=1000.0, deadline_s=1000.0)
        large = running.submit([sequence(200, seed) for seed in range(16)], work=202)
        small = running.submit([sequence(4)], work=6)
        engine.gate.set()
        await small.result()
        assert not large.done.is_set()
        assert sum(each.finished for each in large.sequences) <= 2
        await running.drain(0)

    asyncio.run(scenario())


def test_draining_lets_jobs_end_and_takes_no_new_ones(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        job = running.submit([sequence(5)], work=7)
        draining = asyncio.create_task(running.drain(10))
        await asyncio.sleep(0)
        with pytest.raises(Draining):
            running.submit([sequence(5)], work=7)
        engine.gate.set()
        await draining
        await job.result()
        assert not running.alive

    asyncio.run(scenario())


def test_draining_ends_at_its_limit_and_says_so(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        job = running.submit([sequence(10**6)], work=7)
        engine.gate.set()
        await running.drain(0.05)
        with pytest.raises(Draining):
            await job.result()

    asyncio.run(scenario())


def test_a_failure_of_the_engine_is_told_to_everybody_once(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        jobs: list[Job] = [running.submit([sequence(5)], work=7) for _ in range(3)]
        engine.fails = True
        engine.gate.set()
        for job in jobs:
            with pytest.raises(EngineFailed, match="the engine stopped while"):
                await job.result()
        assert not running.alive
        with pytest.raises(EngineFailed, match="needs a restart"):
            running.submit([sequence(5)], work=7)

    asyncio.run(scenario())


def test_the_engine_computes_nothing_without_work() -> None:
    engine = GatedEngine(num_slots=2)

    async def scenario() -> None:
        running = started(engine)
        await asyncio.sleep(0.05)
        assert running.alive  # a step would wait for the gate
        engine.gate.set()
        await running.drain(0)

    asyncio.run(scenario())
    assert torch.get_num_threads() == 1
