"""Guides a ci to its tune: lines, pauses, tones, rhymes, and what is said again.

Like VerseGuide it looks ahead: it holds on to the strings of tones of the line at hand that fit
what stands there so far, and to the parts of 词林正韵 of which enough unused characters are left
for the rhymes that have still to come. V is the size of the vocabulary.
"""

from collections import Counter
from copy import copy
from typing import Self

import torch
from torch import Tensor

from model.guide import NoCharacterFits
from model.poet.given import Spot
from model.poet.lexicon import Mask
from model.poet.line_filter import LineFilter
from model.poet.memory import Memory
from model.poet.novelty import Novelty
from model.poet.part_supply import PartSupply
from model.poet.parts import Parts
from model.poet.tune_plan import TunePlan
from model.verse.cue import Cue
from model.verse.rhymes import Tone
from model.verse.tune import PAUSE, TuneLine


class TuneGuide:
    """Guides one ci.

    No character comes twice within 56, but for one that is given twice or said again, and for a
    pair such as 悠悠, once in four lines. A character that is given for later does not come before.

    Args:
        parts: The masks of the vocabulary.
        plan: How the poem is completed; see choose_tune_plan().
        lines: Lines not to write, but for those given whole; None if any may come.
        novel: Whether to fail rather than write one of lines where nothing else fits.
    """

    def __init__(
        self,
        parts: Parts,
        plan: TunePlan,
        *,
        lines: LineFilter | None = None,
        novel: bool = False,
    ) -> None:
        self._parts, self._lexicon, self._plan = parts, parts.lexicon, plan
        self._variant = plan.variant
        self._cues = plan.cues()
        self._supplies = _supplies(parts, plan)
        self._memory = Memory(self._lexicon, plan.given.values())
        self._novelty = Novelty(self._lexicon, lines, required=novel)
        self._written: tuple[int, ...] = ()  # the characters that stand, pauses and marks left out
        self._line, self._character = 0, 0  # the spot at hand
        self._paused = True  # whether the pause before it stands, if there is one
        self._position = 0  # of the token at hand
        self._tones = self._tones_of_line()
        self._pairs_left = max(1, self._variant.num_lines // 4)
        self._previous: int | None = None
        self._mask: Mask | None = None  # what may come, once it is known

    @property
    def finished(self) -> bool:
        """Whether the last line stands."""
        return self._line == self._variant.num_lines

    @property
    def at_break(self) -> bool:
        """Whether the next token is the last character of a line."""
        if self.finished or not self._paused:
            return False
        return self._character == self._at_hand.size - 1

    def copy(self) -> Self:
        """Return a guide that goes on from here on its own; what does not change is shared."""
        twin = copy(self)
        twin._memory = self._memory.copy()
        twin._supplies = {letter: supply.copy() for letter, supply in self._supplies.items()}
        return twin

    @property
    def cue(self) -> Cue:
        """What the verse asks of the next token, for the model to hear."""
        return Cue.FREE if self.finished else self._cues[self._position]

    def allowed(self) -> Tensor:
        """Return the mask (V,) of the tokens that may come; never all False.

        Raises:
            NoCharacterFits: If no character fits.
        """
        return torch.from_numpy(self._allowed())

    def _allowed(self) -> Mask:
        if self._mask is None:
            self._mask = self._find_allowed()
        return self._mask

    def vet(self, token: int) -> bool:
        """Return whether a drawn token may come; if not, it is taken out of what is allowed.

        Raises:
            NoCharacterFits: If every line that can stand here is a copy, and lines must be new.
        """
        rest = self._fixed_rest()
        if rest is None:
            return True
        line = self._line_so_far()
        if not self._novelty.is_copy(line + self._lexicon.character(token) + rest):
            return True
        self._mask = self._novelty.without_copies(self._allowed(), line, rest, self._line + 1)
        return bool(self._mask[token])

    def advance(self, token: int) -> None:
        """Go on after a token.

        Raises:
            ValueError: If it is none of those allowed.
        """
        if not self._allowed()[token]:
            raise ValueError(
                f"line {self._line + 1} cannot go on with {self._lexicon.character(token)!r}"
            )
        self._mask = None
        if self.finished:
            return
        self._position += 1
        if self._at_mark:
            self._line, self._character, self._previous = self._line + 1, 0, None
            if not self.finished:
                self._tones = self._tones_of_line()
        elif not self._paused:
            self._paused, self._previous = True, None
        else:
            self._take(token)

    def _take(self, token: int) -> None:
        """Enter a character into what is known of the poem."""
        fixed = self._fixed(self._character) is not None
        if self._tones:
            own = self._own_tones(token)
            at = self._character
            self._tones = tuple(tones for tones in self._tones if tones[at] in own)
        rhymes_here = self._rhymes_here
        if rhymes_here and not fixed:
            self._choose(token)
        if self._memory.use(token):
            for supply in self._supplies.values():
                supply.take(token)
        released = self._memory.write(token, for_good=rhymes_here)
        if released is not None:
            for supply in self._supplies.values():
                supply.give_back(released)
        doubled = token == self._previous and not fixed
        self._pairs_left -= doubled
        self._previous = None if doubled else token
        self._written += (token,)
        self._character += 1
        self._paused = self._character not in self._at_hand.pauses

    def _own_tones(self, token: int) -> frozenset[Tone]:
        """Return the tones that a character can have at the spot at hand."""
        if self._rhymes_here and self._fixed(self._character) is not None:
            found = frozenset(part.tone for part in self._parts.all_of(token))
            return found | self._lexicon.tones_of(token, usual=True)
        return self._lexicon.tones_of(token, usual=True)

    def _choose(self, token: int) -> None:
        """Enter a rhyme that was drawn."""
        letter, tone = self._at_hand.rhyme.upper(), self._at_hand.rhyme_tone
        self._supplies[letter].choose(token, tone)

    @property
    def _at_hand(self) -> TuneLine:
        """The line at hand."""
        return self._variant.lines[self._line]

    @property
    def _at_mark(self) -> bool:
        """Whether the line at hand has all its characters."""
        return self._character == self._at_hand.size

    @property
    def _rhymes_here(self) -> bool:
        last = self._character == self._at_hand.size - 1
        return last and bool(self._at_hand.rhyme) and bool(self._supplies)

    def _fixed(self, character: int) -> int | None:
        """Return the token that a spot of the line at hand must have; None if it is open."""
        spot = self._line, character
        token = self._plan.given.get(spot)
        if token is None and spot in self._variant.again:
            index = self._index(self._variant.again[spot])
            return self._written[index] if index < len(self._written) else None
        return token

    def _index(self, spot: Spot) -> int:
        """Return how many characters stand before a spot."""
        return sum(self._variant.lengths[: spot[0]]) + spot[1]

    def _line_so_far(self) -> str:
        tokens = self._written[len(self._written) - self._character :]
        return "".join(map(self._lexicon.character, tokens))

    def _tones_of_line(self) -> tuple[str, ...]:
        """Return the strings of tones of the line that begins that fit what it says again."""
        if not self._plan.tones:
            return ()
        left = self._plan.tones[self._line]
        for character in range(self._at_hand.size):
            token = self._fixed(character)
            if token is not None and (self._line, character) not in self._plan.given:
                own = self._lexicon.tones_of(token, usual=True)
                left = tuple(tones for tones in left if tones[character] in own) or left
        return left

    def _find_allowed(self) -> Mask:
        vocabulary = self._lexicon.vocabulary
        if self.finished:
            return self._lexicon.only(vocabulary.eos_id)
        if self._at_mark:
            return self._lexicon.only(vocabulary.id_of(self._mark))
        if not self._paused:
            return self._lexicon.only(vocabulary.id_of(PAUSE))
        fixed = self._fixed(self._character)
        mask = self._lexicon.only(fixed) if fixed is not None else self._open_spot()
        if not mask.any():
            raise NoCharacterFits(self._line + 1, "no unused character fits here")
        return mask

    @property
    def _mark(self) -> str:
        last = self._line == self._variant.num_lines - 1
        return "。" if last else self._at_hand.mark

    def _open_spot(self) -> Mask:
        """Return the mask of a character that is not fixed."""
        if self._rhymes_here:
            return self._rhyming()
        fitting = self._lexicon.han
        if self._tones:
            at = self._character
            fitting = self._lexicon.by_tones[frozenset(tones[at] for tones in self._tones)]
        mask = fitting & self._memory.unused
        for supply in self._supplies.values():
            supply.spare(mask)
        if self._previous is not None and self._pairs_left > 0 and fitting[self._previous]:
            mask[self._previous] = True
        return mask

    def _rhyming(self) -> Mask:
        """Return the mask of a rhyme; where rhymes change, in another part than those before."""
        letter, tone = self._at_hand.rhyme.upper(), self._at_hand.rhyme_tone
        supply = self._supplies[letter]
        begun = {line.rhyme.upper() for line in self._variant.lines[: self._line] if line.rhyme}
        if letter not in begun:
            same = {
                line.rhyme.upper()
                for line in self._variant.lines[: self._line]
                if line.rhyme and line.rhyme_tone == tone
            }
            supply.leave_out([n for other in same for n in self._supplies[other].numbers])
        return supply.mask(tone) & self._memory.unused

    def _fixed_rest(self) -> str | None:
        """Return what is fixed of the line after the spot at hand.

        None if more of it is open, or if the spot itself is not: then no choice makes a copy.
        """
        if self.finished or self._at_mark or not self._paused:
            return None
        if self._fixed(self._character) is not None:
            return None
        rest = ""
        for character in range(self._character + 1, self._at_hand.size):
            token = self._fixed(character)
            if token is None:
                return None
            rest += self._lexicon.character(token)
        return rest


def _supplies(parts: Parts, plan: TunePlan) -> dict[str, PartSupply]:
    """Return for each letter the parts that it can rhyme in."""
    total = Counter[Tone]()
    for needed in plan.needed.values():
        total.update(needed)
    return {
        letter: PartSupply(
            parts,
            plan.parts[letter],
            needed,
            {tone: total[tone] - count for tone, count in needed.items()},
            plan.given.values(),
        )
        for letter, needed in plan.needed.items()
    }
