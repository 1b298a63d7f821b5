"""What each token of a vocabulary can be in verse, as masks over the vocabulary.

Characters are offered for the readings that poets usually give them; a character that is given may
rhyme in any of its readings. Those that common fonts lack may be left out of what is offered, and
stay where they are given. Characters that simplified script prints alike (遊 and 游) count as one
wherever none may come again. V is the size of the vocabulary.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model.verse.rhymes import LEVEL_GROUPS, Rhymes, Tone
from model.verse.script import Script, is_common, to_script
from model.verse.sound import sound_in_print
from model.vocabulary import Vocabulary

Mask = NDArray[np.bool_]  # (V,), True for the tokens that it allows

UNIONS_KEPT = 1024  # masks of several rhyme groups, 8 KiB each
COMMON_CHARACTERS = 3000  # of the vocabulary, the most frequent: a rhyme needs some of these


class Lexicon:
    """The masks of one vocabulary; they are shared by all guides and must not be changed.

    Args:
        vocabulary: The tokens.
        rhymes: The readings of their characters; None for the packaged table.
        rare: Whether to offer characters that common fonts lack.
    """

    def __init__(
        self, vocabulary: Vocabulary, rhymes: Rhymes | None = None, *, rare: bool = True
    ) -> None:
        self.vocabulary = vocabulary
        self.rhymes = Rhymes.load() if rhymes is None else rhymes
        start, characters = vocabulary.han_ids.start, vocabulary.characters
        ids = [n for n, c in enumerate(characters, start) if rare or is_common(c)]
        self.han = self._mask(ids)
        self._tones = [frozenset[Tone]()] * start
        sounds = [sound_in_print(c, self.rhymes) for c in vocabulary.characters]
        self._tones += [frozenset(sound.tones) for sound in sounds]
        self._all_tones = [frozenset[Tone]()] * start
        self._all_tones += [self.rhymes.tones(c) for c in vocabulary.characters]
        self.by_tones: dict[frozenset[str], Mask] = {
            wanted: self._mask([i for i in ids if wanted & self._tones[i]])
            for wanted in (frozenset(["平"]), frozenset(["仄"]), frozenset(["平", "仄"]))
        }
        self._groups = [frozenset[str]()] * start
        self._groups += [sound.usual_groups for sound in sounds]
        self.by_group = {
            group: self._mask([i for i in ids if group in self._groups[i]])
            for group in sorted(frozenset[str]().union(*self._groups))
        }
        self.level_groups = frozenset(self.by_group.keys() & set(LEVEL_GROUPS))
        self.common_in_group = {
            group: int(mask[: start + COMMON_CHARACTERS].sum())
            for group, mask in self.by_group.items()
        }
        self._lookalikes = _lookalikes(vocabulary)
        self.lookalikes_by_group = {  # of characters that are printed like one of the group
            group: self._mask(self.with_lookalikes(np.flatnonzero(mask).tolist()))
            for group, mask in self.by_group.items()
        }
        self._lookalike_groups = [
            frozenset[str]().union(*(self._groups[token] for token in lookalikes))
            for lookalikes in self._lookalikes
        ]
        self.size = self.count_distinct(ids)
        self.tone_sizes = {
            tone: self.count_distinct([i for i in ids if tone in self._tones[i]]) for tone in "平仄"
        }
        self._sizes = {
            group: self.count_distinct(np.flatnonzero(mask).tolist())
            for group, mask in self.by_group.items()
        }
        self._only: dict[int, Mask] = {}
        self._in_groups = lru_cache(UNIONS_KEPT)(self._union)
        # Of each token's character; 0 for tokens that are none.
        self.code_points = np.array(
            [ord(t) if len(t) == 1 else 0 for t in vocabulary.tokens], dtype=np.uint32
        )

    def _mask(self, ids: Collection[int]) -> Mask:
        mask = np.zeros(len(self.vocabulary), dtype=np.bool_)
        mask[list(ids)] = True
        return mask

    def only(self, token: int) -> Mask:
        """Return the mask that allows one token."""
        if token not in self._only:
            self._only[token] = self._mask([token])
        return self._only[token]

    def in_groups(self, groups: Collection[str]) -> Mask:
        """Return the mask of the characters that rhyme in any of groups."""
        return self._in_groups(frozenset(groups))

    def _union(self, groups: frozenset[str]) -> Mask:
        union: Mask = np.any([self.by_group[group] for group in groups], axis=0)
        return union

    def count_rhymes(self, groups: Iterable[str], taken: Iterable[int]) -> dict[str, int]:
        """Return how many characters rhyme in each group, those printed like one taken left out."""
        sizes = {group: self._sizes.get(group, 0) for group in groups}
        for alike in {self._lookalikes[token] for token in taken}:
            for group in self._lookalike_groups[alike[0]] & sizes.keys():
                sizes[group] -= 1
        return sizes

    def lookalikes_of(self, token: int) -> tuple[int, ...]:
        """Return the characters that simplified script prints like a token, it included."""
        return self._lookalikes[token]

    def with_lookalikes(self, tokens: Iterable[int]) -> list[int]:
        """Return the characters that simplified script prints like one of tokens, them included."""
        return [each for alike in {self._lookalikes[token] for token in tokens} for each in alike]

    def lookalike_groups_of(self, token: int) -> frozenset[str]:
        """Return the rhyme groups of all characters that are printed like one."""
        return self._lookalike_groups[token]

    def count_distinct(self, tokens: Iterable[int]) -> int:
        """Return how many different characters simplified script prints for tokens."""
        return len({self._lookalikes[token] for token in tokens})

    def groups_of(self, token: int) -> frozenset[str]:
        """Return the rhyme groups of a character's usual readings."""
        return self._groups[token]

    def tones_of(self, token: int, *, usual: bool) -> frozenset[Tone]:
        """Return the tones of a character, of its usual readings or of all."""
        return (self._tones if usual else self._all_tones)[token]

    def character(self, token: int) -> str:
        """Return the character of a token."""
        character: str = self.vocabulary.tokens[token]
        return character


def _lookalikes(vocabulary: Vocabulary) -> list[tuple[int, ...]]:
    """Return for each token those that simplified script prints as it, in their order."""
    printed: dict[str, list[int]] = defaultdict(list)
    # Apart, so that no phrase is converted as one.
    simplified = to_script("，".join(vocabulary.characters), Script.SIMPLIFIED).split("，")
    for token, character in zip(vocabulary.han_ids, simplified, strict=True):
        printed[character].append(token)
    alike: list[tuple[int, ...]] = [(token,) for token in range(len(vocabulary))]
    for tokens in printed.values():
        for token in tokens:
            alike[token] = tuple(tokens)
    return alike
