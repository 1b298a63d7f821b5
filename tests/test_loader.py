"""The batches of a run, made ahead by worker processes or not."""

from itertools import islice

import pytest
import torch

from model.vocabulary import Vocabulary
from tests.test_poem_dataset import varied_poems
from training.batch import Batch
from training.draw import Draw
from training.loader import Position, RunBatches, load
from training.poem_dataset import PoemDataset


@pytest.fixture
def batches() -> RunBatches:
    dataset = PoemDataset.from_poems(varied_poems(), Vocabulary("日月山水紅來", ["李白"]))
    return RunBatches(dataset, 3, 200, Draw(title_after=0.25, keywords=True))


def same(one: Batch, other: Batch) -> bool:
    pairs = zip(one[:3], other[:3], strict=True)
    return one.num_targets == other.num_targets and all(torch.equal(a, b) for a, b in pairs)


def test_positions_go_through_every_batch_of_one_epoch_after_another(batches: RunBatches) -> None:
    positions = list(islice(batches.positions(Position(0, 0)), 100))
    lengths = [sum(at.epoch == epoch for at in positions) for epoch in range(3)]
    expected = [Position(epoch, n) for epoch in range(3) for n in range(lengths[epoch])]
    assert positions[: sum(lengths)] == expected
    assert lengths[0] > 5


def test_a_run_that_is_resumed_has_the_batches_that_are_left(batches: RunBatches) -> None:
    whole = list(load(batches, Position(0, 0), 60))
    for done in (1, 20, 59):
        last, _ = whole[done - 1]
        left = list(load(batches, Position(last.epoch, last.number + 1), 60 - done))
        assert [at for at, _ in left] == [at for at, _ in whole[done:]]
        assert all(same(a, b) for (_, a), (_, b) in zip(left, whole[done:], strict=True))


def test_workers_give_the_same_batches_in_the_same_order(batches: RunBatches) -> None:
    alone = list(load(batches, Position(0, 3), 45))
    together = list(load(batches, Position(0, 3), 45, workers=2))
    assert len(alone) == 45
    assert [at for at, _ in together] == [at for at, _ in alone]
    assert all(same(a, b) for (_, a), (_, b) in zip(alone, together, strict=True))
