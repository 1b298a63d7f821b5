"""Poems as token ids, in seeded batches: the same seed and epoch give the same batches.

Each sequence is a whole poem after its header (model.vocabulary), every field of which is left
out at random, as are the cues (model.verse.cue) that the poem keeps to. The loss counts the body
and <eos>, not the header.

Shapes
    N  pieces   F  fields of a header   B  pieces of a batch   T  time steps
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.vocabulary import Vocabulary
from training.batch import IGNORED, Batch, Ints
from training.corpus_poem import CorpusPoem
from training.piece import FIELDS, Piece, pieces_of

KEEP_HEADER = 0.75  # how often a poem has a header at all
KEEP_FIELD = 0.6  # how often, then, each field stays
KEEP_CUES = 0.5  # how often the model is given the cues
DIGESTED_AT_ONCE = 10_000  # pieces


@dataclass(frozen=True)
class PoemDataset:
    """The poems of one split, all their token ids in a row.

    Args:
        vocabulary: The meaning of token ids.
        field_lengths: How many tokens each field of each header has, (N, F).
        body_lengths: How many tokens each body has, (N,).
        headers: The fields of all headers, one after another.
        bodies: All bodies, one after another.
        cues: One for each of bodies.

    Raises:
        ValueError: If there are no poems.
    """

    vocabulary: Vocabulary
    field_lengths: Ints
    body_lengths: Ints
    headers: NDArray[np.int16]
    bodies: NDArray[np.int16]
    cues: NDArray[np.int8]

    def __post_init__(self) -> None:
        if not len(self.body_lengths):
            raise ValueError("expected at least one poem")

    @classmethod
    def from_poems(cls, poems: Iterable[CorpusPoem], vocabulary: Vocabulary) -> Self:
        """Encode poems.

        Raises:
            ValueError: If there are none.
        """
        return cls.from_pieces(
            (piece for poem in poems for piece in pieces_of(poem, vocabulary)), vocabulary
        )

    @classmethod
    def from_pieces(cls, pieces: Iterable[Piece], vocabulary: Vocabulary) -> Self:
        """Return the dataset of some pieces.

        Raises:
            ValueError: If there are none, or the vocabulary is too large for 16 bits.
        """
        if len(vocabulary) > np.iinfo(np.int16).max:
            raise ValueError(f"expected at most 32,767 tokens, got {len(vocabulary)}")
        pieces = list(pieces)
        return cls(
            vocabulary,
            np.array([[len(f) for f in p.header] for p in pieces], dtype=np.int64),
            np.array([len(piece.body) for piece in pieces], dtype=np.int64),
            np.fromiter((i for p in pieces for f in p.header for i in f), dtype=np.int16),
            np.fromiter(chain.from_iterable(piece.body for piece in pieces), dtype=np.int16),
            np.fromiter(chain.from_iterable(piece.cues for piece in pieces), dtype=np.int8),
        )

    def __len__(self) -> int:
        return len(self.body_lengths)

    @property
    def pieces(self) -> Iterator[Piece]:
        """The pieces, one by one."""
        fields = np.split(self.headers, np.cumsum(self.field_lengths)[:-1])
        ends = np.cumsum(self.body_lengths)[:-1]
        bodies, cues = np.split(self.bodies, ends), np.split(self.cues, ends)
        for number, (body, own_cues) in enumerate(zip(bodies, cues, strict=True)):
            header = fields[number * len(FIELDS) : (number + 1) * len(FIELDS)]
            yield Piece(tuple(f.tolist() for f in header), body.tolist(), own_cues.tolist())

    def repeating(self, first: int, times: int) -> "PoemDataset":
        """Return a dataset that has the pieces from one on so many times."""
        header, body = self.header_starts[first], self.body_starts[first]

        def repeated(array: NDArray[Any], start: int) -> NDArray[Any]:
            return np.concatenate([array[:start], *[array[start:]] * times])

        return PoemDataset(
            self.vocabulary,
            repeated(self.field_lengths, first),
            repeated(self.body_lengths, first),
            repeated(self.headers, header),
            repeated(self.bodies, body),
            repeated(self.cues, body),
        )

    def digest(self) -> str:
        """Return a hash of all that batches are made of, the same on every machine."""
        found = hashlib.sha256(self.field_lengths.tobytes() + self.body_lengths.tobytes())
        for start in range(0, len(self), DIGESTED_AT_ONCE):
            found.update(self._in_a_row(slice(start, start + DIGESTED_AT_ONCE)).tobytes())
        return found.hexdigest()

    def _in_a_row(self, pieces: slice) -> Ints:
        """Return header, body and cues of one piece after another."""
        headers, bodies = self.field_lengths[pieces].sum(1), self.body_lengths[pieces]
        lengths = headers + 2 * bodies
        starts = np.cumsum(lengths) - lengths
        row = np.empty(int(lengths.sum()), dtype=np.int64)
        row[_ranges(starts, headers)] = self.headers[_ranges(self.header_starts[pieces], headers)]
        found = _ranges(self.body_starts[pieces], bodies)
        row[_ranges(starts + headers, bodies)] = self.bodies[found]
        row[_ranges(starts + headers + bodies, bodies)] = self.cues[found]
        return row

    def log_frequencies(self) -> Tensor:
        """Return the logarithm of each token's share of the bodies, (V,).

        A token that never comes counts as half a time.
        """
        counts = np.bincount(self.bodies, minlength=len(self.vocabulary)).clip(min=0.5)
        return torch.from_numpy(np.log(counts / counts.sum())).float()

    def epoch(self, seed: int, epoch: int, batch_tokens: int) -> "Epoch":
        """Return the batches of one pass, of at most batch_tokens tokens with padding each.

        Sequences of equal length go together, which leaves next to no padding, and the batches
        come in random order.
        """
        rng = np.random.default_rng((seed, epoch))
        has_header = rng.random((len(self), 1)) < KEEP_HEADER
        kept = has_header & (rng.random((len(self), len(FIELDS))) < KEEP_FIELD)
        cued = rng.random(len(self)) < KEEP_CUES
        lengths = (self.field_lengths * kept).sum(1) + self.body_lengths + 2
        order = np.lexsort((rng.random(len(self)), lengths))
        batches = _cut(order, lengths, batch_tokens)
        rng.shuffle(batches)
        return Epoch(self, kept, cued, batches)

    @cached_property
    def header_starts(self) -> Ints:
        """Where each piece's header begins in headers, (N,)."""
        lengths: Ints = self.field_lengths.sum(1)
        return np.cumsum(lengths) - lengths

    @cached_property
    def body_starts(self) -> Ints:
        """Where each piece's body begins in bodies, (N,)."""
        return np.cumsum(self.body_lengths) - self.body_lengths


class Epoch:
    """The batches of one pass over a dataset.

    Args:
        dataset: What is read.
        kept: Which fields of which headers stay, (N, F).
        cued: Which pieces come with their cues, (N,).
        batches: The numbers of each batch's pieces, (B,) each.
    """

    def __init__(
        self,
        dataset: PoemDataset,
        kept: NDArray[np.bool_],
        cued: NDArray[np.bool_],
        batches: list[Ints],
    ) -> None:
        self._dataset, self._kept, self._cued, self._batches = dataset, kept, cued, batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        pieces, data = self._batches[index], self._dataset
        kept, field_lengths = self._kept[pieces], data.field_lengths[pieces]  # (B, F)
        header_lengths = (field_lengths * kept).sum(1) + 2  # <bos> and <body> too
        body_lengths = data.body_lengths[pieces]  # (B,)
        shape = len(pieces), int((header_lengths + body_lengths).max()) - 1  # (B, T)
        tokens = np.zeros(shape, dtype=np.int64)  # <pad> is 0
        targets, cues = np.full_like(tokens, IGNORED), np.zeros_like(tokens)

        rows = np.arange(len(pieces))
        tokens[rows, 0] = data.vocabulary.bos_id
        stays = np.repeat(kept.ravel(), field_lengths.ravel())
        found = _ranges(data.header_starts[pieces], field_lengths.sum(1))[stays]
        tokens[_cells(header_lengths - 2, start=1)] = data.headers[found]
        tokens[rows, header_lengths - 1] = data.vocabulary.body_id

        found = _ranges(data.body_starts[pieces], body_lengths)
        cells = _cells(body_lengths, start=header_lengths - 1)
        targets[cells] = data.bodies[found]
        cues[cells] = data.cues[found] * np.repeat(self._cued[pieces], body_lengths)
        found = _ranges(data.body_starts[pieces], body_lengths - 1)
        tokens[_cells(body_lengths - 1, start=header_lengths)] = data.bodies[found]
        return Batch.of_rows(tokens, targets, cues)


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return the numbers from each start on, as many as its length, one range after another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)


def _cells(lengths: Ints, start: int | Ints) -> tuple[Ints, Ints]:
    """Return rows and columns of as many cells in each row as its length, from start on."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return rows, _ranges(np.broadcast_to(start, lengths.shape), lengths)


def _cut(order: NDArray[np.int_], lengths: NDArray[np.int_], batch_tokens: int) -> list[Ints]:
    """Cut poems, sorted by length, into batches of at most batch_tokens."""
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        full = end < len(order) and (end - start + 1) * lengths[order[end]] > batch_tokens
        if full or end == len(order):
            batches.append(order[start:end])
            start = end
    return batches
