"""The rate of a caller: how much it may ask for in a time, by what that costs.

A request is counted as one when it comes, and as more when it is understood and costs more than a
quatrain.
"""

import math
import time
from collections.abc import Callable

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.caller import caller_of
from app.errors import TooManyRequests

COST = "yin.cost"  # in a scope, the slot-steps of its request
RATE = "yin.rate"  # in a scope, what counts further units
UNIT = 40  # slot-steps: about a quatrain


def charge(scope: Scope, cost: int) -> None:
    """Note what a request costs, and count the units that it costs beyond the first.

    Raises:
        TooManyRequests: If its caller may not ask for so much now.
    """
    scope[COST] = cost
    count: Callable[[int], None] | None = scope.get(RATE)
    units = math.ceil(cost / UNIT)
    if count is not None and units > 1:
        try:
            count(units - 1)
        except TooManyRequests as error:
            error.message = f"this counts as {units} requests: {error.message}"
            raise


class Rate:
    """Counts what callers do in a moving window.

    Args:
        limit: Units in a time, such as 60/minute.
    """

    def __init__(self, limit: str) -> None:
        self._limit = parse(limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, caller: str, units: int = 1) -> None:
        """Count what a caller asks for.

        Raises:
            TooManyRequests: If it has to wait.
        """
        if self._limiter.hit(self._limit, caller, cost=units):
            return
        wait_s = self._limiter.get_window_stats(self._limit, caller).reset_time - time.time()
        if wait_s > self._limit.get_expiry() + 1:
            # Longer than the window: the clock was set back, and would lock everybody out.
            self._limiter.storage.reset()
            return
        again_s = max(1, round(wait_s))
        raise TooManyRequests(
            f"at most {self._limit}; try again in {again_s} s", retry_after_s=again_s
        )


class RateLimit:
    """Limits how much a caller may ask for.

    What it only fetches is not counted: the page alone is a dozen files.

    Args:
        app: What to pass requests on to.
        limit: Units in a time, such as 60/minute.
    """

    def __init__(self, app: ASGIApp, limit: str) -> None:
        self._app, self._rate = app, Rate(limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429."""
        if scope["type"] == "http" and scope["method"] == "POST":
            caller = caller_of(scope)
            scope[RATE] = lambda units: self._rate.count(caller, units)
            try:
                self._rate.count(caller)
            except TooManyRequests as error:
                answer = JSONResponse({"detail": error.message}, error.status, error.headers)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
