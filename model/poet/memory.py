"""The characters of one poem that may not come again."""

from collections import deque
from collections.abc import Collection
from copy import copy
from typing import Self

from model.poet.lexicon import Lexicon

SPAN = 56  # characters, those of the longest regulated poem, in which none comes again


class Memory:
    """Remembers the characters that are given, and the last 56 that were written.

    Characters that simplified script prints alike count as one.

    Args:
        lexicon: The masks of the vocabulary.
        given: Tokens that are given anywhere in the poem: none comes before its time.
    """

    def __init__(self, lexicon: Lexicon, given: Collection[int]) -> None:
        self._lexicon, self._given = lexicon, frozenset(given)
        self._recent: deque[int] = deque()
        self.unused = lexicon.han.copy()  # (V,)
        self.unused[lexicon.with_lookalikes(given)] = False

    def copy(self) -> Self:
        """Return a memory that goes on from here on its own."""
        twin = copy(self)
        twin.unused, twin._recent = self.unused.copy(), self._recent.copy()
        return twin

    def use(self, token: int) -> bool:
        """Keep a token from coming again; return whether it could have come until now."""
        fresh = bool(self.unused[token])
        if fresh:
            self.unused[list(self._lexicon.lookalikes_of(token))] = False
        return fresh

    def write(self, token: int, *, for_good: bool) -> int | None:
        """Note the next character of the poem.

        Args:
            token: What was written.
            for_good: Whether it may not come again even after 56 others: it rhymes.

        Returns:
            The token that may come again from now on; None if there is none.
        """
        self._recent.append(self._lexicon.vocabulary.pad_id if for_good else token)
        if len(self._recent) <= SPAN:
            return None
        oldest = self._recent.popleft()
        lookalikes = self._lexicon.lookalikes_of(oldest)
        kept = {*self._recent, *self._given}
        if not self._lexicon.han[oldest] or not kept.isdisjoint(lookalikes):
            return None
        self.unused[list(lookalikes)] = True
        return oldest
