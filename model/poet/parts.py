"""Which characters of a vocabulary rhyme in which part of 词林正韵, as masks; V is its size.

As in Lexicon a character is offered for its usual readings in print, and one that is given may
rhyme in any of its readings.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from model.poet.lexicon import COMMON_CHARACTERS, Lexicon, Mask
from model.verse.cilin import Cilin, Part


class Parts:
    """The masks of one lexicon; they are shared by all guides and must not be changed.

    Args:
        lexicon: The characters.
        cilin: The parts of their readings; None for the packaged table.
    """

    def __init__(self, lexicon: Lexicon, cilin: Cilin | None = None) -> None:
        self.lexicon, self._cilin = lexicon, cilin or Cilin.load()
        self._usual_parts = [self._usual(token) for token in range(len(lexicon.vocabulary))]
        members = defaultdict[Part, list[int]](list)
        for token in np.flatnonzero(lexicon.han).tolist():
            for part in self._usual_parts[token]:
                members[part].append(token)
        self.by_part = {part: self._mask_of(tokens) for part, tokens in sorted(members.items())}
        most = lexicon.vocabulary.han_ids.start + COMMON_CHARACTERS
        self.common = {part: sum(t < most for t in tokens) for part, tokens in members.items()}
        self.with_lookalikes = {  # of characters that are printed like one of the part
            part: self._mask_of(lexicon.with_lookalikes(tokens)) for part, tokens in members.items()
        }
        self._sizes = {part: lexicon.count_distinct(tokens) for part, tokens in members.items()}
        self._lookalike_parts = [
            frozenset[Part]().union(
                *(self._usual_parts[other] for other in lexicon.lookalikes_of(token))
            )
            for token in range(len(lexicon.vocabulary))
        ]

    def _usual(self, token: int) -> frozenset[Part]:
        """Return the parts of a character's usual readings, but for those that are in two."""
        groups = self.lexicon.groups_of(token)
        character = self.lexicon.character(token)
        by_group = (self._cilin.parts(character, [group]) for group in groups)
        return frozenset(part for found in by_group if len(found) == 1 for part in found)

    def _mask_of(self, tokens: Iterable[int]) -> Mask:
        mask = np.zeros(len(self.lexicon.vocabulary), dtype=np.bool_)
        mask[list(tokens)] = True
        return mask

    def of(self, token: int) -> frozenset[Part]:
        """Return the parts of a character's usual readings."""
        return self._usual_parts[token]

    def all_of(self, token: int) -> frozenset[Part]:
        """Return the parts of all readings of a character."""
        character = self.lexicon.character(token)
        return self._cilin.parts(character, self.lexicon.rhymes.groups(character))

    def of_lookalikes(self, token: int) -> frozenset[Part]:
        """Return the parts of all characters that are printed like one."""
        return self._lookalike_parts[token]

    def count(self, taken: Iterable[int]) -> Counter[Part]:
        """Return how many characters rhyme in each part, those printed like one taken left out."""
        sizes = Counter(self._sizes)
        for alike in {self.lexicon.lookalikes_of(token) for token in taken}:
            for part in self.of_lookalikes(alike[0]):
                sizes[part] -= 1
        return sizes
