"""A job: what the engine does for one request, seen from the event loop."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.admission import Reservation, Share
from model.sequence import Sequence as TokenSequence


@dataclass(eq=False)
class Job:
    """The sequences of one request; admitted first, handed to the engine when they are ready.

    Args:
        reservation: What is reserved for its sequences.
        deadline: When the answer is too late, by the event loop's clock.
    """

    reservation: Reservation
    deadline: float
    sequences: Sequence[TokenSequence] = ()
    error: Exception | None = None
    submitted: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    unfinished: int = 0  # of sequences
    _news: list[int] = field(default_factory=list)
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

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

    async def news(self, patience_s: float) -> list[int]:
        """Return the number of each sequence that got a token since the last call, in order.

        Args:
            patience_s: How long to wait for any; after that there are none.

        Raises:
            TimeoutError: If the deadline passes.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(loop.time() + patience_s, self.deadline)):
                await self._stirred.wait()
        except TimeoutError:
            if loop.time() >= self.deadline:
                raise
        if not self.done.is_set():
            self._stirred.clear()
        numbers, self._news = self._news, []
        return numbers

    @property
    def drained(self) -> bool:
        """Whether it has ended and everything has been fetched by news()."""
        return self.done.is_set() and not self._news

    def emit(self, number: int) -> None:
        """Let those who wait know that a sequence got a token."""
        self._news.append(number)
        self._stirred.set()

    def finish(self, error: Exception | None = None) -> None:
        """Let those who wait go on."""
        self.error = self.error or error
        self.done.set()
        self._stirred.set()


@dataclass(eq=False, slots=True)
class Part:
    """A sequence as a part of its job: its number, a share for each slot, the tokens it emitted."""

    job: Job
    number: int
    shares: Sequence[Share]
    emitted: int = 0
