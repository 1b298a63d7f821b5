"""Token tensors of poems, in seeded batches: the same seed and epoch give the same batches.

Shapes
    T  time steps   B  batch

Each sequence is a whole poem after its header (model.vocabulary), every field of which is left
out at random, as are the cues (model.verse.cue) that the poem keeps to; a poem longer than MAX_BODY
tokens is cut into pieces of whole couplets. The loss counts the body and <eos>, not the header.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.pattern import LineType, Template
from model.vocabulary import Vocabulary
from training.corpus_poem import RHYMED, CorpusPoem

IGNORED = -100  # a target that does not count
MAX_BODY = 256  # tokens
KEEP_HEADER = 0.75  # how often a poem has a header at all
KEEP_FIELD = 0.6  # how often, then, each field stays
KEEP_CUES = 0.5  # how often the model is given the cues
FIELDS = ("form", "regulated", "era", "author", "title")  # in the header's order

Ints = NDArray[np.int64]


class Batch(NamedTuple):
    """Sequences side by side, padded at the end."""

    tokens: Tensor  # (T, B)
    targets: Tensor  # (T, B), IGNORED where nothing is to be predicted
    cues: Tensor  # (T, B), of the targets
    num_targets: int  # of the whole batch, also where this is a shard of it

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


@dataclass(frozen=True)
class Piece:
    """A poem, or a part of a long one, as token ids."""

    header: tuple[Ints, ...]  # the ids of each of FIELDS, empty where the poem has none
    body: Ints
    cues: Ints  # one for each of body


class PoemDataset:
    """The poems of one split."""

    def __init__(self, pieces: Sequence[Piece], vocabulary: Vocabulary) -> None:
        if not pieces:
            raise ValueError("expected at least one poem")
        self.pieces = pieces
        self.vocabulary = vocabulary
        self._field_lengths = np.array([[len(f) for f in p.header] for p in pieces])  # (N, fields)
        self._body_lengths = np.array([len(piece.body) for piece in pieces])

    @classmethod
    def from_poems(cls, poems: Iterable[CorpusPoem], vocabulary: Vocabulary) -> Self:
        """Encode poems.

        Raises:
            ValueError: If there are none.
        """
        return cls([p for poem in poems for p in _pieces(poem, vocabulary)], vocabulary)

    def __len__(self) -> int:
        return len(self.pieces)

    def digest(self) -> str:
        """Return a hash of all that batches are made of, the same on every machine."""
        found = hashlib.sha256(self._field_lengths.tobytes() + self._body_lengths.tobytes())
        for piece in self.pieces:
            for ids in (*piece.header, piece.body, piece.cues):
                found.update(ids.tobytes())
        return found.hexdigest()

    def log_frequencies(self) -> Tensor:
        """Return the logarithm of each token's share of the bodies, (V,).

        A token that never comes counts as half a time.
        """
        bodies = np.concatenate([piece.body for piece in self.pieces])
        counts = np.bincount(bodies, minlength=len(self.vocabulary)).clip(min=0.5)
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
        lengths = (self._field_lengths * kept).sum(1) + self._body_lengths + 2
        order = np.lexsort((rng.random(len(self)), lengths))
        batches = _cut(order, lengths, batch_tokens)
        rng.shuffle(batches)
        return Epoch(self, kept, cued, batches)


class Epoch:
    """The batches of one pass over a dataset."""

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
        return collate([self._example(number) for number in self._batches[index]])

    def _example(self, number: int) -> Example:
        piece, vocabulary = self._dataset.pieces[number], self._dataset.vocabulary
        fields = [f for f, keep in zip(piece.header, self._kept[number], strict=True) if keep]
        header = np.concatenate([[vocabulary.bos_id], *fields, [vocabulary.body_id]])
        cues = piece.cues if self._cued[number] else np.zeros_like(piece.cues)
        return Example(header, piece.body, cues)


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
    return Batch(
        tokens=torch.from_numpy(tokens.T.copy()),
        targets=torch.from_numpy(targets.T.copy()),
        cues=torch.from_numpy(cues.T.copy()),
        num_targets=int((targets != IGNORED).sum()),
    )


def _cut(order: NDArray[np.int_], lengths: NDArray[np.int_], batch_tokens: int) -> list[Ints]:
    """Cut poems, sorted by length, into batches of at most batch_tokens."""
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        full = end < len(order) and (end - start + 1) * lengths[order[end]] > batch_tokens
        if full or end == len(order):
            batches.append(order[start:end])
            start = end
    return batches


def _pieces(poem: CorpusPoem, vocabulary: Vocabulary) -> Iterator[Piece]:
    header = _header_fields(poem, vocabulary)
    ids = [*vocabulary.encode(poem.text), vocabulary.eos_id]
    cues = [*_cues(poem), Cue.FREE]
    start = 0
    for end in _ends(ids, vocabulary.full_stop_id):
        yield Piece(header, np.array(ids[start:end]), np.array(cues[start:end]))
        start = end


def _cues(poem: CorpusPoem) -> tuple[Cue, ...]:
    """Return the cues that a poem keeps to, one for each character and mark of its text."""
    lengths = [len(line) for line in poem.lines]
    cues = (Cue.FREE,) * len(poem.text)
    if poem.meter == RHYMED:
        cues = rhyme_cues(lengths)
    elif poem.meter:
        cues = template_cues(Template(tuple(map(LineType, poem.meter)), lengths[0]))
    if len(cues) != len(poem.text):  # a mark too many inside the poem
        return (Cue.FREE,) * len(poem.text)
    return cues


def _header_fields(poem: CorpusPoem, vocabulary: Vocabulary) -> tuple[Ints, ...]:
    """Return the ids that the header has for each of FIELDS: what stands between <bos>, <body>."""
    known = vocabulary.knows_author(poem.author)
    headers = (
        vocabulary.header(form=poem.form),
        vocabulary.header(regulated=poem.meter not in ("", RHYMED)),
        vocabulary.header(era=poem.era),
        vocabulary.header(author=poem.author if known else None),
        vocabulary.header(title=poem.title),
    )
    return tuple(np.array(header[1:-1], dtype=np.int64) for header in headers)


def _ends(ids: list[int], full_stop_id: int) -> list[int]:
    """Return where to cut ids into the fewest pieces of at most MAX_BODY, after full stops."""
    stops = [index for index, token in enumerate(ids[:-2], start=1) if token == full_stop_id]
    ends, start = list[int](), 0
    for stop, following in pairwise([*stops, len(ids)]):
        if following - start > MAX_BODY:
            ends.append(stop)
            start = stop
    return [*ends, len(ids)]
