"""A reference to beat: the interpolated Kneser-Ney n-gram model, in bits per character.

For a history h of n - 1 tokens, h' being h without its first, and a discount D of each order:

    P(w | h) = max(c(h w) - D, 0) / c(h) + D N(h) / c(h) P(w | h')

c counts occurrences at the highest order and distinct left neighbours below it; N(h) is the number
of distinct tokens after h; the lowest order falls back to one of V. D = n1 / (n1 + 2 n2) from the
numbers of n-grams counted once and twice.

Sources: Kneser & Ney (1995); Chen & Goodman (1999).
"""

import json
from collections.abc import Sequence
from itertools import islice
from math import log2
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from model.verse.script import is_han
from model.vocabulary import Vocabulary
from training.bits import UNKNOWN_BITS
from training.corpus_poem import CorpusPoem, read_poems
from training.material import build_vocabulary

BITS_A_TOKEN = 15  # of an n-gram's key; four tokens fit into 64 bits

Keys = NDArray[np.int64]


class KneserNey:
    """An interpolated Kneser-Ney model of token sequences.

    Args:
        sequences: Token ids, each sequence from its first token to its last.
        vocab_size: V, at most 2^15.
        order: n, 1 to 4.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], vocab_size: int, order: int = 4) -> None:
        self.order, self.vocab_size = order, vocab_size
        ngrams = _windows(sequences, order)
        self._levels: list[_Level] = []  # of order n, n - 1, … 1
        keys, counts = np.unique(ngrams, return_counts=True)
        for size in range(order, 0, -1):
            self._levels.append(_Level(keys, counts.astype(np.float64)))
            # A lower order counts the distinct left neighbours of each of its n-grams.
            keys, counts = np.unique(keys & _mask(size - 1), return_counts=True)

    def log2_probabilities(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return log2 P of every token of every sequence given those before it."""
        ngrams = _windows(sequences, self.order)
        probability = np.full(len(ngrams), 1 / self.vocab_size)
        for size, level in zip(range(1, self.order + 1), reversed(self._levels), strict=True):
            probability = level.interpolate(ngrams & _mask(size), probability)
        logs: NDArray[np.float64] = np.log2(probability)
        return logs


class _Level:
    """The counts of one order."""

    def __init__(self, keys: Keys, counts: NDArray[np.float64]) -> None:
        self._keys, self._counts = keys, counts
        once, twice = (counts == 1).sum(), (counts == 2).sum()
        self._discount = once / (once + 2 * twice)
        self._histories, first = np.unique(keys >> BITS_A_TOKEN, return_index=True)
        self._totals = np.add.reduceat(counts, first)
        self._followers = np.diff(first, append=len(keys)).astype(np.float64)

    def interpolate(self, ngrams: Keys, lower: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P of each n-gram's last token, given P of the order below."""
        counts = _look_up(self._keys, self._counts, ngrams)
        histories = ngrams >> BITS_A_TOKEN
        totals = _look_up(self._histories, self._totals, histories)
        followers = _look_up(self._histories, self._followers, histories)
        seen = totals > 0
        safe = np.where(seen, totals, 1)
        own = np.maximum(counts - self._discount, 0) / safe
        return np.where(seen, own + self._discount * followers / safe * lower, lower)


def _mask(size: int) -> int:
    return (1 << (BITS_A_TOKEN * size)) - 1


def _windows(sequences: Sequence[Sequence[int]], order: int) -> Keys:
    """Return the key of each token with the order - 1 before it; zeros stand before the first."""
    padding = [0] * (order - 1)
    flat = np.array([t for ids in sequences for t in (*padding, *ids)], dtype=np.int64)
    keys = np.zeros(len(flat) - order + 1, dtype=np.int64)
    for offset in range(order):
        keys = keys << BITS_A_TOKEN | flat[offset : len(flat) - order + 1 + offset]
    predicting: Keys = keys[keys & _mask(1) != 0]  # windows that end in padding predict nothing
    return predicting


def _look_up(keys: Keys, values: NDArray[np.float64], wanted: Keys) -> NDArray[np.float64]:
    """Return the value of each wanted key, 0 where there is none; keys are sorted."""
    indices = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[indices] == wanted, values[indices], 0.0)


def bits(model: KneserNey, vocabulary: Vocabulary, poems: Sequence[CorpusPoem]) -> float:
    """Return bits per character as training.evaluate measures them."""
    bodies = _bodies(poems, vocabulary)
    characters = sum(map(is_han, "".join(poem.text for poem in poems)))
    unknown = sum(body.count(vocabulary.unk_id) for body in bodies)
    total = -model.log2_probabilities(bodies).sum() + unknown * UNKNOWN_BITS
    return float(total / characters)


def _bodies(poems: Sequence[CorpusPoem], vocabulary: Vocabulary) -> list[list[int]]:
    return [[*vocabulary.encode(poem.text), vocabulary.eos_id] for poem in poems]


def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    split: Annotated[str, typer.Option(help="What to measure on.")] = "test",
    number: Annotated[
        int | None, typer.Option(min=1, help="How many of its poems, the first ones; else all.")
    ] = None,
    order: Annotated[int, typer.Option(min=1, max=4)] = 4,
    min_count: Annotated[int | None, typer.Option(help="As in training.train.")] = None,
) -> None:
    """Count the training poems and print bits per character of another split as JSON."""
    poems = list(read_poems(corpus / "train.jsonl"))
    vocabulary = build_vocabulary(poems, min_count)
    model = KneserNey(_bodies(poems, vocabulary), len(vocabulary), order)
    measured = list(islice(read_poems(corpus / f"{split}.jsonl"), number))
    result = {
        "order": order,
        "poems": len(measured),
        "bits_per_character": bits(model, vocabulary, measured),
    }
    typer.echo(json.dumps(result | {"uniform_bits": log2(len(vocabulary))}))


if __name__ == "__main__":
    typer.run(main)
