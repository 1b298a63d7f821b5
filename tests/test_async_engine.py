import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest
import torch
from torch import Tensor

from app.admission import Claim
from app.async_engine import AsyncEngine
from app.errors import Draining, EngineFailed, GaveWay, QueueFull, WouldBeLate
from app.job import Job
from app.metrics import Metrics
from app.step_time import StepTime
from model.engine import Engine
from model.guide import NoCharacterFits
from model.poetry_model import PoetryConfig, PoetryModel
from model.sampling import SamplingParams
from model.sequence import Sequence
from model.verse.cue import Cue


class AnyTokens:
    """A guide that lets anything come, a number of times."""

    cue = Cue.FREE

    def __init__(self, length: int) -> None:
        self.left = length

    @property
    def finished(self) -> bool:
        return self.left == 0

    def allowed(self) -> Tensor | None:
        return None

    def vet(self, token: int) -> bool:  # noqa: ARG002
        return True

    def advance(self, token: int) -> None:
        assert token >= 0
        self.left -= 1


def sequence(length: int, seed: int = 0) -> Sequence:
    return Sequence([1, 2], AnyTokens(length), SamplingParams(seed=seed))


class GatedEngine(Engine):
    """An engine that steps only while a gate is open, and fails when asked to."""

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


def started(
    engine: Engine,
    num_threads: int = 1,
    metrics: Metrics | None = None,
    max_queue_steps: float = 100.0,
    deadline_s: float = 20.0,
) -> AsyncEngine:
    running = AsyncEngine(
        engine,
        metrics or Metrics(),
        max_queue_steps=max_queue_steps,
        deadline_s=deadline_s,
        num_threads=num_threads,
    )
    running.start()
    return running


def submit(running: AsyncEngine, sequences: list[Sequence], steps: int, caller: str = "") -> Job:
    job = running.admit(Claim(len(sequences), steps, caller=caller))
    running.run(job, sequences)
    return job


async def emitted(job: Job) -> list[int]:
    """Every number that a job emits, in order."""
    numbers = []
    while not job.drained:
        numbers += await job.news(patience_s=10)
    return numbers


def count(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def test_a_job_is_done_when_all_its_sequences_are(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        engine.gate.set()
        sequences = [sequence(length) for length in (3, 9, 5)]
        job = submit(running, sequences, steps=11)
        await job.result()
        assert [len(each.tokens) for each in sequences] == [3, 9, 5]
        await running.drain(1)

    asyncio.run(scenario())


def test_every_token_is_emitted_in_order(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        engine.gate.set()
        job = submit(running, [sequence(3), sequence(4)], steps=6)
        assert sorted(await emitted(job)) == [0, 0, 0, 1, 1, 1, 1]
        await running.drain(1)

    asyncio.run(scenario())


def test_a_long_queue_is_refused_with_the_time_to_wait(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, max_queue_steps=100.0)
        jobs = [submit(running, [sequence(50), sequence(50)], steps=100) for _ in range(2)]
        with pytest.raises(QueueFull, match="try again in") as refusal:
            submit(running, [sequence(5)], steps=5)
        # 2 jobs x 2 sequences x 100 steps over 2 slots, 100 more than may wait, at 10 ms each.
        assert refusal.value.retry_after_s == 1
        assert refusal.value.headers == {"Retry-After": "1"}
        for job in jobs:
            running.cancel(job)
        engine.gate.set()
        await submit(running, [sequence(5)], steps=5).result()
        await running.drain(1)

    asyncio.run(scenario())


def test_what_cannot_be_done_in_time_is_refused_at_once(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, deadline_s=0.5)
        running.admit(Claim(1, 1))  # an idle engine would take anything
        with pytest.raises(WouldBeLate):
            submit(running, [sequence(100)], steps=100)  # a second at 10 ms a step
        engine.gate.set()
        await running.drain(1)

    asyncio.run(scenario())


def test_a_deadline_that_passes_ends_the_wait(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, deadline_s=0.2)
        job = submit(running, [sequence(5)], steps=5)
        with pytest.raises(TimeoutError):
            await job.result()
        running.cancel(job)
        engine.gate.set()
        await running.drain(1)

    asyncio.run(scenario())


def test_a_cancelled_job_leaves_slots_and_queue(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        doomed = submit(running, [sequence(1000, seed) for seed in range(5)], steps=10)
        running.cancel(doomed)
        running.cancel(doomed)  # twice is once
        engine.gate.set()
        await submit(running, [sequence(3)], steps=5).result()
        assert not engine.running
        assert running.ledger.steps_to_slot() == 0
        await running.drain(1)

    asyncio.run(scenario())


def test_a_large_request_does_not_starve_a_small_one(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, max_queue_steps=1e5, deadline_s=1000.0)
        large = submit(running, [sequence(200, seed) for seed in range(16)], steps=202)
        small = submit(running, [sequence(4)], steps=6)
        engine.gate.set()
        await small.result()
        assert not large.done.is_set()
        assert sum(each.finished for each in large.sequences) <= 2
        await running.drain(0)

    asyncio.run(scenario())


def test_a_caller_with_many_requests_does_not_hold_up_one_with_one(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, max_queue_steps=1e5, deadline_s=1000.0)
        many = [submit(running, [sequence(20, seed)], 22, "many") for seed in range(20)]
        one = submit(running, [sequence(20)], 22, "one")
        engine.gate.set()
        await one.result()
        assert sum(job.done.is_set() for job in many) <= 4
        await running.drain(0)

    asyncio.run(scenario())


def test_the_newest_job_gives_way_where_not_all_can_be_done(engine: GatedEngine) -> None:
    async def scenario() -> None:
        metrics = Metrics()
        running = started(engine, metrics=metrics, max_queue_steps=1e5, deadline_s=20.0)
        old, new = (submit(running, [sequence(900, seed)], 902) for seed in range(2))
        # A row more takes a step from 10 ms to 40 ms: together they would take 36 s.
        running.ledger.step_time = StepTime({1: 0.01, 2: 0.04})
        engine.gate.set()
        with pytest.raises(GaveWay, match="older poems come first"):
            await new.result()
        await old.result()
        assert count(metrics, "yin_jobs_total", outcome="dropped") == 1
        assert count(metrics, "yin_jobs_total", outcome="done") == 1
        await running.drain(1)

    asyncio.run(scenario())


def test_room_is_kept_from_admission_on(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        jobs = [running.admit(Claim(2, 100)) for _ in range(2)]  # 2 s, nothing handed over yet
        with pytest.raises(QueueFull, match=r"2.0 s of work are waiting"):
            running.admit(Claim(1, 5))
        running.cancel(jobs[0])
        running.cancel(jobs[1])
        assert running.ledger.steps_reserved == 0
        running.admit(Claim(1, 5))

    asyncio.run(scenario())


def test_a_job_that_was_cancelled_before_it_was_handed_over_does_not_run(
    engine: GatedEngine,
) -> None:
    async def scenario() -> None:
        running = started(engine)
        job = running.admit(Claim(1, 5))
        running.cancel(job, Draining("going"))
        with pytest.raises(Draining, match="going"):
            running.run(job, [sequence(3)])
        engine.gate.set()
        await running.drain(1)
        assert not engine.running

    asyncio.run(scenario())


def test_a_request_too_large_for_the_deadline_is_refused_with_its_time(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, deadline_s=2.0, max_queue_steps=1e4)
        running.admit(Claim(1, 1))
        with pytest.raises(WouldBeLate, match=r"finish this within 2 s") as refusal:
            running.admit(Claim(8, 100))  # 8 x 100 steps over 2 slots at 10 ms, a step later
        assert refusal.value.retry_after_s == 3
        running.admit(Claim(2, 80))

    asyncio.run(scenario())


def test_the_queue_shrinks_with_every_step(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine, max_queue_steps=1e5, deadline_s=1000.0)
        job = submit(running, [sequence(500, seed) for seed in range(2)], steps=502)
        before = running.ledger.steps_reserved
        engine.gate.set()
        while (
            len(await job.news(patience_s=10)) == 0 or running.ledger.steps_reserved > before - 20
        ):
            pass
        # Two header tokens and 500 of the body: what is left is what was not emitted yet.
        left = sum(share.steps for share in job.reservation.shares)
        assert running.ledger.steps_reserved == left < before
        await job.result()
        assert running.ledger.steps_reserved == 0
        await running.drain(1)

    asyncio.run(scenario())


def test_at_five_times_its_load_the_admitted_wait_little_longer() -> None:
    """In steps, so that the machine's speed does not matter: poems of 40 steps over 8 slots."""
    work, slots = 40, 8
    at_capacity = latencies_in_steps(slots, work, every=work // slots)
    overloaded = latencies_in_steps(slots, work, every=1)
    assert len(overloaded) >= len(at_capacity) * 0.95  # refusing costs no throughput
    assert sorted(overloaded)[int(0.99 * len(overloaded))] <= 1.5 * max(at_capacity)


def latencies_in_steps(slots: int, work: int, every: int, steps: int = 240) -> list[int]:
    """Offer a poem in every so many steps; return the steps from admission to the end of each."""

    class Stepwise(Engine):
        """An engine that takes a step when it is allowed one."""

        def __init__(self) -> None:
            super().__init__(PoetryModel(PoetryConfig(9, 4, 4, 1)).eval(), slots)
            self.allowed, self.taken = threading.Semaphore(0), 0

        def step(self) -> list[Sequence]:
            assert self.allowed.acquire(timeout=30)
            emitted = super().step()
            self.taken += 1
            return emitted

    async def scenario() -> list[int]:
        engine = Stepwise()
        running = started(engine, max_queue_steps=16, deadline_s=1000.0)
        jobs: dict[Job, int] = {}
        latencies = []
        for now in range(steps):
            if now % every == 0:
                with suppress(QueueFull):
                    jobs[submit(running, [sequence(work - 1, now)], work)] = now
            engine.allowed.release()
            while engine.taken <= now:
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)  # for the hand-over
            latencies += [now + 1 - jobs.pop(job) for job in list(jobs) if job.done.is_set()]
        engine.allowed.release(1000)
        await running.drain(0)
        return latencies

    return asyncio.run(scenario())


def test_nothing_of_a_cancelled_job_is_kept(engine: GatedEngine) -> None:
    async def scenario() -> list[weakref.ref[Sequence]]:
        running = started(engine, max_queue_steps=1e5, deadline_s=1000.0)
        engine.gate.set()
        seen = []
        for seed in range(20):
            sequences = [sequence(10**6, seed + i) for i in range(4)]  # two run, two wait
            job = submit(running, sequences, steps=10)
            seen += [weakref.ref(each) for each in sequences]
            await job.news(patience_s=10)
            running.cancel(job)
        await submit(running, [sequence(3)], steps=5).result()
        await running.drain(1)
        assert not running.jobs
        return seen

    seen = asyncio.run(scenario())
    gc.collect()
    assert [ref() for ref in seen] == [None] * 80


def test_a_sequence_that_fails_emits_no_token(engine: GatedEngine) -> None:
    class Stuck(AnyTokens):
        def allowed(self) -> Tensor | None:
            if self.left == 1:
                raise NoCharacterFits(1, "nothing fits")
            return None

    async def scenario() -> None:
        running = started(engine)
        engine.gate.set()
        stuck = Sequence([1, 2], Stuck(3), SamplingParams())
        job = submit(running, [stuck, sequence(4)], steps=6)
        assert sorted(await emitted(job)) == [0, 0, 1, 1, 1, 1]
        await job.result()
        assert stuck.error is not None
        await running.drain(1)

    asyncio.run(scenario())


def test_patience_without_news_ends_with_none(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        job = submit(running, [sequence(3)], steps=5)
        assert await job.news(patience_s=0.01) == []
        engine.gate.set()
        assert await emitted(job) == [0, 0, 0]
        await running.drain(1)

    asyncio.run(scenario())


class StepwiseEngine(GatedEngine):
    """An engine that takes a step when it is let to."""

    def __init__(self, num_slots: int) -> None:
        super().__init__(num_slots)
        self.gate.set()
        self._permits, self._taken = threading.Semaphore(0), threading.Semaphore(0)

    def step(self) -> list[Sequence]:
        assert self._permits.acquire(timeout=30)
        changed = super().step()
        self._taken.release()
        return changed

    async def take(self, steps: int) -> None:
        """Let it step, and wait until it has, and for what it hands over."""
        for _ in range(steps):
            self._permits.release()
            assert await asyncio.to_thread(self._taken.acquire, timeout=30)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("watched", [True, False])
def test_the_event_loop_hears_of_steps_that_somebody_waits_for(
    watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine_thread.HAND_OVER_S", 1e9)
    engine = StepwiseEngine(num_slots=2)

    async def scenario() -> None:
        running = started(engine)
        job = submit(running, [sequence(6)], steps=8)
        if watched:
            running.watch(job)
        await engine.take(4)  # the header's two tokens, the second of which brings the first
        numbers = await job.news(patience_s=0.05)
        assert len(numbers) in ((2, 3) if watched else (0,))
        await engine.take(3)
        assert job.done.is_set()
        assert numbers + await emitted(job) == [0] * 6
        await running.drain(1)

    asyncio.run(scenario())


def test_news_end_at_the_deadline(engine: GatedEngine) -> None:
    async def scenario() -> None:
        metrics = Metrics()
        running = started(engine, metrics=metrics, deadline_s=0.1)
        job = submit(running, [sequence(3)], steps=5)
        with pytest.raises(TimeoutError):
            await job.news(patience_s=10)
        running.cancel(job)
        assert count(metrics, "yin_jobs_total", outcome="late") == 1
        engine.gate.set()
        await running.drain(1)

    asyncio.run(scenario())


def test_outcomes_and_refusals_are_counted(engine: GatedEngine) -> None:
    async def scenario() -> None:
        metrics = Metrics()
        running = started(engine, metrics=metrics, max_queue_steps=100.0)
        gone = submit(running, [sequence(50), sequence(50)], steps=200)
        with pytest.raises(QueueFull):
            running.admit(Claim(1, 5))
        running.cancel(gone)
        engine.gate.set()
        await submit(running, [sequence(3)], steps=5).result()
        await running.drain(1)
        with pytest.raises(Draining):
            running.admit(Claim(1, 5))
        assert count(metrics, "yin_jobs_total", outcome="gone") == 1
        assert count(metrics, "yin_jobs_total", outcome="done") == 1
        assert count(metrics, "yin_shed_total", reason="queue") == 1
        assert count(metrics, "yin_shed_total", reason="draining") == 1
        assert count(metrics, "yin_characters_total") == 3
        assert count(metrics, "yin_queue_wait_seconds_count") >= 1
        assert count(metrics, "yin_step_seconds_count", phase="model") >= 4

    asyncio.run(scenario())


def test_draining_lets_jobs_end_and_takes_no_new_ones(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        job = submit(running, [sequence(5)], steps=7)
        draining = asyncio.create_task(running.drain(10))
        await asyncio.sleep(0)
        with pytest.raises(Draining):
            submit(running, [sequence(5)], steps=7)
        engine.gate.set()
        await draining
        await job.result()
        assert not running.alive

    asyncio.run(scenario())


def test_draining_ends_at_its_limit_and_says_so(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        job = submit(running, [sequence(10**6)], steps=7)
        engine.gate.set()
        await running.drain(0.05)
        with pytest.raises(Draining):
            await job.result()

    asyncio.run(scenario())


def test_a_failure_of_the_engine_ends_every_job(engine: GatedEngine) -> None:
    async def scenario() -> None:
        running = started(engine)
        jobs: list[Job] = [submit(running, [sequence(5)], steps=7) for _ in range(3)]
        engine.fails = True
        engine.gate.set()
        for job in jobs:
            with pytest.raises(EngineFailed, match="the engine stopped while"):
                await job.result()
        assert not running.alive
        with pytest.raises(EngineFailed, match="needs a restart"):
            submit(running, [sequence(5)], steps=7)

    asyncio.run(scenario())


def test_the_engine_alone_computes_with_several_threads(
    engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = list[int]()

    def step(self: GatedEngine) -> list[Sequence]:
        counts.append(torch.get_num_threads())
        return Engine.step(self)

    monkeypatch.setattr(GatedEngine, "step", step)

    async def scenario() -> None:
        running = started(engine, num_threads=2)
        job = submit(running, [sequence(3)], 10)
        await job.result()
        await running.drain(0)

    asyncio.run(scenario())
    assert set(counts) == {2}
    assert torch.get_num_threads() == 1


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
