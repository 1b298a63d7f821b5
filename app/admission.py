"""Admission: what is reserved of the engine, and whether one more poem would be done in time.

A ledger in numbers alone, with neither threads nor asyncio: whoever reserves says what happens to
the reservation. Work is counted in steps, of which a running sequence takes one at a time, and the
cost of a request in slot-steps: one is what a step of a full engine takes for one plain sequence.
"""

import heapq
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.errors import QueueFull, TooMuchHeld, WouldBeLate
from app.step_time import StepTime

HEADROOM = 1.15  # times the reckoned step time, within which what is admitted has to be done
TOLERANCE = 0.9  # times the reckoned step time: what would be late even so has to give way


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request asks of the engine.

    Args:
        count: Slots that its sequences take in all.
        steps: That each takes at most.
        draw_s: Seconds that each adds to a step by the way it draws.
        caller: On whose account.
    """

    count: int
    steps: int
    draw_s: float = 0.0
    caller: str = ""


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
        self._waiting = Counter[str]()  # shares without a slot, by caller
        self._held = Counter[str]()  # slot-steps, by caller
        self._steps_waiting = 0  # of shares without a slot
        self._refused_since: float | None = None  # with nothing admitted from then on
        self._refused_at = 0.0

    @property
    def steps_reserved(self) -> int:
        """Steps of all that is reserved."""
        return sum(share.steps for share in self._shares)

    def cost(self, claim: Claim) -> int:
        """Return what a claim costs, in slot-steps."""
        slot_s = self.step_time.base_s(self._num_slots) / self._num_slots
        return math.ceil(claim.count * claim.steps * (1 + claim.draw_s / slot_s))

    def steps_to_slot(self, caller: str = "") -> float:
        """Return the steps until a caller's new sequence would get a slot.

        Callers have their turns in rotation, each with its oldest sequence. What is left of each
        running sequence is known, and those that wait are taken to be of average length.
        """
        own = self._waiting[caller]
        others = (n for other, n in self._waiting.items() if other != caller)
        ahead = own + sum(min(n, own + 1) for n in others)
        running = sorted(share.steps for share in self._shares if not share.waiting)
        free = self._num_slots - len(running)
        if ahead < free:
            return 0.0
        average = self._steps_waiting / max(1, self._waiting.total())
        ends = [0.0] * free + [float(steps) for steps in running]  # sorted, so it is a heap
        for _ in range(ahead):
            heapq.heapreplace(ends, ends[0] + average)
        return ends[0]

    def require_slot(self, caller: str) -> None:
        """Refuse whatever a caller may ask for if it would wait too long for a slot.

        Raises:
            QueueFull: If it would.
        """
        waiting = self.steps_to_slot(caller)
        if waiting > self._max_queue_steps and self._reservations:
            self._note_refusal()
            step_s = self._step_s()
            again_s = whole_seconds((waiting - self._max_queue_steps) * step_s)
            work = f"{waiting * step_s:.1f} s of work are waiting"
            raise QueueFull(f"{work}; try again in {again_s} s", retry_after_s=again_s)

    def require_room(self, claim: Claim) -> None:
        """Refuse what reserve() would refuse.

        Raises:
            TooMuchHeld: If its caller would hold more than one may.
            QueueFull: If it would wait too long for a slot.
            WouldBeLate: If it would be late, or make something older late.
        """
        held = self._held[claim.caller] + self.cost(claim)
        if self._max_held and held > self._max_held:
            raise TooMuchHeld(
                f"this would be {held} slot-steps at a time, and one caller may have "
                f"{self._max_held}; wait for your other poems, or ask for fewer or shorter ones",
                retry_after_s=1,
            )
        if not self._reservations:  # whatever was reckoned, nobody is in the way
            return
        self.require_slot(claim.caller)
        asked = Reservation(claim, 0, self._clock() + self._deadline_s)
        asked.shares = [Share(claim, claim.steps) for _ in range(claim.count)]
        late_s = self._lateness([*self._reservations, asked], HEADROOM)
        if late_s > 0:
            self._note_refusal()
            again_s = whole_seconds(late_s)
            raise WouldBeLate(
                f"there is too much in flight to finish this within {self._deadline_s:g} s; "
                f"try again in {again_s} s",
                retry_after_s=again_s,
            )

    def _note_refusal(self) -> None:
        self._refused_at = self._clock()
        self._refused_since = self._refused_since or self._refused_at

    def _step_s(self) -> float:
        """Return the seconds of a step of a full engine, with draws like those in flight."""
        count = max(1, len(self._shares))
        draws_s = sum(share.claim.draw_s for share in self._shares) / count
        return self.step_time.predict(self._num_slots, draws_s * self._num_slots)

    def _lateness(self, reservations: Iterable[Reservation], slowness: float) -> float:
        """Return by how many seconds the latest of these would be late if nothing else came.

        Args:
            reservations: All that runs.
            slowness: Times the step time that is reckoned with.
        """
        left = sorted(
            (share.steps, each.deadline, share.claim.draw_s)
            for each in reservations
            for share in each.shares
            if share.steps
        )
        base_s, factor = self.step_time.base_s, self.step_time.correction * slowness
        rows, draws_s = len(left), sum(draw_s for _, _, draw_s in left)
        now = start = self._clock()
        late_s, done = -math.inf, 0
        for steps, deadline, draw_s in left:  # the shortest first: after it there is a row less
            if steps > done:
                running = min(rows, self._num_slots)
                step_s = base_s(running) + draws_s * running / rows
                now += (steps - done) * rows / running * step_s * factor
                done = steps
            rows, draws_s = rows - 1, draws_s - draw_s
            if deadline > start:
                late_s = max(late_s, now - deadline)
        return late_s

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
        self._waiting[claim.caller] += claim.count
        self._held[claim.caller] += made.cost
        self._steps_waiting += claim.count * claim.steps
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
            share.steps = 0

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
        self._steps_waiting -= share.steps
        self._waiting[share.claim.caller] -= 1
        if not self._waiting[share.claim.caller]:
            del self._waiting[share.claim.caller]

    def measure(self, rows: int, step_s: float) -> None:
        """Take the seconds of one more step into account, which ran so many sequences."""
        running = [share.claim.draw_s for share in self._shares if not share.waiting]
        if running:  # else all of them are cancelled
            self.step_time.observe(rows, sum(running) * rows / len(running), step_s)

    @property
    def stalled(self) -> bool:
        """Whether somebody asks, and nothing has been admitted for longer than a poem may take."""
        if self._refused_since is None:
            return False
        now = self._clock()
        asked = now - self._refused_at < self._deadline_s
        return asked and now - self._refused_since > self._deadline_s

    def hopeless(self) -> list[Reservation]:
        """Return what has to give way, so that what is older can be done in time.

        It is what would be late even alone, and of the rest the newest.
        """
        now = self._clock()
        kept = [each for each in self._reservations if each.deadline > now]
        dropped = [each for each in kept if self._lateness([each], TOLERANCE) > 0]
        kept = [each for each in kept if each not in dropped]
        while len(kept) > 1 and self._lateness(kept, TOLERANCE) > 0:
            dropped.append(kept.pop())
        return dropped


def whole_seconds(wait_s: float) -> int:
    """Return a wait in whole seconds, as Retry-After takes it: at least 1."""
    return max(1, math.ceil(wait_s))
