"""The parts of 词林正韵 that the rhymes of one letter can still be in, and what each has left."""

from collections.abc import Collection, Mapping
from copy import copy
from typing import Self

import numpy as np

from model.poet.lexicon import Mask
from model.poet.parts import Parts
from model.verse.cilin import Part
from model.verse.rhymes import Tone


class PartSupply:
    """Counts the unused characters of each part, so that no line is left without a rhyme.

    Args:
        parts: The masks of the vocabulary.
        numbers: The parts to begin with.
        needed: The lines that have still to rhyme, by the tone that they ask for.
        others: The lines that other letters have to rhyme: those may be in the same part.
        taken: Tokens that are given anywhere in the poem.
    """

    def __init__(
        self,
        parts: Parts,
        numbers: Collection[int],
        needed: Mapping[Tone, int],
        others: Mapping[Tone, int],
        taken: Collection[int],
    ) -> None:
        self._parts, self._numbers, self._needed = parts, frozenset(numbers), dict(needed)
        self._others = others
        counts = parts.count(taken)
        self._counts = {
            Part(number, tone): counts[Part(number, tone)] for number in numbers for tone in needed
        }

    def copy(self) -> Self:
        """Return a supply that is used on its own from here."""
        twin = copy(self)
        twin._counts, twin._needed = self._counts.copy(), self._needed.copy()
        return twin

    @property
    def numbers(self) -> frozenset[int]:
        """The parts that are left."""
        return self._numbers

    def mask(self, tone: Tone) -> Mask:
        """Return the mask (V,) of the characters that rhyme in a tone, used ones included."""
        masks = self._parts.by_part
        found = [masks[Part(n, tone)] for n in sorted(self._numbers) if Part(n, tone) in masks]
        union: Mask = np.any(found, axis=0)
        return union

    def leave_out(self, numbers: Collection[int]) -> None:
        """Leave out some parts, unless nothing else is left."""
        self._numbers = self._numbers - {*numbers} or self._numbers

    def choose(self, token: int, tone: Tone) -> None:
        """Enter a rhyme that was drawn: the letter now rhymes in one of its parts."""
        self._needed[tone] -= 1
        own = {part.number for part in self._parts.of(token) if part.tone == tone}
        self._numbers &= own

    def take(self, token: int) -> None:
        """Count a character out that came; a part with too few left goes."""
        for part in self._parts.of_lookalikes(token) & self._counts.keys():
            self._counts[part] -= 1
        self._numbers = frozenset(n for n in self._numbers if self._lasts(n))

    def give_back(self, token: int) -> None:
        """Count a character in that may come again."""
        for part in self._parts.of_lookalikes(token) & self._counts.keys():
            self._counts[part] += 1

    def spare(self, mask: Mask) -> None:
        """Take out of a mask (V,) the characters without which no part would be left."""
        if not any(self._needed.values()) or any(map(self._has_spare, self._numbers)):
            return
        for tone, needed in self._needed.items():
            if needed:
                scarce = self._parts.lexicon.han.copy()
                for number in self._numbers:
                    scarce &= self._parts.with_lookalikes[Part(number, tone)]
                mask &= ~scarce

    def _lasts(self, number: int) -> bool:
        """Return whether a part has enough characters for the lines that have still to rhyme."""
        counts = self._counts
        return all(counts[Part(number, tone)] >= n for tone, n in self._needed.items())

    def _has_spare(self, number: int) -> bool:
        """Return whether a part has more than enough, in every tone that is asked for."""
        return all(
            self._counts[Part(number, tone)] > needed + self._others.get(tone, 0)
            for tone, needed in self._needed.items()
            if needed
        )
