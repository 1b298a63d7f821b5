"""The batches of one pass over poems: what is drawn for each, and how they are put together.

Sequences of equal length go together, which leaves next to no padding, and the batches come in
random order. The loss counts the body and its <eos>; a title after them; and keywords, but for the
first <keyword>, which the draw put there, up to <body>, by which the model says that there are no
more.

Shapes
    N  pieces   F  fields of a header   B  pieces of a batch   T  time steps
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.vocabulary import KEYWORD_LENGTH
from training.batch import IGNORED, Batch, Ints
from training.draw import KEEP_FIELD, KEEP_HEADER, KEEP_KEYWORD, MAX_TITLE_AFTER, Draw
from training.piece import FIELDS
from training.poem_dataset import PoemDataset, ranges

TITLE, KEYWORDS = FIELDS.index("title"), FIELDS.index("keywords")

Bools = NDArray[np.bool_]


class Epoch:
    """The batches of one pass over a dataset.

    Args:
        dataset: What is read.
        stays: Which tokens of all headers stay.
        cued: Which pieces come with their cues, (N,).
        titled_after: Which pieces have their title after the body, (N,).
        chosen: Which pieces come at all, (N,).
        rng: Draws the order.
        batch_tokens: How many tokens, with padding, a batch has at most.
    """

    def __init__(
        self,
        dataset: PoemDataset,
        stays: Bools,
        cued: Bools,
        titled_after: Bools,
        chosen: Bools,
        rng: np.random.Generator,
        batch_tokens: int,
    ) -> None:
        self._dataset, self._stays, self._cued = dataset, stays, cued
        counts = np.concatenate([[0], np.cumsum(stays)])
        starts = dataset.header_starts
        self._header_lengths = counts[starts + dataset.field_lengths.sum(1)] - counts[starts]
        title_lengths = dataset.field_lengths[:, TITLE]
        self._after_lengths = np.where(titled_after, title_lengths + 1, 0)  # <eos> too
        lengths = self._header_lengths + dataset.body_lengths + 2 + self._after_lengths
        order = np.lexsort((rng.random(len(dataset)), lengths))
        self._batches = _cut(order[chosen[order]], lengths, batch_tokens)
        rng.shuffle(self._batches)

    @classmethod
    def drawn(
        cls, dataset: PoemDataset, seed: int, epoch: int, batch_tokens: int, draw: Draw
    ) -> Self:
        """Return an epoch: the same seed and number give the same batches."""
        rng, number = np.random.default_rng((seed, epoch)), len(dataset)
        has_header = rng.random((number, 1)) < KEEP_HEADER
        kept = has_header & (rng.random((number, len(FIELDS))) < KEEP_FIELD)  # (N, F)
        kept[:, KEYWORDS] &= draw.keywords
        cued = rng.random(number) < draw.cues
        after = rng.random(number) < draw.title_after / MAX_TITLE_AFTER
        chosen = rng.random(number) < draw.shi
        chosen[dataset.first_ci :] = True
        return cls(
            dataset,
            _tokens_that_stay(dataset, kept, rng),
            cued,
            after & ~kept[:, TITLE] & _may_be_titled(dataset),
            chosen,
            rng,
            batch_tokens,
        )

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        pieces, data = self._batches[index], self._dataset
        headers, bodies = self._header_lengths[pieces], data.body_lengths[pieces]  # (B,)
        afters = self._after_lengths[pieces]
        lengths = headers + bodies + 2 + afters  # <bos> and <body> too
        rows, shape = np.arange(len(pieces)), (len(pieces), int(lengths.max()))
        sequence = np.zeros(shape, dtype=np.int64)  # <pad> is 0
        counted, cues = np.zeros(shape, dtype=bool), np.zeros_like(sequence)

        sequence[:, 0] = data.vocabulary.bos_id
        found = ranges(data.header_starts[pieces], data.field_lengths[pieces].sum(1))
        found = found[self._stays[found]]
        cells = _cells(headers, start=1)
        sequence[cells] = data.headers[found]
        counted[cells] = planned = data.is_keyword[found]
        sequence[rows, headers + 1] = data.vocabulary.body_id
        opening = _first_of_each(cells[0], planned)
        counted[cells[0][opening], headers[cells[0][opening]] + 1] = True
        counted[cells[0][opening], cells[1][opening]] = False

        cells = _cells(bodies, start=headers + 2)
        found = ranges(data.body_starts[pieces], bodies)
        sequence[cells], counted[cells] = data.bodies[found], True
        cues[cells] = data.cues[found] * np.repeat(self._cued[pieces], bodies)

        titles = np.maximum(afters - 1, 0)
        start = headers + bodies + 2
        found = ranges(data.title_starts[pieces], titles)
        sequence[_cells(titles, start)] = data.headers[found]
        counted[_cells(titles, start + 1)] = True
        sequence[rows[afters > 0], (start + titles)[afters > 0]] = data.vocabulary.eos_id
        targets = np.where(counted, sequence, IGNORED)
        return Batch.of_rows(sequence[:, :-1], targets[:, 1:], cues[:, 1:])


def _tokens_that_stay(dataset: PoemDataset, kept: Bools, rng: np.random.Generator) -> Bools:
    """Return which tokens of all headers stay: those of fields that do, keywords one by one."""
    stays: Bools = np.repeat(kept.ravel(), dataset.field_lengths.ravel())
    keywords = int(dataset.is_keyword.sum()) // (KEYWORD_LENGTH + 1)
    stays[dataset.is_keyword] &= np.repeat(rng.random(keywords) < KEEP_KEYWORD, KEYWORD_LENGTH + 1)
    return stays


def _may_be_titled(dataset: PoemDataset) -> Bools:
    """Return which pieces have a title and end a poem, (N,)."""
    last = dataset.bodies[dataset.body_starts + dataset.body_lengths - 1]
    ends: Bools = (last == dataset.vocabulary.eos_id) & (dataset.field_lengths[:, TITLE] > 0)
    return ends


def _first_of_each(rows: Ints, wanted: Bools) -> Ints:
    """Return the numbers of the first wanted cell of each row that has any."""
    numbers = np.flatnonzero(wanted)
    _, first = np.unique(rows[numbers], return_index=True)
    found: Ints = numbers[first]
    return found


def _cells(lengths: Ints, start: int | Ints) -> tuple[Ints, Ints]:
    """Return rows and columns of as many cells in each row as its length, from start on."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return rows, ranges(np.broadcast_to(start, lengths.shape), lengths)


def _cut(order: NDArray[np.int_], lengths: NDArray[np.int_], batch_tokens: int) -> list[Ints]:
    """Cut poems, sorted by length, into batches of at most batch_tokens."""
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        full = end < len(order) and (end - start + 1) * lengths[order[end]] > batch_tokens
        if full or end == len(order):
            batches.append(order[start:end])
            start = end
    return batches
