"""The queue of an engine thread: the sequences that wait for a slot, and the orders it gets."""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass

from model.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Add:
    """Run a sequence as soon as a slot is free.

    Args:
        sequence: What to run.
        caller: On whose account.
        rank: Of the caller's, the lowest gets the next slot.
        given_s: When the order was given, by time.perf_counter.
    """

    sequence: Sequence
    caller: str
    rank: float
    given_s: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a sequence, wherever it is.

    Args:
        sequence: What to stop.
        given_s: When the order was given, by time.perf_counter.
    """

    sequence: Sequence
    given_s: float


class Queue:
    """Holds additions until there is a slot for them.

    Callers have their turns in rotation, each with its lowest rank: who asks for little does not
    wait for all that another asked for before.
    """

    def __init__(self) -> None:
        self._heaps: dict[str, list[tuple[float, int, Add]]] = {}  # by caller
        self._rotation = deque[str]()  # of callers with a heap, the next one first
        self._wanted: set[Sequence] = set()  # of all heaps
        self._counter = itertools.count()

    def __len__(self) -> int:
        return len(self._wanted)

    def push(self, order: Add) -> None:
        """Let a sequence wait."""
        if order.caller not in self._heaps:
            self._heaps[order.caller] = []
            self._rotation.append(order.caller)
        heapq.heappush(self._heaps[order.caller], (order.rank, next(self._counter), order))
        self._wanted.add(order.sequence)

    def discard(self, sequence: Sequence) -> None:
        """Let a sequence wait no longer; one that does not wait is left alone."""
        self._wanted.discard(sequence)
        if not self._wanted:
            self._heaps.clear()
            self._rotation.clear()

    def pop(self) -> Add:
        """Return whose turn it is.

        Raises:
            IndexError: If nobody waits.
        """
        while True:
            caller = self._rotation.popleft()
            heap = self._heaps[caller]
            order = self._take(heap)
            if heap:
                self._rotation.append(caller)
            else:
                del self._heaps[caller]
            if order is not None:
                return order

    def _take(self, heap: list[tuple[float, int, Add]]) -> Add | None:
        """Take from a heap whose turn it is, and all before that wait no more."""
        while heap:
            _, _, order = heapq.heappop(heap)
            if order.sequence in self._wanted:
                self._wanted.remove(order.sequence)
                return order
        return None
