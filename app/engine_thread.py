"""The engine thread: takes orders between steps, fills the slots, steps, and hands over.

The event loop reaches it through the list of orders, and hears of it for all sequences together:
after a step that somebody waits for, and else a few times a second.
"""

import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog
import torch

from app.errors import describe_crash
from app.metrics import Metrics
from app.queue import Add, Cancel, Queue
from model.engine import Engine
from model.sequence import Sequence as TokenSequence

SWITCH_S = 0.0005  # that the event loop may keep the interpreter while the engine waits for it
HAND_OVER_S = 0.05  # that nobody hears of steps which nobody waits for
LAST_STEP_S = 5.0  # that stop() gives a step which does not end


@dataclass(frozen=True, slots=True)
class Output:
    """What a step did for a sequence.

    Args:
        sequence: Which.
        tokens: How many it has now.
        finished: Whether nothing more will come.
        at_s: When, by time.perf_counter.
    """

    sequence: TokenSequence
    tokens: int
    finished: bool
    at_s: float


@dataclass(slots=True)
class Report:
    """What has been done since the last report.

    Args:
        joined: The sequences that got a slot.
        outputs: What steps did for each that draws already.
        steps: How many rows each step ran, and how long it took, the orders included.
    """

    joined: list[TokenSequence] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    steps: list[tuple[int, float]] = field(default_factory=list)


class EngineThread:
    """Steps an engine while there is anything to do.

    Args:
        engine: Nobody else may touch it from start() on.
        metrics: What is counted.
        num_threads: CPU threads that the engine computes with.
    """

    def __init__(self, engine: Engine, metrics: Metrics, num_threads: int) -> None:
        self._engine, self._metrics, self._num_threads = engine, metrics, num_threads
        self._orders: deque[Add | Cancel] = deque()
        self._queue = Queue()
        self._wake = threading.Condition()
        self._stopping = False
        self._report, self._reported_s = Report(), 0.0
        self.watched = set[TokenSequence]()  # whose every token somebody waits for
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: BaseException | None = None

    def start(self, deliver: Callable[[Report], None], fail: Callable[[], None]) -> None:
        """Begin to step.

        Args:
            deliver: Called in the running event loop after steps that somebody waits for.
            fail: Called there once, if the engine stops with an error.
        """
        # The engine asks for the interpreter after every tensor operation; with Python's own 5 ms a
        # flood of requests to refuse would slow each step down by several times.
        sys.setswitchinterval(SWITCH_S)
        # Every thread that computes with several keeps a team of them, and teams of more threads
        # than there are processors sleep between operations: a step would take twice as long.
        torch.set_num_threads(1)
        torch.get_num_threads()  # until it is asked, the number that another thread sets counts
        self._deliver, self._fail = deliver, fail
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it steps, or would."""
        return self._thread.is_alive() and self.failure is None

    def give(self, orders: Iterable[Add | Cancel]) -> None:
        """Let orders be obeyed before the next step."""
        with self._wake:
            self._orders.extend(orders)
            self._wake.notify()

    async def stop(self) -> None:
        """Step no more; wait for the step that runs."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, LAST_STEP_S)

    def _run(self) -> None:
        """Step until stopped; this is the thread."""
        torch.set_num_threads(self._num_threads)
        try:
            while self._wait_for_work():
                self._step()
        except BaseException as error:
            self.failure = error
            structlog.get_logger().error("engine_failed", **describe_crash(error))
            self._call(self._fail)

    def _wait_for_work(self) -> bool:
        """Sleep until there is something to do; return False when it is time to stop."""
        with self._wake:
            while not (self._orders or self._busy or self._queue or self._stopping):
                self._metrics.slots_busy.set(0)
                self._wake.wait()
            return not self._stopping

    def _step(self) -> None:
        """Obey, step, and hand over."""
        phase = self._metrics.step_s.labels
        start = time.perf_counter()
        self._obey()
        joined = self._fill_slots()
        ready = time.perf_counter()
        if not self._busy:
            return
        rows = self._busy
        self._metrics.batch_size.observe(rows)
        emitted = self._engine.step()
        stepped = time.perf_counter()
        report = self._report
        report.joined += joined
        report.steps.append((rows, stepped - start))
        report.outputs += [
            Output(each, len(each.tokens), each.finished, stepped) for each in emitted
        ]
        awaited = any(each.finished or each in self.watched for each in emitted)
        if joined or awaited or stepped - self._reported_s > HAND_OVER_S or not self._busy:
            self._report, self._reported_s = Report(), stepped
            self._call(self._deliver, report)
        phase("orders").observe(ready - start)
        phase("model").observe(stepped - ready)
        phase("report").observe(time.perf_counter() - stepped)

    def _call(self, what: Callable[..., None], *arguments: Report) -> None:
        """Let the event loop call something."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *arguments)

    @property
    def _busy(self) -> int:
        """Slots that are taken, or will be at the next step."""
        return self._engine.slots_taken

    def _obey(self) -> None:
        """Do what the event loop has asked for since the last step."""
        with self._wake:
            orders, self._orders = self._orders, deque()
        for order in orders:
            if isinstance(order, Add):
                self._queue.push(order)
            else:
                self._queue.discard(order.sequence)
                self._engine.cancel(order.sequence)
                self._metrics.cancel_s.observe(time.perf_counter() - order.given_s)

    def _fill_slots(self) -> list[TokenSequence]:
        """Give the free slots to whose turn it is; return who got some, or gets the next ones."""
        joined = []
        while self._queue and self._busy < self._engine.num_slots:
            order = self._queue.pop()
            self._engine.add(order.sequence)
            joined.append(order.sequence)
            self._metrics.wait_s.observe(time.perf_counter() - order.given_s)
        self._metrics.slots_busy.set(min(self._busy, self._engine.num_slots))
        self._metrics.queue_depth.set(len(self._queue))
        return joined
