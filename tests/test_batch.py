"""Batches: padding, and the shards of ranks."""

import numpy as np

from model.vocabulary import Vocabulary
from tests.test_epoch import batches, vocabulary
from tests.test_poem_dataset import varied_poems
from training.batch import IGNORED, Example, collate
from training.poem_dataset import PoemDataset

__all__ = ["vocabulary"]  # the fixture


def test_shards_of_a_batch_make_up_the_batch(vocabulary: Vocabulary) -> None:
    batch = batches(PoemDataset.from_poems(varied_poems(), vocabulary))[0]
    shards = [batch.shard(rank, 3) for rank in range(3)]
    columns = [column.tolist() for shard in shards for column in shard.tokens.T]
    assert sorted(columns) == sorted(batch.tokens.T.tolist())
    assert {shard.num_targets for shard in shards} == {batch.num_targets}


def test_padding_is_token_zero(vocabulary: Vocabulary) -> None:
    examples = [
        Example(np.array([1, 5]), np.array(body), np.array(cues))
        for body, cues in (([9, 2], [3, 1]), ([2], [4]))
    ]
    batch = collate(examples)
    assert batch.cues.tolist() == [[0, 0], [3, 4], [1, 0]]
    assert batch.tokens.tolist() == [[1, 1], [5, 5], [9, vocabulary.pad_id]]
    assert batch.targets.tolist() == [[IGNORED, IGNORED], [9, 2], [2, IGNORED]]
