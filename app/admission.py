"""Admission: what is reserved of the engine, and whether one more poem would be done in time.

A ledger in numbers alone, with neither threads nor asyncio: whoever reserves says what happens to
the reservation. Work is counted in steps, of which a running sequence takes one at a time, and the
cost of a request in slot-steps: one is what a step of a full engine takes for one plain sequence.
"""

import heapq
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.errors import QueueFull, TooMuchHeld, WouldBeLate
from app.step_time import StepTime

TOLERANCE = 0.9  # of the reckoned step time: what would still be late is certain to be


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request asks of the engine.

    Args:
        count: Sequences.
        steps: That each takes at most.
        slots: That each takes at once: particles, twice as many if they are guided.
        draw_s: Seconds that each of its slots adds to a step by the way it draws.
        caller: On whose account.
    """

    count: int = 1
    steps: int = 1
    slots: int = 1
    draw_s: float = 0.0
    caller: str = ""

    @property
    def rows(self) -> int:
        """Slots of all its sequences."""
        return self.count * self.slots


@dataclass(eq=False, slots=True)
class Share:
    """What is reserved for one sequence: the steps that it still needs at most."""

    claim: Claim
    steps: int
    waiting: bool = True  # for a slot


@dataclass(eq=False, slots=True)
class Reservation:
    """What is reserved for one request, until a deadline by the ledger's clock."""

    claim: Claim
    cost: int
    deadline: float
    shares: list[Share] = field(default_factory=list)


class Ledger:
    """Keeps count of what is reserved.

    Args:
        num_slots: S, sequences that run at once.
        max_queue_steps: Steps that a request may have to wait for a slot; else it is refused.
        deadline_s: Seconds that a request may take in all.
        max_held: Slot-steps that one caller may hold at a time; 0 for any number.
        step_time: Reckons how long a step takes.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        num_slots: int,
        *,
        max_queue_steps: float,
        deadline_s: float,
        max_held: int = 0,
        step_time: StepTime | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._num_slots, self._max_queue_steps = num_slots, max_queue_steps
        self._deadline_s, self._max_held, self._clock = deadline_s, max_held, clock
        self.step_time = step_time or StepTime(clock=clock)
        self._reservations: dict[Reservation, None] = {}  # the oldest first
        self._shares: set[Share] = set()
        self._waiting = Counter[str]()  # slots that are waited for, by caller
        self._held = Counter[str]()  # slot-steps, by caller
        self._steps_waiting = 0  # slot-steps of shares without a slot
        self._refused_since: float | None = None  # with nothing admitted from then on
        self._refused_at = 0.0

    @property
    def steps_reserved(self) -> int:
        """Steps of all that is reserved."""
        return sum(share.steps for share in self._shares)

    def cost(self, claim: Claim) -> int:
        """Return what a claim costs, in slot-steps."""
        slot_s = self.step_time.base_s(self._num_slots) / self._num_slots
        return math.ceil(claim.rows * claim.steps * (1 + claim.draw_s / slot_s))

    def steps_to_slot(self, caller: str = "") -> float:
        """Return the steps until a caller's new sequence would get a slot."""
        return self._steps_to_slot(Claim(caller=caller), 0)

    def _steps_to_slot(self, claim: Claim, number: int) -> float:
        """Return the steps until a claim would get its slot of a number, from 0.

        Callers have their turns in rotation, each with its oldest sequence. What is left of each
        running sequence is known, and those that wait are taken to be of average length.
        """
        own = self._waiting[claim.caller] + number
        others = (n for other, n in self._waiting.items() if other != claim.caller)
        ahead = own + sum(min(n, own + 1) for n in others)
        running = sorted(self._running_steps())
        free = self._num_slots - len(running)
        if ahead < free:
            return 0.0
        waiting = self._waiting.total() + number
        average = (self._steps_waiting + number * claim.steps) / max(1, waiting)
        ends = [0.0] * free + [float(steps) for steps in running]  # sorted, so it is a heap
        for _ in range(ahead):
            heapq.heapreplace(ends, ends[0] + average)
        return ends[0]

    def _running_steps(self) -> Iterator[int]:
        """Yield for each slot in use the steps that are left in it."""
        for share in self._shares:
            if not share.waiting:
                yield from (share.steps,) * share.claim.slots

    def require_room(self, claim: Claim | None = None) -> None:
        """Refuse what reserve() would refuse; of a request not yet understood, what any would be.

        Raises:
            TooMuchHeld: If its caller would hold more than one may.
            QueueFull: If it would wait too long for a slot.
            WouldBeLate: If it would not be done in time.
        """
        claim = claim or Claim()
        if self._max_held and self._held[claim.caller] + self.cost(claim) > self._max_held:
            raise TooMuchHeld(
                f"this would be {self._held[claim.caller] + self.cost(claim)} slot-steps at a time,"
                f" and one caller may have {self._max_held}; try again after your other poems, or "
                "ask for fewer or shorter ones",
                retry_after_s=1,
            )
        if not self._reservations:  # whatever was reckoned, nobody is in the way
            return
        try:
            self._require_time(claim)
        except (QueueFull, WouldBeLate):
            self._refused_at = self._clock()
            self._refused_since = self._refused_since or self._refused_at
            raise

    def _require_time(self, claim: Claim) -> None:
        """Refuse what could not start or end in time."""
        step_s = self._step_s(claim)
        waiting = self.steps_to_slot(claim.caller)
        if waiting > self._max_queue_steps:
            again_s = whole_seconds((waiting - self._max_queue_steps) * step_s)
            work = f"{waiting * step_s:.1f} s of work are waiting"
            raise QueueFull(f"{work}; try again in {again_s} s", retry_after_s=again_s)
        needed_s = (self._steps_to_slot(claim, claim.rows - 1) + claim.steps) * step_s
        if needed_s > self._deadline_s:
            again_s = whole_seconds(needed_s - self._deadline_s)
            limit = f"this would take {needed_s:.1f} s, and the limit is {self._deadline_s:g} s"
            raise WouldBeLate(f"{limit}; try again in {again_s} s", retry_after_s=again_s)

    def _step_s(self, claim: Claim) -> float:
        """Return the seconds of a step with all that is reserved, and a claim."""
        claims = [claim] * claim.count + [share.claim for share in self._shares]
        draws_s = sum(each.slots * each.draw_s for each in claims)
        count = sum(each.slots for each in claims)
        rows = min(count, self._num_slots)
        return self.step_time.predict(rows, draws_s * rows / count)

    def reserve(self, claim: Claim) -> Reservation:
        """Reserve what a claim asks for.

        Raises:
            ServiceError: As require_room().
        """
        self.require_room(claim)
        made = Reservation(claim, self.cost(claim), self._clock() + self._deadline_s)
        made.shares = [Share(claim, claim.steps) for _ in range(claim.count)]
        self._reservations[made] = None
        self._shares.update(made.shares)
        self._waiting[claim.caller] += claim.rows
        self._held[claim.caller] += made.cost
        self._steps_waiting += claim.rows * claim.steps
        self._refused_since = None
        return made

    def start(self, share: Share) -> None:
        """Note that a sequence got a slot."""
        self._wait_no_more(share)
        share.waiting = False

    def progress(self, share: Share, steps: int) -> None:
        """Note that a running sequence took steps."""
        share.steps -= min(steps, share.steps)

    def finish(self, share: Share) -> None:
        """Give back what is left for one sequence; what was given back is left alone."""
        if share in self._shares:
            self._shares.remove(share)
            if share.waiting:
                self._wait_no_more(share)

    def release(self, reservation: Reservation) -> None:
        """Give back all that is left of a reservation; one that was given back is left alone."""
        if reservation in self._reservations:
            del self._reservations[reservation]
            for share in reservation.shares:
                self.finish(share)
            caller = reservation.claim.caller
            self._held[caller] -= reservation.cost
            self._held += Counter()  # drops whoever holds nothing

    def _wait_no_more(self, share: Share) -> None:
        self._steps_waiting -= share.claim.slots * share.steps
        self._waiting[share.claim.caller] -= share.claim.slots
        if not self._waiting[share.claim.caller]:
            del self._waiting[share.claim.caller]

    def measure(self, step_s: float) -> None:
        """Take the seconds of one more step, of all that has a slot, into account."""
        running = [share.claim for share in self._shares if not share.waiting]
        if running:
            rows = sum(each.slots for each in running)
            draws_s = sum(each.slots * each.draw_s for each in running)
            self.step_time.observe(rows, draws_s, step_s)

    @property
    def stalled(self) -> bool:
        """Whether somebody asks, and nothing has been admitted for longer than a poem may take."""
        if self._refused_since is None:
            return False
        now = self._clock()
        asked = now - self._refused_at < self._deadline_s
        return asked and now - self._refused_since > self._deadline_s

    def hopeless(self) -> Iterator[Reservation]:
        """Yield what has to give way, so that what is older can be done in time.

        From the oldest to the newest, each is kept if it and all that is kept can be done.
        """
        now, rows, draws_s, steps, allowed_s = self._clock(), 0, 0.0, 0, math.inf
        for each in self._reservations:
            left = [share.steps for share in each.shares if share in self._shares]
            if not left or each.deadline <= now:
                continue
            slots = each.claim.slots
            turns = max(max(left), (steps + slots * sum(left)) / self._num_slots)
            kept_s = min(allowed_s, (each.deadline - now) / turns if turns else math.inf)
            count = rows + slots * len(left)
            running = min(count, self._num_slots)
            own_draws_s = slots * len(left) * each.claim.draw_s
            added_s = (draws_s + own_draws_s) * running / count
            if TOLERANCE * self.step_time.predict(running, added_s) > kept_s:
                yield each
                continue
            rows, steps, allowed_s = count, steps + slots * sum(left), kept_s
            draws_s += own_draws_s


def whole_seconds(wait_s: float) -> int:
    """Return a wait in whole seconds, as Retry-After takes it: at least 1."""
    return max(1, math.ceil(wait_s))
