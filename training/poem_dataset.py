"""Poems as token ids: headers, bodies, and the cues (model.verse.cue) that they keep to.

Shapes
    N  pieces   F  fields of a header
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.vocabulary import Vocabulary
from training.batch import Ints
from training.corpus_poem import CorpusPoem
from training.keywords import with_keywords
from training.piece import FIELDS, Piece, pieces_of

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
        first_ci: The number of the first piece that is of a ci; None if there is none.

    Raises:
        ValueError: If there are no poems.
    """

    vocabulary: Vocabulary
    field_lengths: Ints
    body_lengths: Ints
    headers: NDArray[np.int16]
    bodies: NDArray[np.int16]
    cues: NDArray[np.int8]
    first_ci: int | None = None

    def __post_init__(self) -> None:
        if not len(self.body_lengths):
            raise ValueError("expected at least one poem")

    @classmethod
    def from_poems(cls, poems: Iterable[CorpusPoem], vocabulary: Vocabulary) -> Self:
        """Encode poems, all ci after the shi; find their keywords if the vocabulary has any.

        Raises:
            ValueError: If there are none.
        """
        pieces, first_ci = list[Piece](), None
        for poem in poems:
            if poem.tune and first_ci is None:
                first_ci = len(pieces)
            pieces += pieces_of(poem, vocabulary)
        if vocabulary.keywords:
            pieces = with_keywords(pieces, vocabulary)
        return replace(cls.from_pieces(pieces, vocabulary), first_ci=first_ci)

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

    def repeating_ci(self, times: int) -> "PoemDataset":
        """Return a dataset that has each ci so many times."""
        if self.first_ci is None or times == 1:
            return self
        first = self.first_ci
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
            first,
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
        row[ranges(starts, headers)] = self.headers[ranges(self.header_starts[pieces], headers)]
        found = ranges(self.body_starts[pieces], bodies)
        row[ranges(starts + headers, bodies)] = self.bodies[found]
        row[ranges(starts + headers + bodies, bodies)] = self.cues[found]
        return row

    def log_frequencies(self) -> Tensor:
        """Return the logarithm of each token's share of the bodies, (V,).

        A token that never comes counts as half a time.
        """
        counts = np.bincount(self.bodies, minlength=len(self.vocabulary)).clip(min=0.5)
        return torch.from_numpy(np.log(counts / counts.sum())).float()

    @cached_property
    def header_starts(self) -> Ints:
        """Where each piece's header begins in headers, (N,)."""
        lengths: Ints = self.field_lengths.sum(1)
        return np.cumsum(lengths) - lengths

    @cached_property
    def title_starts(self) -> Ints:
        """Where each piece's title begins in headers, (N,)."""
        before: Ints = self.field_lengths[:, : FIELDS.index("title")].sum(1)
        return self.header_starts + before

    @cached_property
    def is_keyword(self) -> NDArray[np.bool_]:
        """Which of headers belong to keywords."""
        fields = np.tile([field == "keywords" for field in FIELDS], len(self))
        return np.repeat(fields, self.field_lengths.ravel())

    @cached_property
    def body_starts(self) -> Ints:
        """Where each piece's body begins in bodies, (N,)."""
        return np.cumsum(self.body_lengths) - self.body_lengths


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return the numbers from each start on, as many as its length, one range after another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)
