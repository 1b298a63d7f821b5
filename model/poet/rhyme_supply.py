"""The rhyme groups that a poem can still rhyme in, and how many characters each has left."""

from collections.abc import Collection
from copy import copy
from typing import Self

from model.poet.lexicon import Lexicon, Mask


class RhymeSupply:
    """Counts the unused characters of each group, so that no line is left without a rhyme.

    Args:
        lexicon: The masks of the vocabulary.
        groups: The groups to begin with; none if nothing has to rhyme.
        needed: The lines that have still to rhyme, those with a given end left out.
        given: Tokens that are given anywhere in the poem.
    """

    def __init__(
        self, lexicon: Lexicon, groups: Collection[str], needed: int, given: Collection[int]
    ) -> None:
        self._lexicon, self._needed = lexicon, needed
        self._counts = lexicon.count_rhymes(groups, given)

    def copy(self) -> Self:
        """Return a supply that is used on its own from here."""
        twin = copy(self)
        twin._counts = self._counts.copy()
        return twin

    def mask(self) -> Mask:
        """Return the mask (V,) of the characters that rhyme, used ones included."""
        return self._lexicon.in_groups(self._counts)

    def choose(self, token: int) -> None:
        """Enter a rhyme that was drawn: the poem now rhymes in one of its groups."""
        self._needed -= 1
        own = self._lexicon.groups_of(token)
        self._counts = {group: count for group, count in self._counts.items() if group in own}

    def take(self, token: int) -> None:
        """Count a character out that came; a group with too few left goes."""
        for group in self._lexicon.lookalike_groups_of(token) & self._counts.keys():
            self._counts[group] -= 1
            if self._counts[group] < self._needed:
                del self._counts[group]

    def give_back(self, token: int) -> None:
        """Count a character in that may come again."""
        for group in self._lexicon.lookalike_groups_of(token) & self._counts.keys():
            self._counts[group] += 1

    def spare(self, mask: Mask) -> None:
        """Take out of a mask (V,) the characters without which no group would be left."""
        if self._needed and all(count <= self._needed for count in self._counts.values()):
            needed = self._lexicon.han.copy()
            for group in self._counts:
                needed &= self._lexicon.lookalikes_by_group[group]
            mask &= ~needed
