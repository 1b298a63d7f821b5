"""The thread aside, for what a caller's text may make long: the event loop must not wait for it.

One thread: two would take the interpreter from the event loop twice as often.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import torch

from app.errors import QueueFull
from app.metrics import Metrics

Given = ParamSpec("Given")
Result = TypeVar("Result")

MAX_TEXTS = 16  # that wait to be read or are; each takes milliseconds


class Aside:
    """Runs one thing after the other.

    Args:
        metrics: Where refusals are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, "aside", torch.set_num_threads, (1,))
        self._texts = 0  # that wait or run

    async def run(
        self, function: Callable[Given, Result], *args: Given.args, **fields: Given.kwargs
    ) -> Result:
        """Return what a function returns, of a request that has been admitted."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **fields))

    async def read(
        self, function: Callable[Given, Result], *args: Given.args, **fields: Given.kwargs
    ) -> Result:
        """Return what a function makes of a text, for anyone, so only so many at a time.

        Raises:
            QueueFull: If too many wait.
        """
        if self._texts >= MAX_TEXTS:
            self._metrics.shed.labels("queue").inc()
            message = f"{self._texts} poems are waiting to be read; try again in 1 s"
            raise QueueFull(message, retry_after_s=1)
        self._texts += 1
        try:
            return await self.run(function, *args, **fields)
        finally:
            self._texts -= 1
