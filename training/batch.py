"""Batches: sequences side by side, padded at the end.

Shapes
    T  time steps   B  batch
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IGNORED = -100  # a target that does not count

Ints = NDArray[np.int64]


class Batch(NamedTuple):
    """Sequences side by side, padded at the end."""

    tokens: Tensor  # (T, B)
    targets: Tensor  # (T, B), IGNORED where nothing is to be predicted
    cues: Tensor  # (T, B), of the targets
    num_targets: int  # of the whole batch, also where this is a shard of it

    @classmethod
    def of_rows(cls, tokens: Ints, targets: Ints, cues: Ints) -> Self:
        """Return the batch of sequences that stand in rows, each argument (B, T)."""
        given, wanted, asked = (torch.from_numpy(r.T.copy()) for r in (tokens, targets, cues))
        return cls(given, wanted, asked, num_targets=int((targets != IGNORED).sum()))

    def shard(self, rank: int, num_ranks: int) -> Self:
        """Return the columns that belong to one of several ranks."""
        columns = slice(rank, None, num_ranks)
        tokens, targets, cues = (t[:, columns] for t in (self.tokens, self.targets, self.cues))
        return self._replace(tokens=tokens, targets=targets, cues=cues)


class Example(NamedTuple):
    """One sequence: what is given, what is to be predicted, and the cues of the latter."""

    header: Ints
    body: Ints
    cues: Ints


def collate(examples: Sequence[Example]) -> Batch:
    """Return examples as one batch, padded at the end."""
    shape = len(examples), max(len(e.header) + len(e.body) for e in examples) - 1
    tokens = np.zeros(shape, dtype=np.int64)  # <pad> is 0
    targets, cues = np.full_like(tokens, IGNORED), np.zeros_like(tokens)
    for row, (header, body, body_cues) in enumerate(examples):
        start, end = len(header) - 1, len(header) + len(body) - 1
        tokens[row, : start + 1] = header
        tokens[row, start + 1 : end] = body[:-1]
        targets[row, start:end] = body
        cues[row, start:end] = body_cues
    return Batch.of_rows(tokens, targets, cues)
