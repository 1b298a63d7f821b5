"""The ledger, in numbers alone: 2 slots, 10 ms a step, and a clock that is set by hand."""

import pytest

from app.admission import Claim, Ledger, Reservation
from app.errors import QueueFull, TooMuchHeld, WouldBeLate
from app.step_time import Draw, StepTime


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ledger(
    clock: Clock,
    num_slots: int = 2,
    max_queue_steps: float = 100.0,
    deadline_s: float = 20.0,
    max_held: int = 0,
    step_time: StepTime | None = None,
) -> Ledger:
    return Ledger(
        num_slots,
        max_queue_steps=max_queue_steps,
        deadline_s=deadline_s,
        max_held=max_held,
        step_time=step_time,
        clock=clock,
    )


def run(book: Ledger, claim: Claim) -> Reservation:
    """Reserve, and get slots."""
    made = book.reserve(claim)
    for share in made.shares:
        book.start(share)
    return made


def test_a_free_slot_is_no_wait_away(clock: Clock) -> None:
    book = ledger(clock)
    made = book.reserve(Claim(1, 50))
    assert book.steps_to_slot() == 0
    book.start(made.shares[0])
    assert book.steps_to_slot() == 0


def test_the_next_slot_is_free_when_the_shortest_is_done(clock: Clock) -> None:
    book = ledger(clock)
    run(book, Claim(1, 30))
    run(book, Claim(1, 80))
    assert book.steps_to_slot() == 30
    book.reserve(Claim(1, 10))  # from 30 to 40, in the same slot
    assert book.steps_to_slot() == 40
    book.reserve(Claim(1, 60))  # on average 35: one from 30 to 65, one from 65 to 100
    assert book.steps_to_slot() == 80


def test_progress_brings_the_next_slot_nearer(clock: Clock) -> None:
    book = ledger(clock)
    made = run(book, Claim(2, 50))
    for share in made.shares:
        book.progress(share, 20)
    assert book.steps_to_slot() == 30
    assert book.steps_reserved == 60
    book.progress(made.shares[0], 1000)  # no more than was reserved
    assert book.steps_reserved == 30
    assert book.steps_to_slot() == 0


def test_what_is_released_counts_no_more_and_only_once(clock: Clock) -> None:
    book = ledger(clock)
    running, waiting = run(book, Claim(2, 50)), book.reserve(Claim(3, 70))
    for share in running.shares:
        book.progress(share, 10)
    book.release(waiting)
    book.release(waiting)
    book.finish(running.shares[0])
    book.finish(running.shares[0])
    assert book.steps_reserved == 40
    assert book.steps_to_slot() == 0
    book.release(running)
    assert book.steps_reserved == 0


def test_who_would_wait_too_long_is_refused_with_the_time_to_wait(clock: Clock) -> None:
    book = ledger(clock, max_queue_steps=100)
    book.reserve(Claim(4, 100))  # 200 steps over 2 slots: 2 s, of which 1 s may be waited for
    with pytest.raises(QueueFull, match=r"^2\.0 s of work are waiting; try again in 1 s$") as full:
        book.reserve(Claim(1, 5))
    assert full.value.headers == {"Retry-After": "1"}
    assert book.steps_reserved == 400


def test_what_cannot_be_done_in_time_is_refused(clock: Clock) -> None:
    book = ledger(clock, deadline_s=2.0, max_queue_steps=1e4)
    run(book, Claim(1, 1))
    refusal = r"^there is too much in flight to finish this within 2 s; try again in 3 s$"
    with pytest.raises(WouldBeLate, match=refusal):
        book.reserve(Claim(8, 100))  # 4.0 s, and some headroom
    with pytest.raises(WouldBeLate):
        book.reserve(Claim(1, 200))
    book.reserve(Claim(1, 170))
    assert book.steps_reserved == 171


def test_what_would_make_older_poems_late_is_refused(clock: Clock) -> None:
    times = StepTime({1: 0.01, 2: 0.02}, clock=clock)
    book = ledger(clock, deadline_s=2.0, step_time=times)
    run(book, Claim(1, 170))
    book.require_room(Claim(1, 2))  # two steps take 20 ms longer
    with pytest.raises(WouldBeLate):
        book.require_room(Claim(1, 10))


def test_an_idle_engine_takes_any_request(clock: Clock) -> None:
    book = ledger(clock, deadline_s=1.0, step_time=StepTime({1: 1000.0}, clock=clock))
    made = book.reserve(Claim(64, 200))
    with pytest.raises((QueueFull, WouldBeLate)):
        book.reserve(Claim(1, 1))
    book.release(made)
    book.reserve(Claim(64, 200))


def test_a_pause_of_the_whole_process_stops_no_later_poem(clock: Clock) -> None:
    book = ledger(clock, deadline_s=20.0)
    made = run(book, Claim(1, 200))
    for _ in range(20):
        clock.now += 0.01
        book.measure(1, 0.01)
    clock.now += 35
    book.measure(1, 35.0)  # the step that was paused
    book.release(made)
    run(book, Claim(1, 10))
    book.reserve(Claim(1, 200))  # 2 s, by what steps took before


def test_a_step_that_is_slow_for_long_changes_what_can_be_done_in_time(clock: Clock) -> None:
    book = ledger(clock, deadline_s=2.0)
    run(book, Claim(1, 1))
    book.require_room(Claim(1, 150))
    for _ in range(200):
        book.measure(1, 0.02)
    with pytest.raises(WouldBeLate):
        book.require_room(Claim(1, 150))
    book.require_room(Claim(1, 80))
    clock.now += 100  # in which nothing was measured
    book.require_room(Claim(1, 150))


def test_the_time_is_reckoned_for_all_that_would_run_and_how_it_draws(clock: Clock) -> None:
    times = StepTime({1: 0.01, 2: 0.02}, {Draw.WIDE: 0.03}, clock)
    book = ledger(clock, deadline_s=2.0, step_time=times)
    run(book, Claim(1, 20))
    book.require_room(Claim(1, 140))  # 20 steps of 20 ms and 120 of 10 ms
    with pytest.raises(WouldBeLate):
        book.require_room(Claim(1, 160))
    book.require_room(Claim(1, 30, draw_s=0.03))  # 20 steps of 50 ms and 10 of 40 ms
    with pytest.raises(WouldBeLate):
        book.require_room(Claim(1, 45, draw_s=0.03))


def test_a_request_costs_what_it_takes_of_a_full_engine(clock: Clock) -> None:
    times = StepTime({1: 0.01, 2: 0.02}, {Draw.WIDE: 0.03}, clock)
    book = ledger(clock, step_time=times)
    assert book.cost(Claim(1, 40)) == 40
    assert book.cost(Claim(8, 100)) == 800
    assert book.cost(Claim(1, 40, draw_s=0.03)) == 40 * (1 + 3)  # 10 ms is a row's share


def test_one_caller_holds_no_more_than_it_may(clock: Clock) -> None:
    book = ledger(clock, max_held=100)
    mine = book.reserve(Claim(1, 60, caller="a"))
    with pytest.raises(TooMuchHeld, match="110 slot-steps at a time, and one caller may have 100"):
        book.reserve(Claim(1, 50, caller="a"))
    with pytest.raises(TooMuchHeld):
        book.require_room(Claim(1, 101, caller="c"))  # even of an engine that had nothing to do
    book.reserve(Claim(1, 50, caller="b"))
    book.release(mine)
    book.reserve(Claim(1, 50, caller="a"))


def test_who_asks_for_little_does_not_wait_for_all_that_another_asked_for(clock: Clock) -> None:
    book = ledger(clock, max_queue_steps=100, deadline_s=100.0)
    run(book, Claim(2, 40, caller="many"))
    for _ in range(2):
        book.reserve(Claim(2, 40, caller="many"))
    with pytest.raises(QueueFull):
        book.reserve(Claim(1, 40, caller="many"))
    assert book.steps_to_slot("one") == 40  # one turn of the other comes first, in the other slot
    book.reserve(Claim(1, 40, caller="one"))


def test_refusals_without_end_are_seen(clock: Clock) -> None:
    book = ledger(clock, deadline_s=10.0, max_queue_steps=1.0)
    made = run(book, Claim(2, 900))
    for _ in range(20):
        clock.now += 1
        with pytest.raises(QueueFull):
            book.require_slot("")
    assert book.stalled
    clock.now += 60  # in which nobody asks
    assert not book.stalled
    with pytest.raises(QueueFull):
        book.require_slot("")
    assert book.stalled
    book.release(made)
    book.reserve(Claim(1, 1))
    assert not book.stalled


def test_nothing_gives_way_while_all_can_be_done(clock: Clock) -> None:
    book = ledger(clock, deadline_s=2.0)
    run(book, Claim(2, 100))
    assert not book.hopeless()


def test_the_newest_gives_way_when_steps_take_longer_than_was_reckoned(clock: Clock) -> None:
    times = StepTime({1: 0.001, 4: 0.004}, clock=clock)  # a row more, a millisecond more
    book = ledger(clock, num_slots=4, deadline_s=1.0, step_time=times)
    made = [run(book, Claim(1, 150)) for _ in range(4)]  # 0.6 s
    assert not book.hopeless()
    for _ in range(300):
        clock.now += 0.0001
        book.measure(4, 0.010)
    # 2.5 times as long, and 0.97 s left: 150 steps of two rows are done by then, not of three.
    assert book.hopeless() == [made[3], made[2]]


def test_what_is_late_even_alone_gives_way_whatever_its_age(clock: Clock) -> None:
    book = ledger(clock, deadline_s=2.0)
    old = run(book, Claim(1, 150))
    clock.now = 0.1
    new = run(book, Claim(1, 20))
    clock.now = 1.5  # in which nothing was done
    assert book.hopeless() == [old]
    clock.now = 2.05
    assert book.hopeless() == [new]  # the old one's deadline has passed: its own affair
