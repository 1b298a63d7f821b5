"""The engine behind asyncio: requests are admitted, awaited and cancelled.

All of this runs in the event loop, so that what is counted needs no lock; the engine itself steps
in a thread of its own.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.admission import Claim, Ledger
from app.engine_thread import EngineThread, Output, Report
from app.errors import (
    Draining,
    EngineFailed,
    GaveWay,
    QueueFull,
    ServiceError,
    TooMuchHeld,
    WouldBeLate,
)
from app.job import Job, Part
from app.metrics import Metrics
from app.queue import Add, Cancel
from app.step_time import StepTime
from model.engine import Engine
from model.sequence import Sequence as TokenSequence

OVERTAKEN_BY = 8  # a caller's later requests, by each further sequence of one
REVIEW_S = 0.5  # between looks at whether all that was admitted can still be done
REFUSALS: dict[type[ServiceError], str] = {  # and the reason that they are counted by
    QueueFull: "queue",
    WouldBeLate: "deadline",
    TooMuchHeld: "held",
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
        max_held: Slot-steps that one caller may hold at a time; 0 for any number.
        num_threads: CPU threads that the engine computes with.
        step_time: Reckons how long a step takes; None to find out while it runs.
    """

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        *,
        max_queue_steps: float,
        deadline_s: float,
        max_held: int = 0,
        num_threads: int = 1,
        step_time: StepTime | None = None,
    ) -> None:
        self._metrics, self._deadline_s = metrics, deadline_s
        metrics.slots.set(engine.num_slots)
        self._thread = EngineThread(engine, metrics, num_threads)
        self.ledger = Ledger(
            engine.num_slots,
            max_queue_steps=max_queue_steps,
            deadline_s=deadline_s,
            max_held=max_held,
            step_time=step_time,
        )
        self._reviewed = 0.0
        self.jobs: set[Job] = set()  # admitted and not ended
        self._parts: dict[TokenSequence, Part] = {}
        self._arrivals = itertools.count()
        self.draining = False
        self.failed = asyncio.Event()  # when the engine has stopped with an error

    def start(self) -> None:
        """Begin to step; called in the event loop that will submit."""
        self._thread.start(self._deliver, self._fail)

    @property
    def alive(self) -> bool:
        """Whether the engine steps."""
        return self._thread.alive

    @property
    def ready(self) -> bool:
        """Whether requests are taken, and not refused one and all."""
        return self.alive and not self.draining and not self.ledger.stalled

    def require_slot(self, caller: str) -> None:
        """Refuse what admit() would refuse of a caller, whatever it is.

        Raises:
            Draining: If the service is shutting down.
            EngineFailed: If the engine has stopped.
            QueueFull: If it would wait too long for a slot.
        """
        with self._refusing():
            self.ledger.require_slot(caller)

    def admit(self, claim: Claim) -> Job:
        """Reserve room for what a request asks for, or refuse it at once.

        Raises:
            Draining: If the service is shutting down.
            EngineFailed: If the engine has stopped.
            TooMuchHeld: If the caller would hold more than one may.
            QueueFull: If it would wait too long for a slot.
            WouldBeLate: If it would be late, or make something older late.
        """
        with self._refusing():
            reservation = self.ledger.reserve(claim)
        job = Job(reservation, asyncio.get_running_loop().time() + self._deadline_s)
        self.jobs.add(job)
        return job

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Refuse everything where nothing is run any more, and count all refusals."""
        try:
            if self._thread.failure is not None:
                raise EngineFailed("the engine has stopped; the service needs a restart")
            if self.draining:
                raise Draining("the service is shutting down", retry_after_s=1)
            yield
        except ServiceError as error:
            self._metrics.shed.labels(REFUSALS[type(error)]).inc()
            raise

    def run(self, job: Job, sequences: Sequence[TokenSequence]) -> None:
        """Hand the sequences of an admitted job to the engine.

        Raises:
            ServiceError: If the job has ended meanwhile.
        """
        if job not in self.jobs:
            raise job.error or EngineFailed("the job has ended")
        job.sequences, job.unfinished = sequences, len(sequences)
        orders, arrival, reserved = [], next(self._arrivals), job.reservation
        caller, now = reserved.claim.caller, time.perf_counter()
        shares = iter(reserved.shares)
        for number, sequence in enumerate(sequences):
            self._parts[sequence] = Part(
                job, number, [*itertools.islice(shares, sequence.num_slots)]
            )
            orders.append(Add(sequence, caller, arrival + number * OVERTAKEN_BY, now))
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

    def watch(self, job: Job) -> None:
        """Let news of a job come after every step, and not only now and then."""
        if job in self.jobs:
            self._thread.watched.update(job.sequences)

    async def drain(self, limit_s: float) -> None:
        """Take no new jobs, let those admitted end within limit_s, refuse the rest, and stop."""
        self.draining = True
        waiting = [asyncio.ensure_future(job.done.wait()) for job in self.jobs]
        if waiting:
            await asyncio.wait(waiting, timeout=limit_s)
        self.refuse_all()
        await self._thread.stop()

    def refuse_all(self) -> None:
        """End every job, because the service is shutting down."""
        for job in list(self.jobs):
            self.cancel(job, Draining("the service is shutting down", retry_after_s=1))

    def _end(self, job: Job, outcome: str, error: ServiceError | None = None) -> None:
        """Give back what is left of a job, and let those who wait for it go on."""
        self.jobs.remove(job)
        self.ledger.release(job.reservation)
        self._thread.watched.difference_update(job.sequences)
        left = [each for each in job.sequences if self._parts.pop(each, None) is not None]
        if left:
            now = time.perf_counter()
            self._thread.give(Cancel(sequence, now) for sequence in left)
        self._metrics.jobs.labels(outcome).inc()
        job.finish(error)

    def _deliver(self, report: Report) -> None:
        """Take what steps did into account, and let the jobs know."""
        for sequence in report.joined:
            if sequence in self._parts:
                for share in self._parts[sequence].shares:
                    self.ledger.start(share)
        for rows, step_s in report.steps:
            self.ledger.measure(rows, step_s)
        self._metrics.characters.inc(len(report.outputs))
        for output in report.outputs:
            part = self._parts.get(output.sequence)
            if part is not None:  # else it was cancelled meanwhile
                self._advance(part, output)
        if time.monotonic() - self._reviewed > REVIEW_S:
            self._reviewed = time.monotonic()
            self._drop_hopeless()

    def _drop_hopeless(self) -> None:
        """End what cannot be done in time, or would keep what is older from it."""
        hopeless = set(self.ledger.hopeless())
        for job in [each for each in self.jobs if each.reservation in hopeless]:
            message = "the service is slower than expected, and older poems come first"
            self._end(job, "dropped", GaveWay(f"{message}; try again in 1 s", retry_after_s=1))

    def _advance(self, part: Part, output: Output) -> None:
        """Take what a step did for one sequence into account."""
        job = part.job
        if job.first_token is None:
            job.first_token = output.at_s
            self._metrics.first_character_s.observe(job.first_token - job.submitted)
        # The first token's step comes after those of the header.
        header = 0 if part.emitted else max(p.steps for p in output.sequence.prompts)
        new = output.tokens - part.emitted  # none of a sequence that fails
        for share in part.shares:
            self.ledger.progress(share, header + new)
        part.emitted = output.tokens
        for _ in range(new):
            job.emit(part.number)
        if output.finished:
            del self._parts[output.sequence]
            for share in part.shares:
                self.ledger.finish(share)
            job.unfinished -= 1
            if job.unfinished == 0:
                self._end(job, "done")

    def _fail(self) -> None:
        """End every job, because the engine has stopped."""
        for job in list(self.jobs):
            error = EngineFailed("the engine stopped while the poem was being written")
            self._end(job, "failed", error)
        self.failed.set()
