"""Overload, simulated: the ledger and a clock, without an engine."""

import random
from dataclasses import replace

import pytest

from app.admission import Claim, Ledger, Reservation
from app.errors import ServiceError
from app.step_time import Draw, StepTime
from tests.test_admission import Clock

SHORT, LONG, WIDE = Claim(1, 39), Claim(1, 150), Claim(1, 121, draw_s=0.004)


@pytest.mark.parametrize("skew", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    "claims",
    [[SHORT], [LONG], [WIDE], [SHORT, WIDE, LONG]],
    ids=["short", "long", "wide", "mixed"],
)
def test_at_five_times_its_load_as_much_is_delivered(claims: list[Claim], skew: float) -> None:
    """A minute of as many clients as there are slots, and of five times as many."""
    full, wasted = deliver(claims, clients=32, skew=skew)
    over, more_wasted = deliver(claims, clients=160, skew=skew)
    assert over >= 0.9 * full > 0
    assert wasted <= 0.2 * full
    assert more_wasted <= 0.2 * over


def deliver(claims: list[Claim], clients: int, skew: float) -> tuple[int, int]:
    """Return the steps of the poems that clients got, and of those that were begun in vain.

    The engine takes skew times as long as was measured, and not always as long.
    """
    clock, chance = Clock(), random.Random(0)
    times = StepTime({1: 0.015, 8: 0.018, 32: 0.04}, {Draw.WIDE: 0.004}, clock)
    book = Ledger(32, max_queue_steps=16, deadline_s=8.0, step_time=times, clock=clock)
    asking = [(0.0, number) for number in range(clients)]  # when, and who
    running, waiting = dict[Reservation, int](), dict[Reservation, int]()
    delivered = wasted = 0
    reviewed = 0.0
    while clock.now < 60:
        for at, number in [each for each in asking if each[0] <= clock.now]:
            asking.remove((at, number))
            try:
                claim = replace(claims[number % len(claims)], caller=str(number))
                waiting[book.reserve(claim)] = number
            except ServiceError as error:
                asking.append((clock.now + (error.retry_after_s or 0), number))
        over = [each for each in (*running, *waiting) if each.deadline <= clock.now]
        if clock.now - reviewed > 0.5:
            reviewed = clock.now
            over += book.hopeless()
        for each in over:
            wasted += each.claim.steps - each.shares[0].steps
            book.release(each)
            asking.append((clock.now + 1, (running | waiting)[each]))
            running.pop(each, None)
            waiting.pop(each, None)
        for each in list(waiting)[: 32 - len(running)]:
            book.start(each.shares[0])
            running[each] = waiting.pop(each)
        draws_s = sum(each.claim.draw_s for each in running)
        step_s = (
            (times.base_s(max(1, len(running))) + draws_s) * skew * chance.lognormvariate(0, 0.3)
        )
        clock.now += step_s
        book.measure(len(running), step_s)
        for each in list(running):
            book.progress(each.shares[0], 1)
            if not each.shares[0].steps:
                delivered += each.claim.steps
                asking.append((clock.now, running.pop(each)))
                book.release(each)
    return delivered, wasted
