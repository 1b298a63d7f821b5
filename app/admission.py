"""Admission: what is reserved of the engine, and whether one more poem would be done in time.

A ledger in numbers alone, with neither threads nor asyncio: whoever reserves says what happens to
the reservation. All work is counted in steps, of which a running sequence takes one at a time.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from app.errors import QueueFull, WouldBeLate

SMOOTHING = 0.05  # weight of the newest step in the measured step time
FIRST_GUESS_S = 0.01  # of a step, before any was measured


@dataclass(eq=False, slots=True)
class Share:
    """What is reserved for one sequence: the steps that it still needs at most."""

    steps: int
    waiting: bool = True  # for a slot


class Ledger:
    """Keeps count of what is reserved.

    Args:
        num_slots: Sequences that run at once.
        max_queue_steps: Steps that a request may have to wait for a slot; else it is refused.
        deadline_s: Seconds that a request may take in all.
    """

    def __init__(self, num_slots: int, *, max_queue_steps: float, deadline_s: float) -> None:
        self._num_slots = num_slots
        self._max_queue_steps, self._deadline_s = max_queue_steps, deadline_s
        self._shares: set[Share] = set()
        self._steps_reserved = 0
        self._steps_waiting = 0  # of these, the steps of sequences without a slot
        self.step_s = FIRST_GUESS_S  # seconds that a step takes

    @property
    def steps_reserved(self) -> int:
        """Steps of all that is reserved."""
        return self._steps_reserved

    @property
    def steps_to_slot(self) -> float:
        """Steps until a new sequence would get a slot, after those that wait already.

        What is left of each running sequence is known, so this is exact up to one slot's turn;
        an average would hide that slots which were filled together come free together.
        """
        running = sorted(share.steps for share in self._shares if not share.waiting)
        slots = self._num_slots
        ahead = len(self._shares) - len(running) - (slots - len(running))  # that find no free slot
        if ahead < 0:
            return 0.0
        if ahead < len(running):
            return float(running[ahead])
        return running[-1] + self._steps_waiting / slots if running else self._steps_waiting / slots

    def require_room(self, count: int = 1, steps: int = 1) -> None:
        """Refuse what reserve() would refuse.

        Raises:
            QueueFull: If it would wait too long for a slot.
            WouldBeLate: If it would not be done in time.
        """
        waiting = self.steps_to_slot
        if waiting > self._max_queue_steps:
            again_s = seconds_until((waiting - self._max_queue_steps) * self.step_s)
            work = f"{waiting * self.step_s:.1f} s of work are waiting"
            raise QueueFull(f"{work}; try again in {again_s} s", retry_after_s=again_s)
        in_all = math.ceil((self._steps_reserved + count * steps) / self._num_slots)
        needed_s = max(steps, in_all) * self.step_s
        if needed_s > self._deadline_s:
            again_s = seconds_until(needed_s - self._deadline_s)
            limit = f"this would take {needed_s:.1f} s, and the limit is {self._deadline_s:g} s"
            raise WouldBeLate(f"{limit}; try again in {again_s} s", retry_after_s=again_s)

    def reserve(self, count: int, steps: int) -> list[Share]:
        """Reserve steps for each of count sequences.

        Raises:
            QueueFull: If they would wait too long for a slot.
            WouldBeLate: If they would not be done in time.
        """
        self.require_room(count, steps)
        shares = [Share(steps) for _ in range(count)]
        self._shares.update(shares)
        self._steps_reserved += count * steps
        self._steps_waiting += count * steps
        return shares

    def start(self, share: Share) -> None:
        """Note that a sequence got a slot."""
        share.waiting = False
        self._steps_waiting -= share.steps

    def progress(self, share: Share, steps: int) -> None:
        """Note that a running sequence took steps."""
        steps = min(steps, share.steps)
        share.steps -= steps
        self._steps_reserved -= steps

    def release(self, shares: Iterable[Share]) -> None:
        """Give back all that is left of shares; one that was given back is left alone."""
        for share in self._shares.intersection(shares):
            self._shares.remove(share)
            self._steps_reserved -= share.steps
            self._steps_waiting -= share.steps if share.waiting else 0

    def measure(self, step_s: float) -> None:
        """Take the seconds of one more step into account."""
        self.step_s += SMOOTHING * (step_s - self.step_s)


def seconds_until(wait_s: float) -> int:
    """Return a wait in whole seconds, as Retry-After takes it: at least 1."""
    return max(1, math.ceil(wait_s))
