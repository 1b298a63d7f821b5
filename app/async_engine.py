"""The engine behind asyncio: one thread steps it; requests are admitted, awaited and cancelled.

The thread owns the engine. The event loop reaches it through a list of orders that the thread takes
between steps; the thread reaches the event loop once a step, for all requests together.
"""

import asyncio
import heapq
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import structlog

from app.errors import Draining, EngineFailed, QueueFull
from app.metrics import Metrics
from model.engine import Engine
from model.engine import Sequence as TokenSequence

LATER = 8  # requests that may overtake each further sequence of one request
SMOOTHING = 0.05  # weight of the newest step in the measured step time
FIRST_GUESS_S = 0.01  # of a step, before any was measured


@dataclass(eq=False)
class Job:
    """The sequences of one request.

    Args:
        sequences: What the engine runs.
        work: Steps that each needs, one after the other.
        deadline: When the answer is too late, by the event loop's clock.
    """

    sequences: Sequence[TokenSequence]
    work: int
    deadline: float
    news: asyncio.Queue[int] = field(default_factory=asyncio.Queue)  # which got a token
    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    unfinished: int = 0
    submitted: float = field(default_factory=time.perf_counter)
    first_token: float | None = None

    async def result(self) -> None:
        """Wait until every sequence is finished.

        Raises:
            TimeoutError: If the deadline passes before.
            ServiceError: If the engine failed or shut down.
        """
        async with asyncio.timeout_at(self.deadline):
            await self.done.wait()
        if self.error is not None:
            raise self.error

    async def tokens(self) -> AsyncIterator[int]:
        """Yield, as they come, the number of each sequence that got a token.

        Raises:
            TimeoutError: If the deadline passes before all are finished.
            ServiceError: If the engine failed or shut down.
        """
        async with asyncio.timeout_at(self.deadline):
            while not (self.done.is_set() and self.news.empty()):
                number = await self.news.get()
                if number >= 0:
                    yield number
        if self.error is not None:
            raise self.error

    def finish(self, error: Exception | None = None) -> None:
        """Let those who wait go on."""
        self.error = self.error or error
        self.done.set()
        self.news.put_nowait(-1)


class AsyncEngine:
    """Runs jobs on an engine.

    Args:
        engine: Stepped in a thread of its own from start() to stop().
        metrics: What is counted.
        max_queue_s: Seconds of work that may wait before requests are refused.
        deadline_s: Seconds that a job may take in all.
    """

    def __init__(
        self, engine: Engine, metrics: Metrics, *, max_queue_s: float, deadline_s: float
    ) -> None:
        self._engine, self._metrics = engine, metrics
        self._max_queue_s, self._deadline_s = max_queue_s, deadline_s
        self._jobs: dict[TokenSequence, tuple[Job, int]] = {}
        self._orders: deque[tuple[str, TokenSequence, float]] = deque()
        self._heap: list[tuple[float, int, TokenSequence]] = []
        self._queued: set[TokenSequence] = set()  # those of the heap that are still wanted
        self._counter = itertools.count()
        self._wake = threading.Condition()
        self._stopping = False
        self._work_left = 0  # steps of all sequences that are admitted and not finished
        self._step_s = FIRST_GUESS_S
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: BaseException | None = None
        self.draining = False

    def start(self) -> None:
        """Begin to step; called in the event loop that will submit."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the engine steps."""
        return self._thread.is_alive() and self.failure is None

    @property
    def queue_s(self) -> float:
        """Seconds that a new sequence would wait for a slot, by the measured step time."""
        free = self._engine.num_slots - len(self._jobs)
        if free > 0:
            return 0.0
        return self._work_left / self._engine.num_slots * self._step_s

    def submit(self, sequences: Sequence[TokenSequence], work: int) -> Job:
        """Admit sequences, or refuse them all at once.

        Args:
            sequences: What to run.
            work: Steps that the longest of them needs.

        Raises:
            Draining: If the service is shutting down.
            EngineFailed: If the engine has stopped.
            QueueFull: If the job could not start or end in time.
        """
        self._require_room(work)
        loop = asyncio.get_running_loop()
        job = Job(sequences, work, loop.time() + self._deadline_s, unfinished=len(sequences))
        arrival = next(self._counter)
        with self._wake:
            for number, sequence in enumerate(sequences):
                self._jobs[sequence] = job, number
                self._orders.append(("add", sequence, arrival + number * LATER))
            self._wake.notify()
        self._work_left += work * len(sequences)
        return job

    def cancel(self, job: Job) -> None:
        """Take out what is left of a job; its slots are free within a step."""
        if job.done.is_set():
            return
        job.finish()
        with self._wake:
            for sequence in job.sequences:
                if self._jobs.pop(sequence, None):
                    self._work_left -= job.work
                    self._orders.append(("cancel", sequence, time.perf_counter()))
            self._wake.notify()

    async def drain(self, limit_s: float) -> None:
        """Take no new jobs, let those admitted end within limit_s, and stop."""
        self.draining = True
        waiting = [asyncio.create_task(job.done.wait()) for job, _ in self._jobs.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=limit_s)
        for job in {job for job, _ in self._jobs.values()}:
            job.error = Draining("the service is shutting down", retry_after_s=1)
            self.cancel(job)
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _require_room(self, work: int) -> None:
        if self.failure is not None:
            raise EngineFailed("the engine has stopped; the service needs a restart")
        if self.draining:
            self._metrics.shed.labels("draining").inc()
            raise Draining("the service is shutting down", retry_after_s=1)
        wait_s = self.queue_s
        needed_s = wait_s + work * self._step_s
        if wait_s > self._max_queue_s or needed_s > self._deadline_s:
            self._metrics.shed.labels("queue").inc()
            excess_s = max(wait_s - self._max_queue_s, needed_s - self._deadline_s)
            retry_after_s = max(1, math.ceil(excess_s))
            raise QueueFull(
                f"{wait_s:.0f} s of work are waiting; try again in {retry_after_s} s",
                retry_after_s=retry_after_s,
            )

    def _run(self) -> None:
        """Step until stopped; this is the thread."""
        try:
            while self._take_orders():
                start = time.perf_counter()
                told = self._engine.step()
                elapsed_s = time.perf_counter() - start
                self._step_s += SMOOTHING * (elapsed_s - self._step_s)
                self._metrics.step_s.observe(elapsed_s)
                self._metrics.batch_size.observe(len(self._engine.running))
                news = [(sequence, len(sequence.tokens), sequence.finished) for sequence in told]
                if news:
                    self._tell(news)
        except BaseException as error:
            self.failure = error
            structlog.get_logger().exception("engine_failed")
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._fail)

    def _take_orders(self) -> bool:
        """Wait for work, obey the orders, fill the slots; return False when it is time to stop."""
        engine = self._engine
        with self._wake:
            while not (self._orders or engine.running or self._heap or self._stopping):
                self._wake.wait()
            if self._stopping:
                return False
            orders, self._orders = self._orders, deque()
        for order, sequence, key in orders:
            if order == "add":
                heapq.heappush(self._heap, (key, next(self._counter), sequence))
                self._queued.add(sequence)
            else:
                self._queued.discard(sequence)
                engine.cancel(sequence)
                self._metrics.cancel_s.observe(time.perf_counter() - key)
        while self._heap and len(engine.running) + len(engine.waiting) < engine.num_slots:
            sequence = heapq.heappop(self._heap)[-1]
            if sequence in self._queued:
                self._queued.remove(sequence)
                engine.add(sequence)
        self._metrics.slots_busy.set(len(engine.running))
        self._metrics.queue_depth.set(len(self._queued))
        return True

    def _tell(self, news: list[tuple[TokenSequence, int, bool]]) -> None:
        """Hand what came of a step over to the event loop."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, news)

    def _deliver(self, news: list[tuple[TokenSequence, int, bool]]) -> None:
        """Tell the jobs; this runs in the event loop."""
        for sequence, _, finished in news:
            if sequence not in self._jobs:
                continue  # cancelled meanwhile
            job, number = self._jobs[sequence]
            if job.first_token is None:
                job.first_token = time.perf_counter()
                self._metrics.first_character_s.observe(job.first_token - job.submitted)
            self._metrics.characters.inc()
            job.news.put_nowait(number)
            if finished:
                del self._jobs[sequence]
                self._work_left -= job.work
                job.unfinished -= 1
                if job.unfinished == 0:
                    job.finish()

    def _fail(self) -> None:
        """Tell every job that the engine has stopped; this runs in the event loop."""
        for job in {job for job, _ in self._jobs.values()}:
            job.finish(EngineFailed("the engine stopped while the poem was being written"))
        self._jobs.clear()
        self._work_left = 0
