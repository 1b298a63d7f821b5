"""The engine behind asyncio: requests are admitted, awaited and cancelled.

All of this runs in the event loop, so that what is counted needs no lock; the engine itself steps
in a thread of its own.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence

from app.admission import Ledger
from app.engine_thread import EngineThread, Output, Report
from app.errors import Draining, EngineFailed, QueueFull, ServiceError, WouldBeLate
from app.job import Job, Part
from app.metrics import Metrics
from app.queue import Add, Cancel
from model.engine import Engine
from model.sequence import Sequence as TokenSequence

OVERTAKEN_BY = 8  # later requests, by each further sequence of one request
REFUSALS: dict[type[ServiceError], str] = {  # and the reason that they are counted by
    QueueFull: "queue",
    WouldBeLate: "deadline",
    Draining: "draining",
    EngineFailed: "failed",
}


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
        self._metrics, self._deadline_s = metrics, deadline_s
        self._thread = EngineThread(engine, metrics, num_threads)
        self.ledger = Ledger(
            engine.num_slots, max_queue_steps=max_queue_steps, deadline_s=deadline_s
        )
        self.jobs: set[Job] = set()  # admitted and not ended
        self._parts: dict[TokenSequence, Part] = {}
        self._arrivals = itertools.count()
        self.draining = False

    def start(self) -> None:
        """Begin to step; called in the event loop that will submit."""
        self._thread.start(self._deliver, self._fail)

    @property
    def alive(self) -> bool:
        """Whether the engine steps."""
        return self._thread.alive

    def require_room(self, count: int = 1, steps: int = 1) -> None:
        """Refuse what admit() would refuse.

        Raises:
            Draining: If the service is shutting down.
            EngineFailed: If the engine has stopped.
            QueueFull: If the job would wait too long for a slot.
            WouldBeLate: If it would not be done in time.
        """
        try:
            if self._thread.failure is not None:
                raise EngineFailed("the engine has stopped; the service needs a restart")
            if self.draining:
                raise Draining("the service is shutting down", retry_after_s=1)
            self.ledger.require_room(count, steps)
        except ServiceError as error:
            self._metrics.shed.labels(REFUSALS[type(error)]).inc()
            raise

    def admit(self, count: int, steps: int) -> Job:
        """Reserve room for count sequences of so many steps each, or refuse them at once.

        Raises:
            ServiceError: As require_room().
        """
        self.require_room(count, steps)
        deadline = asyncio.get_running_loop().time() + self._deadline_s
        job = Job(self.ledger.reserve(count, steps), deadline)
        self.jobs.add(job)
        return job

    def run(self, job: Job, sequences: Sequence[TokenSequence]) -> None:
        """Hand the sequences of an admitted job to the engine.

        Raises:
            ServiceError: If the job has ended meanwhile.
        """
        if job not in self.jobs:
            raise job.error or EngineFailed("the job has ended")
        job.sequences, now, arrival = sequences, time.perf_counter(), next(self._arrivals)
        orders = []
        for number, (sequence, share) in enumerate(zip(sequences, job.shares, strict=True)):
            self._parts[sequence] = Part(job, number, share)
            orders.append(Add(sequence, arrival + number * OVERTAKEN_BY, now))
        self._thread.give(orders)

    def cancel(self, job: Job, error: ServiceError | None = None) -> None:
        """End a job that is not done; its slots are free within a step.

        Args:
            job: What to end; one that has ended is left alone.
            error: What its result() raises; None if nobody waits for it any more.
        """
        if job in self.jobs:
            late = asyncio.get_running_loop().time() >= job.deadline
            outcome = "stopped" if error else "late" if late else "gone"
            self._end(job, outcome, error)

    async def drain(self, limit_s: float) -> None:
        """Take no new jobs, let those admitted end within limit_s, refuse the rest, and stop."""
        self.draining = True
        waiting = [asyncio.ensure_future(job.done.wait()) for job in self.jobs]
        if waiting:
            await asyncio.wait(waiting, timeout=limit_s)
        for job in list(self.jobs):
            self.cancel(job, Draining("the service is shutting down", retry_after_s=1))
        await self._thread.stop()

    def _end(self, job: Job, outcome: str, error: ServiceError | None = None) -> None:
        """Give back what is left of a job, and let those who wait for it go on."""
        self.jobs.remove(job)
        self.ledger.release(job.shares)
        left = [each for each in job.sequences if self._parts.pop(each, None) is not None]
        if left:
            now = time.perf_counter()
            self._thread.give(Cancel(sequence, now) for sequence in left)
        self._metrics.jobs.labels(outcome).inc()
        job.finish(error)

    def _deliver(self, report: Report) -> None:
        """Take what a step did into account, and let the jobs know."""
        self.ledger.measure(report.step_s)
        for sequence in report.joined:
            if sequence in self._parts:
                self.ledger.start(self._parts[sequence].share)
        self._metrics.characters.inc(len(report.outputs))
        for output in report.outputs:
            part = self._parts.get(output.sequence)
            if part is not None:  # else it was cancelled meanwhile
                self._advance(part, output)

    def _advance(self, part: Part, output: Output) -> None:
        """Take what a step did for one sequence into account."""
        job = part.job
        if job.first_token is None:
            job.first_token = time.perf_counter()
            self._metrics.first_character_s.observe(job.first_token - job.submitted)
        # The first token's step comes after those of the header.
        header = 0 if part.emitted else len(output.sequence.header) - 1
        new = output.tokens - part.emitted  # none of a sequence that fails
        self.ledger.progress(part.share, header + new)
        part.emitted = output.tokens
        for _ in range(new):
            job.emit(part.number)
        if output.finished:
            del self._parts[output.sequence]
            self.ledger.release([part.share])
            job.unfinished -= 1
            if job.unfinished == 0:
                self._end(job, "done")

    def _fail(self) -> None:
        """End every job, because the engine has stopped."""
        for job in list(self.jobs):
            error = EngineFailed("the engine stopped while the poem was being written")
            self._end(job, "failed", error)
