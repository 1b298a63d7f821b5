"""Bits per character: the one yardstick of the language model.

Minus log2 of the probability of every token of a poem's body, punctuation and end included, after
an empty header, divided by the number of Han characters. A character outside the vocabulary costs
its <unk> probability and UNKNOWN_BITS more.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from model.poetry_model import PoetryModel
from model.verse.script import is_han
from model.vocabulary import Vocabulary
from training.batch import IGNORED, Batch, Example, collate
from training.corpus_poem import CorpusPoem

UNKNOWN_BITS = 14.36  # one of 21,000 characters
BATCH_TOKENS = 8192
END = "end"  # what by_position() calls <eos>

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bits:
    """What some poems cost."""

    bits_per_character: float
    poems: int
    characters: int


class Cost(NamedTuple):
    """What one poem costs: the bits of each token of its text, and of <eos>."""

    poem: CorpusPoem
    tokens: Floats

    @property
    def characters(self) -> int:
        """How many Han characters the poem has."""
        return sum(map(is_han, self.poem.text))


def bits(
    model: PoetryModel,
    vocabulary: Vocabulary,
    poems: Sequence[CorpusPoem],
    dtype: torch.dtype | None = None,
) -> Bits:
    """Measure a model on poems, each read whole from the zero state after an empty header.

    Raises:
        ValueError: If the poems hold no Han character.
    """
    return total(costs(model, vocabulary, poems, dtype))


def costs(
    model: PoetryModel,
    vocabulary: Vocabulary,
    poems: Sequence[CorpusPoem],
    dtype: torch.dtype | None = None,
    headers: Sequence[Sequence[int]] = (),
) -> list[Cost]:
    """Return what each poem costs, the shortest first.

    Args:
        model: Which reads them.
        vocabulary: Its tokens.
        poems: What is read.
        dtype: What to compute in; None for the weights' own.
        headers: What each is read after, from <bos> to <body>; none for empty headers.
    """
    bodies = [vocabulary.encode(poem.text) for poem in poems]
    above = headers or [vocabulary.header()] * len(poems)
    order = sorted(range(len(poems)), key=lambda number: len(bodies[number]))
    rows = (
        row
        for batch in _batches([(above[number], bodies[number]) for number in order], vocabulary)
        for row in _token_bits(model, batch, dtype)
    )
    found = []
    for number, row in zip(order, rows, strict=True):
        unknown = np.array([*bodies[number], vocabulary.eos_id]) == vocabulary.unk_id
        found.append(Cost(poems[number], row + unknown * UNKNOWN_BITS))
    return found


def total(those: Sequence[Cost]) -> Bits:
    """Return what poems cost together.

    Raises:
        ValueError: If they hold no Han character, or the model gives no finite number.
    """
    characters = sum(cost.characters for cost in those)
    if characters == 0:
        raise ValueError("expected poems with at least one Han character")
    spent = sum(float(cost.tokens.sum()) for cost in those)
    if not isfinite(spent):
        raise ValueError(f"the model gives {spent} bits: its weights are damaged")
    return Bits(spent / characters, len(those), characters)


def totals(those: Sequence[Cost], key: Callable[[CorpusPoem], str]) -> dict[str, Bits]:
    """Return what the poems of each kind cost."""
    groups: dict[str, list[Cost]] = defaultdict(list)
    for cost in those:
        groups[key(cost.poem)].append(cost)
    return {name: total(groups[name]) for name in sorted(groups)}


def by_position(those: Sequence[Cost], line_length: int) -> dict[str, float]:
    """Return the mean bits of a token at each position of lines of line_length characters.

    Positions are "1", "2" and so on, then the mark after a line, and END; poems with a line of
    another length are left out.
    """
    spent: dict[str, list[float]] = defaultdict(list)
    for cost in those:
        if {len(line) for line in cost.poem.lines} != {line_length}:
            continue
        position = 0
        for symbol, each in zip([*cost.poem.text, END], cost.tokens, strict=True):
            position = position + 1 if is_han(symbol) else 0
            name = str(position) if position else "mark" if symbol != END else END
            spent[name].append(float(each))
    return {name: float(np.mean(spent[name])) for name in sorted(spent, key=_reading_order)}


def _reading_order(name: str) -> tuple[int, str]:
    return ({"mark": 1, END: 2}.get(name, 0), name)


def _batches(
    poems: Sequence[tuple[Sequence[int], list[int]]], vocabulary: Vocabulary
) -> Iterator[Batch]:
    """Yield the poems, each a header and a body, in batches and in their order."""
    group: list[Example] = []
    for header, ids in poems:
        if group and (len(group) + 1) * (len(header) + len(ids)) > BATCH_TOKENS:
            yield collate(group)
            group = []
        body = np.array([*ids, vocabulary.eos_id])
        group.append(Example(np.array(header), body, np.zeros_like(body)))
    if group:
        yield collate(group)


@torch.inference_mode()
def _token_bits(model: PoetryModel, batch: Batch, dtype: torch.dtype | None) -> list[Floats]:
    """Return the bits of the counted tokens of each sequence of a batch."""
    device = model.embedding.weight.device
    features, _ = model.features(batch.tokens.to(device), dtype=dtype)
    counted = (batch.targets != IGNORED).T  # (B, T)
    weight = model.embedding.weight.to(features.dtype)
    rows = features.transpose(0, 1)[counted.to(device)]  # (N, E), sequence by sequence
    logits = F.linear(rows, weight).float() + model.output_bias.float()
    targets = batch.targets.T[counted].to(device)
    nats = F.cross_entropy(logits, targets, reduction="none").cpu().double() / log(2)
    lengths: list[int] = counted.sum(1).tolist()
    return [part.numpy() for part in torch.split(nats, lengths)]
