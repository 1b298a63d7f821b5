"""The ledger, in numbers alone: 2 slots, and 10 ms a step until one is measured."""

import pytest

from app.admission import Ledger
from app.errors import QueueFull, WouldBeLate


def ledger(num_slots: int = 2, max_queue_steps: float = 100.0, deadline_s: float = 20.0) -> Ledger:
    return Ledger(num_slots, max_queue_steps=max_queue_steps, deadline_s=deadline_s)


def test_a_free_slot_is_no_wait_away() -> None:
    book = ledger()
    (share,) = book.reserve(1, 50)
    assert book.steps_to_slot == 0
    book.start(share)
    assert book.steps_to_slot == 0


def test_the_next_slot_is_free_when_the_shortest_is_done() -> None:
    book = ledger()
    for steps in (30, 80):
        (share,) = book.reserve(1, steps)
        book.start(share)
    assert book.steps_to_slot == 30
    book.reserve(1, 10)
    assert book.steps_to_slot == 80
    book.reserve(1, 10)
    assert book.steps_to_slot == 80 + (10 + 10) / 2


def test_progress_brings_the_next_slot_nearer() -> None:
    book = ledger()
    shares = book.reserve(2, 50)
    for share in shares:
        book.start(share)
        book.progress(share, 20)
    assert book.steps_to_slot == 30
    assert book.steps_reserved == 60
    book.progress(shares[0], 1000)  # no more than was reserved
    assert book.steps_reserved == 30
    assert book.steps_to_slot == 0


def test_what_is_released_counts_no_more_and_only_once() -> None:
    book = ledger()
    running, waiting = book.reserve(2, 50), book.reserve(3, 70)
    for share in running:
        book.start(share)
        book.progress(share, 10)
    book.release(waiting)
    book.release([*waiting, running[0]])
    assert book.steps_reserved == 40
    assert book.steps_to_slot == 0
    book.release(running)
    assert book.steps_reserved == 0


def test_who_would_wait_too_long_is_refused_with_the_time_to_wait() -> None:
    book = ledger(max_queue_steps=100)
    book.reserve(4, 100)  # 200 steps over 2 slots: 2 s, of which 1 s may be waited for
    with pytest.raises(QueueFull, match=r"^2\.0 s of work are waiting; try again in 1 s$") as full:
        book.reserve(1, 5)
    assert full.value.headers == {"Retry-After": "1"}
    assert book.steps_reserved == 400


def test_what_cannot_be_done_in_time_is_refused() -> None:
    book = ledger(deadline_s=2.0, max_queue_steps=1e4)
    refusal = r"^this would take 4\.0 s, and the limit is 2 s; try again in 2 s$"
    with pytest.raises(WouldBeLate, match=refusal):
        book.reserve(8, 100)  # 8 x 100 steps over 2 slots at 10 ms
    with pytest.raises(WouldBeLate):
        book.reserve(1, 201)
    book.reserve(1, 200)
    assert book.steps_reserved == 200


def test_a_measured_step_changes_what_can_be_done_in_time() -> None:
    book = ledger(deadline_s=2.0)
    book.require_room(1, 150)
    for _ in range(200):
        book.measure(0.02)
    with pytest.raises(WouldBeLate):
        book.require_room(1, 150)
    book.require_room(1, 90)
