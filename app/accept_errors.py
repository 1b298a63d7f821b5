"""Accept errors: connections that could not be taken, for want of descriptors; a log line a minute.

asyncio reports each attempt, which are thousands a second while a crowd waits.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog

MESSAGE = "socket.accept()"  # that asyncio's begins with
EVERY_S = 60.0


class AcceptErrors:
    """An event loop's exception handler; what is no accept error is the loop's own to handle.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count, self._next = 0, -float("inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle what the loop reports."""
        if not context["message"].startswith(MESSAGE):
            loop.default_exception_handler(context)
            return
        self._count += 1
        if self._clock() >= self._next:
            self._next = self._clock() + EVERY_S
            error = context.get("exception")
            structlog.get_logger().error(
                "not_accepted", attempts=self._count, error=str(error or context["message"])
            )
            self._count = 0
