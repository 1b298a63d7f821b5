"""Aside: one thread for what a caller's text may make long, in which callers take turns.

Two threads would take the interpreter from the event loop twice as often.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

import torch

from app.errors import QueueFull, TooMuchHeld
from app.metrics import Metrics

Given = ParamSpec("Given")
Result = TypeVar("Result")

MOST, MOST_OF_ONE = 64, 8  # texts that wait to be read or are: in all, of one caller


class Aside:
    """Calls what may take long, one after the other.

    Callers have their turns in rotation, each with its oldest call: who asks for little does not
    wait for all that another asked for before.

    Args:
        metrics: Where refusals are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, "aside", torch.set_num_threads, (1,))
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = {}  # by caller
        self._texts = Counter[str]()  # that wait to be read or are, by caller

    async def call(
        self,
        caller: str,
        what: Callable[Given, Result],
        *arguments: Given.args,
        **fields: Given.kwargs,
    ) -> Result:
        """Return what a call returns, of a request that has been admitted.

        Args:
            caller: On whose account.
            what: Is called in the thread, when it is the caller's turn.
            arguments: With these.
            fields: And these.
        """
        future = Future[Result]()
        call = partial(what, *arguments, **fields)
        with self._lock:
            self._waiting.setdefault(caller, deque()).append((future, call))
        self._thread.submit(self._take_turn)
        return await asyncio.wrap_future(future)

    async def read(
        self,
        caller: str,
        what: Callable[Given, Result],
        *arguments: Given.args,
        **fields: Given.kwargs,
    ) -> Result:
        """Return what a call makes of a text that nobody has admitted: only so many may wait.

        Raises:
            TooMuchHeld: If too many that wait are the caller's.
            QueueFull: If too many wait.
        """
        self._require_place(caller)
        self._texts[caller] += 1
        try:
            return await self.call(caller, what, *arguments, **fields)
        finally:
            self._texts[caller] -= 1
            self._texts += Counter()  # drops whoever has none

    def _require_place(self, caller: str) -> None:
        own, everybody_s = self._texts[caller], self._texts.total()
        if own >= MOST_OF_ONE:
            self._metrics.shed.labels("held").inc()
            message = f"{own} of your poems are waiting to be read; try again in 1 s"
            raise TooMuchHeld(message, retry_after_s=1)
        if everybody_s >= MOST:
            self._metrics.shed.labels("queue").inc()
            message = f"{everybody_s} poems are waiting to be read; try again in 1 s"
            raise QueueFull(message, retry_after_s=1)

    def _take_turn(self) -> None:
        """Make the call whose turn it is, unless nobody awaits it any more."""
        with self._lock:
            caller = next(iter(self._waiting))
            calls = self._waiting.pop(caller)
            future, call = calls.popleft()
            if calls:
                self._waiting[caller] = calls  # the last one now
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
