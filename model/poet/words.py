"""The words that the corpus knows: characters, and pairs of characters that belong together.

words.bin beside this file has how often each stands in the training poems, and how much a word in a
title says of the poem below it: 雪 much, 次韻 nothing. training.tables.words derives it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import log2
from typing import Self

from model.verse.table import pack, unpack

KIND = "yin-words 1"
COUNT_STEPS = 8  # of the logarithm to base 2 of a count, in a byte
SENSE_STEPS = 64  # of what a word says, in nats, in a byte


@dataclass(frozen=True)
class Word:
    """What is known of a word.

    Args:
        count: How often it stands in the poems, to a twelfth.
        sense: How much it says of the poem below it, in nats: the divergence of the characters
            there from those of all poems.
    """

    count: int
    sense: float


class Words:
    """The words that the corpus knows, in the model's script.

    Args:
        words: Each with what is known of it.
    """

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words

    def __contains__(self, word: str) -> bool:
        return word in self._words

    def __getitem__(self, word: str) -> Word:
        return self._words[word]

    def __len__(self) -> int:
        return len(self._words)

    def to_bytes(self) -> bytes:
        """Return what from_bytes() reads; numbers are rounded."""
        ordered = sorted(self._words, key=lambda word: (len(word), word))
        head = {"characters": sum(len(word) == 1 for word in ordered), "words": "".join(ordered)}
        counts = bytes(_to_step(self._words[word].count) for word in ordered)
        sense = bytes(min(255, round(SENSE_STEPS * self._words[word].sense)) for word in ordered)
        return pack(KIND, head, counts + sense)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the words that to_bytes() wrote.

        Raises:
            TableError: If it is none, or damaged.
        """
        head, payload = unpack(KIND, data)
        text, single = head["words"], head["characters"]
        pairs = (text[at : at + 2] for at in range(single, len(text), 2))
        words = [*text[:single], *pairs]
        half = len(words)
        found = zip(words, payload[:half], payload[half:], strict=True)
        return cls({word: Word(_of_step(n), s / SENSE_STEPS) for word, n, s in found})

    @classmethod
    @cache
    def load(cls) -> "Words":
        """Return the packaged words."""
        return cls.from_bytes(resources.files("model.poet").joinpath("words.bin").read_bytes())


def _to_step(count: int) -> int:
    return min(255, round(COUNT_STEPS * log2(count)))


def _of_step(step: int) -> int:
    return round(2 ** (step / COUNT_STEPS))
