import pytest

from app.queue import Add, Queue
from tests.test_async_engine import sequence


def test_the_lowest_rank_has_its_turn_first_and_of_equals_the_earlier() -> None:
    queue, sequences = Queue(), [sequence(3) for _ in range(4)]
    for each, rank in zip(sequences, (5.0, 1.0, 5.0, 3.0), strict=True):
        queue.push(Add(each, rank, given_s=0))
    order = [queue.pop().sequence for _ in range(len(queue))]
    assert order == [sequences[number] for number in (1, 3, 0, 2)]
    with pytest.raises(IndexError):
        queue.pop()


def test_who_waits_no_longer_has_no_turn() -> None:
    queue, sequences = Queue(), [sequence(3) for _ in range(3)]
    for rank, each in enumerate(sequences):
        queue.push(Add(each, rank, given_s=0))
    queue.discard(sequences[0])
    queue.discard(sequences[0])  # twice is once
    assert len(queue) == 2
    assert queue.pop().sequence is sequences[1]
    queue.discard(sequences[2])
    assert not queue
