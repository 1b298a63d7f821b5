"""Aside: one thread for what a caller's text may make long, in which callers take turns.

Two threads would take the interpreter from the event loop twice as often.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import torch

Result = TypeVar("Result")


class Aside:
    """Calls what may take long, one after the other.

    Callers have their turns in rotation, each with its oldest call: who asks for little does not
    wait for all that another asked for before.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "aside", torch.set_num_threads, (1,))
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = {}  # by caller

    async def call(self, caller: str, what: Callable[..., Result], *arguments: Any) -> Result:
        """Return what a call returns, when it is its caller's turn.

        Args:
            caller: On whose account.
            what: Is called in the thread.
            arguments: With these.
        """
        future = Future[Result]()
        with self._lock:
            self._waiting.setdefault(caller, deque()).append((future, partial(what, *arguments)))
        self._thread.submit(self._take_turn)
        return await asyncio.wrap_future(future)

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
