"""Guides what is replaced in a poem that stands: which characters may come at its open spots.

V is the size of the vocabulary.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from model.guide import NoCharacterFits
from model.poet.given import Spot
from model.poet.kept_rules import LEVEL, OBLIQUE, RHYME, Kinds
from model.poet.lexicon import Lexicon, Mask
from model.poet.novelty import Novelty
from model.verse.cue import Cue


class Step(NamedTuple):
    """One token of a poem that stands.

    Args:
        token: What is written; None if the spot is open.
        written: The same as text, which the model may not know; empty if the spot is open.
        cue: What the verse asks of it.
        line: From 0.
        character: Its index in the line; size for the mark after it.
        size: Characters of the line.
    """

    token: int | None
    written: str
    cue: Cue
    line: int
    character: int
    size: int

    @property
    def spot(self) -> Spot:
        """Where it stands."""
        return self.line, self.character


@dataclass(frozen=True)
class Constraints:
    """What the open spots have to keep.

    Args:
        ways: How all of them may be set, a kind each; none if nothing is asked of tones.
        rhyming: Which of them have to rhyme, where nothing is asked of tones.
        groups: What there may be rhymed in.
        unused: The characters that may come, (V,).
        pairs: How many characters may come twice in a row, such as 悠悠.
        novelty: Keeps lines from being copies.
        copies: The lines that may be copies: they were before.
    """

    ways: Sequence[Kinds]
    rhyming: Sequence[bool]
    groups: frozenset[str]
    unused: Mask
    pairs: int
    novelty: Novelty
    copies: Collection[int] = ()


class RevisionGuide:
    """Guides the tokens of a poem from an open spot on.

    Args:
        lexicon: The masks of the vocabulary.
        steps: The tokens, at least one.
        constraints: What the open spots have to keep.
        before: What stands of the first line before them.
        length: How many of them to guide; None for all.
        thorough: Whether allowed() leaves out every copy, and not the drawn one alone.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        steps: Sequence[Step],
        constraints: Constraints,
        before: Sequence[Step] = (),
        *,
        length: int | None = None,
        thorough: bool = False,
    ) -> None:
        self._lexicon, self._steps, self._constraints = lexicon, steps, constraints
        self._length = len(steps) if length is None else length
        self._thorough, self._line = thorough, "".join(step.written for step in before)
        self._previous = before[-1].token if before else None  # the token before, in the same line
        self._ways, self._groups = constraints.ways, constraints.groups
        self._unused, self._pairs = constraints.unused.copy(), constraints.pairs
        self._at = self._open = 0  # the token and the open spot at hand
        self._mask: Mask | None = None  # what may come, once it is known

    @property
    def finished(self) -> bool:
        """Whether the last token has come."""
        return self._at == self._length

    @property
    def cue(self) -> Cue:
        """What the verse asks of the next token."""
        return Cue.FREE if self.finished else self._steps[self._at].cue

    def allowed(self) -> Tensor:
        """Return the mask (V,) of the tokens that may come.

        Raises:
            NoCharacterFits: If none may.
        """
        return torch.from_numpy(self._allowed())

    def _allowed(self) -> Mask:
        if self._mask is None:
            step = self._steps[self._at]
            token = step.token
            self._mask = self._find_open(step) if token is None else self._lexicon.only(token)
        return self._mask

    def vet(self, token: int) -> bool:
        """Return whether a drawn token may come; if not, it is taken out of what is allowed."""
        step = self._steps[self._at]
        rest = self._rest(step)
        if step.token is not None or rest is None or step.line in self._constraints.copies:
            return True
        novelty, written = self._constraints.novelty, self._line
        if not novelty.is_copy(written + self._lexicon.character(token) + rest):
            return True
        self._mask = novelty.without_copies(self._allowed(), written, rest, step.line + 1)
        return bool(self._mask[token])

    def advance(self, token: int) -> None:
        """Go on after a token.

        Raises:
            ValueError: If it is none of those allowed.
        """
        step = self._steps[self._at]
        if not self._allowed()[token]:
            raise ValueError(f"line {step.line + 1} cannot go on with token {token}")
        if step.token is None:
            self._take(token, step)
        at_mark = step.character == step.size
        self._line = (
            "" if at_mark else self._line + (step.written or self._lexicon.character(token))
        )
        self._previous = None if at_mark else token
        self._at, self._mask = self._at + 1, None

    def _take(self, token: int, step: Step) -> None:
        """Enter a character that was chosen into what is known of the poem."""
        kinds = self._kinds_of(token, step)
        self._ways = [way for way in self._ways if way[self._open] in kinds]
        if self._rhymes_here:
            self._groups &= self._lexicon.groups_of(token)
        self._pairs -= not self._unused[token]
        self._unused[list(self._lexicon.lookalikes_of(token))] = False
        self._open += 1

    def _kinds_of(self, token: int, step: Step) -> set[str]:
        """Return what a character can stand for."""
        kinds: set[str] = {*self._lexicon.tones_of(token, usual=True)}
        ends = step.character == step.size - 1
        rhymes = ends and not self._groups.isdisjoint(self._lexicon.groups_of(token))
        return kinds | {RHYME} if rhymes else kinds

    @property
    def _rhymes_here(self) -> bool:
        """Whether the open spot at hand has to rhyme."""
        if self._constraints.ways:
            return all(way[self._open] == RHYME for way in self._ways)
        return self._constraints.rhyming[self._open]

    def _find_open(self, step: Step) -> Mask:
        """Return the mask of an open spot.

        Raises:
            NoCharacterFits: If it allows nothing.
        """
        fitting = self._fitting()
        mask = fitting & self._unused
        for twin in self._twins(step):
            mask[twin] = fitting[twin]
        rest = self._rest(step)
        if self._thorough and rest is not None and step.line not in self._constraints.copies:
            novelty, written = self._constraints.novelty, self._line
            mask = novelty.without_copies(mask, written, rest, step.line + 1)
        if not mask.any():
            raise NoCharacterFits(step.line + 1, "no character keeps every rule here")
        return mask

    def _fitting(self) -> Mask:
        """Return the mask of the characters whose tones and rhymes fit."""
        if not self._constraints.ways:
            rhymes = self._constraints.rhyming[self._open]
            return self._lexicon.in_groups(self._groups) if rhymes else self._lexicon.han
        kinds = {way[self._open] for way in self._ways}
        masks = [self._lexicon.in_groups(self._groups)] if RHYME in kinds else []
        tones = frozenset(kinds & {LEVEL, OBLIQUE})
        fitting: Mask = np.any(
            [*masks, *([self._lexicon.by_tones[tones]] if tones else [])], axis=0
        )
        return fitting

    def _twins(self, step: Step) -> list[int]:
        """Return what may come although it stands beside: 悠悠, at characters 1-2, 3-4 …, last."""
        if self._pairs < 1:
            return []
        number, twins = step.character, []
        if self._previous is not None and (number % 2 == 1 or number == step.size - 1):
            twins.append(self._previous)
        following = self._steps[self._at + 1].token if self._at + 1 < len(self._steps) else None
        begins = number % 2 == 0 or number == step.size - 2
        if following is not None and number < step.size - 1 and begins:
            twins.append(following)
        return [token for token in twins if token in self._lexicon.vocabulary.han_ids]

    def _rest(self, step: Step) -> str | None:
        """Return what is written of the line after the token at hand; None if more is open."""
        rest = self._steps[self._at + 1 : self._at + step.size - step.character]
        if any(each.token is None for each in rest):
            return None
        return "".join(each.written for each in rest)
