"""The engine behind asyncio: one thread steps it; requests are admitted, awaited and cancelled.

The thread owns the engine. The event loop reaches it through a list of orders that the thread takes
between steps; the thread reaches the event loop once a step, for all requests together. Everything
that is counted for admission lives in the event loop, so it needs no lock.
"""

import asyncio
import heapq
import itertools
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
import torch

from app.errors import Draining, EngineFailed, QueueFull, ServiceError, describe_crash
from app.job import Job
from app.metrics import Metrics
from model.engine import Engine
from model.sequence import Sequence as TokenSequence

LATER = 8  # requests that may overtake each further sequence of one request
SMOOTHING = 0.05  # weight of the newest step in the measured step time
FIRST_GUESS_S = 0.01  # of a step, before any was measured
SWITCH_S = 0.0005  # that the event loop may keep the interpreter while the engine waits for it
LAST_STEP_S = 5.0  # that drain() gives a step which does not end


@dataclass(eq=False, slots=True)
class Share:
    """A sequence's place in its job, the steps that it still needs, the tokens that were told."""

    job: Job
    number: int
    work_left: int
    waiting: bool = True  # for a slot
    told: int = 0


class AsyncEngine:
    """Runs jobs on an engine.

    Args:
        engine: Stepped in a thread of its own from start() to the end of drain().
        metrics: What is counted.
        max_queue_steps: Steps that a request may have to wait for a slot; else it is refused.
        deadline_s: Seconds that a job may take in all.
        num_threads: CPU threads that the engine computes with.
    """

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        *,
        max_queue_steps: float,
        deadline_s: float,
        num_threads: int = 1,
    ) -> None:
        self._engine, self._metrics, self._num_threads = engine, metrics, num_threads
        self._max_queue_steps, self._deadline_s = max_queue_steps, deadline_s
        self._jobs: set[Job] = set()  # admitted and not ended
        self._shares: dict[TokenSequence, Share] = {}
        self._unfinished = 0  # sequences of all jobs
        self._work_left = 0  # their steps
        self._work_waiting = 0  # of these, the steps of sequences without a slot
        self._orders: deque[tuple[str, TokenSequence, float, float]] = deque()
        self._heap: list[tuple[float, int, float, TokenSequence]] = []
        self._queued: set[TokenSequence] = set()  # those of the heap that are still wanted
        self._counter = itertools.count()
        self._wake = threading.Condition()
        self._stopping = False
        self._step_s = FIRST_GUESS_S
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: BaseException | None = None
        self.draining = False

    def start(self) -> None:
        """Begin to step; called in the event loop that will submit."""
        # The engine asks for the interpreter after every tensor operation; with Python's own 5 ms a
        # flood of requests to refuse would slow each step down by several times.
        sys.setswitchinterval(SWITCH_S)
        # Every thread that computes with several keeps a team of them, and teams of more threads
        # than there are processors sleep between operations: a step would take twice as long.
        torch.set_num_threads(1)
        torch.get_num_threads()  # until it is asked, the number that another thread sets counts
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the engine steps."""
        return self._thread.is_alive() and self.failure is None

    @property
    def queue_steps(self) -> float:
        """Steps until a new sequence would get a slot, behind those that wait already.

        What is left of each running sequence is known, so this is exact up to one slot's turn;
        an average would hide that slots which were filled together come free together.
        """
        running = sorted(share.work_left for share in self._shares.values() if not share.waiting)
        slots = self._engine.num_slots
        ahead = self._unfinished - len(running) - (slots - len(running))  # that find no free slot
        if ahead < 0:
            return 0.0
        if ahead < len(running):
            return float(running[ahead])
        return running[-1] + self._work_waiting / slots if running else self._work_waiting / slots

    def admit(self, count: int, work: int) -> Job:
        """Keep room for count sequences that each need work steps, or refuse them at once.

        Raises:
            Draining: If the service is shutting down.
            EngineFailed: If the engine has stopped.
            QueueFull: If the job could not start or end in time.
        """
        self.require_room(count, work)
        job = Job(count, work, asyncio.get_running_loop().time() + self._deadline_s)
        self._jobs.add(job)
        self._unfinished += count
        self._work_left += count * work
        self._work_waiting += count * work
        return job

    def run(self, job: Job, sequences: Sequence[TokenSequence]) -> None:
        """Hand the sequences of an admitted job to the engine.

        Raises:
            ServiceError: If the job has ended meanwhile.
        """
        if job not in self._jobs:
            raise job.error or EngineFailed("the job has ended")
        job.sequences, now, arrival = sequences, time.perf_counter(), next(self._counter)
        with self._wake:
            for number, sequence in enumerate(sequences):
                self._shares[sequence] = Share(job, number, job.work)
                self._orders.append(("add", sequence, arrival + number * LATER, now))
            self._wake.notify()

    def cancel(self, job: Job, error: ServiceError | None = None) -> None:
        """End a job that is not done; its slots are free within a step.

        Args:
            job: What to end; one that has ended is left alone.
            error: What those who wait are told; None if nobody waits any more.
        """
        if job in self._jobs:
            late = asyncio.get_running_loop().time() >= job.deadline
            outcome = "stopped" if error else "late" if late else "gone"
            self._end(job, outcome, error)

    async def drain(self, limit_s: float) -> None:
        """Take no new jobs, let those admitted end within limit_s, tell the rest, and stop."""
        self.draining = True
        waiting = [asyncio.ensure_future(job.done.wait()) for job in self._jobs]
        if waiting:
            await asyncio.wait(waiting, timeout=limit_s)
        for job in list(self._jobs):
            self.cancel(job, Draining("the service is shutting down", retry_after_s=1))
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, LAST_STEP_S)

    def require_room(self, count: int = 1, work: int = 1) -> None:
        """Refuse what admit() would refuse.

        Raises:
            Draining: If the service is shutting down.
            EngineFailed: If the engine has stopped.
            QueueFull: If the job could not start or end in time.
        """
        if self.failure is not None:
            self._metrics.shed.labels("failed").inc()
            raise EngineFailed("the engine has stopped; the service needs a restart")
        if self.draining:
            self._metrics.shed.labels("draining").inc()
            raise Draining("the service is shutting down", retry_after_s=1)
        waiting, slots = self.queue_steps, self._engine.num_slots
        steps = max(work, math.ceil((self._work_left + count * work) / slots))
        needed_s = steps * self._step_s
        if waiting > self._max_queue_steps:
            reason, excess_s = "queue", (waiting - self._max_queue_steps) * self._step_s
            told = f"{waiting * self._step_s:.1f} s of work are waiting"
        elif needed_s > self._deadline_s:
            reason, excess_s = "deadline", needed_s - self._deadline_s
            told = f"this would take {needed_s:.1f} s, and {self._deadline_s:g} s is the limit"
        else:
            return
        self._metrics.shed.labels(reason).inc()
        retry_after_s = max(1, math.ceil(excess_s))
        raise QueueFull(f"{told}; try again in {retry_after_s} s", retry_after_s=retry_after_s)

    def _end(self, job: Job, outcome: str, error: ServiceError | None = None) -> None:
        """Take what is left of a job out of all that is counted, and let those who wait go on."""
        self._jobs.remove(job)
        self._unfinished -= job.unfinished
        if not job.sequences:
            self._work_left -= job.count * job.work
            self._work_waiting -= job.count * job.work
        left = [sequence for sequence in job.sequences if sequence in self._shares]
        for sequence in left:
            share = self._shares.pop(sequence)
            self._work_left -= share.work_left
            self._work_waiting -= share.work_left if share.waiting else 0
        if left:
            with self._wake:
                now = time.perf_counter()
                self._orders.extend(("cancel", sequence, 0.0, now) for sequence in left)
                self._wake.notify()
        self._metrics.jobs.labels(outcome).inc()
        job.finish(error)

    def _run(self) -> None:
        """Step until stopped; this is the thread."""
        torch.set_num_threads(self._num_threads)
        phases = {name: self._metrics.step_s.labels(name) for name in ("orders", "model", "tell")}
        try:
            while self._wait_for_work():
                start = time.perf_counter()
                joined = self._take_orders()
                ready = time.perf_counter()
                batch = len(self._engine.running) + len(self._engine.waiting)
                told = self._engine.step()
                stepped = time.perf_counter()
                if told or joined:
                    self._tell(told, joined)
                phases["orders"].observe(ready - start)
                phases["model"].observe(stepped - ready)
                phases["tell"].observe(time.perf_counter() - stepped)
                if batch:
                    self._step_s += SMOOTHING * (stepped - start - self._step_s)
                    self._metrics.batch_size.observe(batch)
        except BaseException as error:
            self.failure = error
            structlog.get_logger().error("engine_failed", **describe_crash(error))
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._fail)

    def _wait_for_work(self) -> bool:
        """Sleep until there is something to do; return False when it is time to stop."""
        with self._wake:
            while not (self._orders or self._engine.running or self._heap or self._stopping):
                self._metrics.slots_busy.set(0)
                self._wake.wait()
            return not self._stopping

    def _take_orders(self) -> list[TokenSequence]:
        """Obey what the event loop has asked for since the last step, and fill the slots.

        Returns:
            The sequences that got a slot.
        """
        engine, joined = self._engine, []
        with self._wake:
            orders, self._orders = self._orders, deque()
        for order, sequence, rank, asked in orders:
            if order == "add":
                heapq.heappush(self._heap, (rank, next(self._counter), asked, sequence))
                self._queued.add(sequence)
            else:
                self._queued.discard(sequence)
                engine.cancel(sequence)
                self._metrics.cancel_s.observe(time.perf_counter() - asked)
        while self._heap and len(engine.running) + len(engine.waiting) < engine.num_slots:
            _, _, asked, sequence = heapq.heappop(self._heap)
            if sequence in self._queued:
                self._queued.remove(sequence)
                engine.add(sequence)
                joined.append(sequence)
                self._metrics.wait_s.observe(time.perf_counter() - asked)
        self._metrics.slots_busy.set(len(engine.running) + len(engine.waiting))
        self._metrics.queue_depth.set(len(self._queued))
        return joined

    def _tell(self, told: list[TokenSequence], joined: list[TokenSequence]) -> None:
        """Hand what came of a step over to the event loop."""
        news = [(sequence, len(sequence.tokens), sequence.finished) for sequence in told]
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, news, joined)

    def _deliver(
        self, news: list[tuple[TokenSequence, int, bool]], joined: list[TokenSequence]
    ) -> None:
        """Tell the jobs; this runs in the event loop."""
        for sequence in joined:
            if sequence in self._shares:
                self._shares[sequence].waiting = False
                self._work_waiting -= self._shares[sequence].work_left
        self._metrics.characters.inc(len(news))
        for sequence, tokens, finished in news:
            share = self._shares.get(sequence)
            if share is None:
                continue  # cancelled meanwhile
            job = share.job
            if job.first_token is None:
                job.first_token = time.perf_counter()
                self._metrics.first_character_s.observe(job.first_token - job.submitted)
            steps = len(sequence.header) if share.told == 0 else 1  # the first one's header, too
            steps = share.work_left if finished else min(steps, share.work_left)
            share.work_left -= steps
            self._work_left -= steps
            if tokens > share.told:  # a sequence that fails gets none
                share.told = tokens
                job.tell(share.number)
            if finished:
                self._finish_sequence(sequence, job)

    def _finish_sequence(self, sequence: TokenSequence, job: Job) -> None:
        del self._shares[sequence]
        job.unfinished -= 1
        self._unfinished -= 1
        if job.unfinished == 0:
            self._end(job, "done")

    def _fail(self) -> None:
        """Tell every job that the engine has stopped; this runs in the event loop."""
        for job in list(self._jobs):
            self._end(
                job, "failed", EngineFailed("the engine stopped while the poem was being written")
            )
