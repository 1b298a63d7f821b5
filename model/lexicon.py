"""What each token of a vocabulary can be in verse, as masks over the vocabulary.

Characters are offered for the readings that poets usually give them; a character that is given may
be read in any way. V is the size of the vocabulary.
"""

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from model.rhymes import Rhymes, Tone
from model.vocabulary import Vocabulary

COMMON_CHARACTERS = 3000  # of the vocabulary, the most frequent: a rhyme needs some of these


class Lexicon:
    """The masks of one vocabulary; they are shared by all guides and must not be changed.

    Args:
        vocabulary: The tokens.
        rhymes: The readings of their characters; None for the packaged table.
    """

    def __init__(self, vocabulary: Vocabulary, rhymes: Rhymes | None = None) -> None:
        self.vocabulary = vocabulary
        self.rhymes = Rhymes.load() if rhymes is None else rhymes
        self.han = self._mask(vocabulary.han_ids)  # (V,)
        ids = vocabulary.han_ids
        self._tones = [frozenset[Tone]()] * ids.start
        self._tones += [self.rhymes.tones(c, usual=True) for c in vocabulary.characters]
        self.by_tones: dict[frozenset[str], Tensor] = {
            wanted: self._mask([i for i in ids if wanted & self._tones[i]])
            for wanted in (frozenset(["平"]), frozenset(["仄"]), frozenset(["平", "仄"]))
        }
        self._groups = [frozenset[str]()] * ids.start
        self._groups += [self.rhymes.groups(c, usual=True) for c in vocabulary.characters]
        self.by_group = {
            group: self._mask([i for i in ids if group in self._groups[i]])
            for group in sorted(frozenset[str]().union(*self._groups))
        }
        self.common_in_group = {
            group: int(mask[: ids.start + COMMON_CHARACTERS].sum())
            for group, mask in self.by_group.items()
        }
        self.tone_sizes = {tone: int(self.by_tones[frozenset([tone])].sum()) for tone in "平仄"}
        self._sizes = {group: int(mask.sum()) for group, mask in self.by_group.items()}
        self._only: dict[int, Tensor] = {}
        # Of each token's character; 0 for tokens that are none.
        self.code_points = np.array(
            [ord(t) if len(t) == 1 else 0 for t in vocabulary.tokens], dtype=np.uint32
        )

    def _mask(self, ids: Collection[int]) -> Tensor:
        mask = torch.zeros(len(self.vocabulary), dtype=torch.bool)
        mask[list(ids)] = True
        return mask  # (V,)

    def only(self, token: int) -> Tensor:
        """Return the mask that allows one token."""
        if token not in self._only:
            self._only[token] = self._mask([token])
        return self._only[token]  # (V,)

    def in_groups(self, groups: Collection[str]) -> Tensor:
        """Return the mask of the characters that rhyme in any of groups."""
        masks = [self.by_group[group] for group in groups]
        return masks[0] if len(masks) == 1 else torch.stack(masks).any(dim=0)  # (V,)

    def supply(self, group: str, taken: Collection[int]) -> int:
        """Return how many characters rhyme in a group, those that are taken left out."""
        return self._sizes.get(group, 0) - sum(group in self._groups[token] for token in taken)

    def groups_of(self, token: int) -> frozenset[str]:
        """Return the rhyme groups of a character's usual readings."""
        return self._groups[token]

    def tones_of(self, token: int, *, usual: bool) -> frozenset[Tone]:
        """Return the tones of a character, of its usual readings or of all."""
        if usual:
            return self._tones[token]
        return self.rhymes.tones(self.character(token))

    def character(self, token: int) -> str:
        """Return the character of a token."""
        character: str = self.vocabulary.tokens[token]
        return character
