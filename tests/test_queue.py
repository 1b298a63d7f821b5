import pytest

from app.queue import Add, Queue
from tests.test_async_engine import sequence


def test_the_lowest_rank_has_its_turn_first_and_of_equals_the_earlier() -> None:
    queue, sequences = Queue(), [sequence(3) for _ in range(4)]
    for each, rank in zip(sequences, (5.0, 1.0, 5.0, 3.0), strict=True):
        queue.push(Add(each, "", rank, given_s=0))
    order = [queue.pop().sequence for _ in range(len(queue))]
    assert order == [sequences[number] for number in (1, 3, 0, 2)]
    with pytest.raises(IndexError):
        queue.pop()


def test_who_waits_no_longer_has_no_turn() -> None:
    queue, sequences = Queue(), [sequence(3) for _ in range(3)]
    for rank, each in enumerate(sequences):
        queue.push(Add(each, "", rank, given_s=0))
    queue.discard(sequences[0])
    queue.discard(sequences[0])  # twice is once
    assert len(queue) == 2
    assert queue.pop().sequence is sequences[1]
    queue.discard(sequences[2])
    assert not queue


def test_callers_have_their_turns_in_rotation() -> None:
    queue = Queue()
    for number in range(5):
        queue.push(Add(sequence(3), "many", number, given_s=0))
    queue.push(Add(sequence(3), "one", 100, given_s=0))
    for number in range(2):
        queue.push(Add(sequence(3), "two", number, given_s=0))
    order = [queue.pop().caller for _ in range(len(queue))]
    assert order == ["many", "one", "two", "many", "two", "many", "many", "many"]


def test_a_caller_who_waits_no_more_costs_nobody_a_turn() -> None:
    queue, doomed, wanted = Queue(), sequence(3), sequence(3)
    queue.push(Add(doomed, "gone", 0, given_s=0))
    queue.push(Add(wanted, "here", 0, given_s=0))
    queue.discard(doomed)
    assert queue.pop().sequence is wanted
    assert not queue
