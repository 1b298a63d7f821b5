"""The queue of an engine thread: the sequences that wait for a slot, and the orders it gets."""

import heapq
import itertools
from dataclasses import dataclass

from model.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Add:
    """Run a sequence as soon as a slot is free.

    Args:
        sequence: What to run.
        rank: The lowest gets the next slot.
        given_s: When the order was given, by time.perf_counter.
    """

    sequence: Sequence
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
    """Holds additions until there is a slot for them, in the order of their ranks."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Add]] = []
        self._wanted: set[Sequence] = set()  # of the heap
        self._counter = itertools.count()

    def __len__(self) -> int:
        return len(self._wanted)

    def push(self, order: Add) -> None:
        """Let a sequence wait."""
        heapq.heappush(self._heap, (order.rank, next(self._counter), order))
        self._wanted.add(order.sequence)

    def discard(self, sequence: Sequence) -> None:
        """Let a sequence wait no longer; one that does not wait is left alone."""
        self._wanted.discard(sequence)
        if not self._wanted:
            self._heap.clear()

    def next_slots(self) -> int:
        """Return how many slots the sequence takes whose turn it is.

        Raises:
            IndexError: If nobody waits.
        """
        while self._heap[0][2].sequence not in self._wanted:
            heapq.heappop(self._heap)
        return self._heap[0][2].sequence.num_slots

    def pop(self) -> Add:
        """Return whose turn it is.

        Raises:
            IndexError: If nobody waits.
        """
        while True:
            _, _, order = heapq.heappop(self._heap)
            if order.sequence in self._wanted:
                self._wanted.remove(order.sequence)
                return order
