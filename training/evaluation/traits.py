"""What a poem is like to the model that reads it: the traits that tell people's poems from ours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.poetry_model import PoetryModel
from model.verse.parallels import Parallels
from model.verse.script import is_han
from model.vocabulary import Vocabulary
from training.bits import costs
from training.corpus_poem import CorpusPoem
from training.evaluation.poems import Lines, punctuate, repetition
from training.evaluation.titles import characters_of

Traits = NDArray[np.float64]  # (poems, len(NAMES))

NAMES = ("bits", "gain", "rhyme", "parallelism", "repetition")


@dataclass(frozen=True)
class Titled:
    """A poem and the title that it was written to, in the model's script."""

    title: str
    lines: Lines


def find_traits(model: PoetryModel, vocabulary: Vocabulary, poems: Sequence[Titled]) -> Traits:
    """Return the traits of poems.

    They are, per character or character in question, in bits: what it costs after an empty header;
    how much less after its title; what the last characters of its even lines cost, again after an
    empty header. Then the mean likeness of its middle couplets, 0 where it has none; and the share
    of characters that have stood in it before.
    """
    spent = token_bits(model, vocabulary, [poem.lines for poem in poems])
    headers = [vocabulary.header(title=characters_of(poem.title)) for poem in poems]
    after = token_bits(model, vocabulary, [poem.lines for poem in poems], headers)
    table, rows = Parallels.load(), []
    for poem, own, with_title in zip(poems, spent, after, strict=True):
        size = sum(map(len, poem.lines))
        likeness = [each.likeness for each in table.judge(poem.lines)]
        rows.append(
            (
                own.sum() / size,
                (own.sum() - with_title.sum()) / size,
                rhyme_bits(poem.lines, own).mean(),
                float(np.mean(likeness)) if likeness else 0.0,
                repetition([poem.lines]),
            )
        )
    return np.array(rows)


def token_bits(
    model: PoetryModel,
    vocabulary: Vocabulary,
    poems: Sequence[Lines],
    headers: Sequence[Sequence[int]] = (),
) -> list[NDArray[np.float64]]:
    """Return the bits of each token of poems, <eos> included, in their order."""
    read = [CorpusPoem("", str(n), (punctuate(lines),)) for n, lines in enumerate(poems)]
    found = {
        int(cost.poem.title): cost.tokens for cost in costs(model, vocabulary, read, None, headers)
    }
    return [found[number] for number in range(len(poems))]


def rhyme_bits(lines: Lines, tokens: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bits of the last characters of a poem's even lines, where they should rhyme."""
    symbols, ends = punctuate(lines), []
    for at, symbol in enumerate(symbols):
        if symbol == "。" and is_han(symbols[at - 1]):
            ends.append(at - 1)
    return tokens[ends]
