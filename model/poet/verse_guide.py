"""Guides a poem to its form, meter, rhyme and given characters: which token may come next.

A guide looks ahead, so that whatever it allows can be completed. It holds on to two things: for
the two lines at hand, every way to set their tones that fits what stands there so far; and the
rhyme groups of which enough unused characters are left for the lines that have still to rhyme.
V is the size of the vocabulary.
"""

from copy import copy
from typing import Self

import torch
from torch import Tensor

from model.poet.given import Given
from model.poet.lexicon import Lexicon, Mask
from model.poet.line_filter import LineFilter
from model.poet.memory import Memory
from model.poet.novelty import Novelty
from model.poet.plan import Plan
from model.poet.rhyme_supply import RhymeSupply
from model.verse.cue import Cue
from model.verse.form import Layout
from model.verse.parallels import EIGHT, MIDDLE
from model.verse.pattern import Template


class VerseGuide:
    """Guides one poem: line ，line 。line ，line 。 and so on.

    No character comes twice within 56, but for one that is given twice, and for a pair such as
    悠悠 on a foot, once in four lines. A character that is given for later does not come before.
    Characters that simplified script prints alike count as one.

    Args:
        lexicon: The masks of the vocabulary.
        layout: Lines, and characters a line.
        plan: How the poem is completed; see choose_plan().
        given: Characters that are fixed, by spot; the plan's own.
        lines: Lines not to write, but for those given whole; None if any may come.
        novel: Whether to fail rather than write one of lines where nothing else fits.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        layout: Layout,
        plan: Plan,
        *,
        given: Given | None = None,
        lines: LineFilter | None = None,
        novel: bool = False,
    ) -> None:
        self._lexicon, self._layout, self._plan, self._given = lexicon, layout, plan, given or {}
        self._cues = plan.cues(layout)
        self._rhymes = RhymeSupply(
            lexicon, plan.groups, plan.open_rhymes(layout, self._given), self._given.values()
        )
        self._memory = Memory(lexicon, self._given.values())
        self._novelty = Novelty(lexicon, lines, required=novel)
        self._written = ""  # the line at hand, as far as it stands
        self._above = ""  # the line before it
        self._line, self._character = 0, 0  # the spot at hand
        self._tones = plan.couplets[0] if plan.couplets else ()
        self._pairs_left = max(1, layout.num_lines // 4)
        self._previous: int | None = None
        self._mask: Mask | None = None  # what may come, once it is known

    @property
    def template(self) -> Template | None:
        """The tone pattern of the plan; None if the meter asks for none."""
        return self._plan.template

    @property
    def finished(self) -> bool:
        """Whether the last line stands."""
        return self._line == self._layout.num_lines

    @property
    def at_break(self) -> bool:
        """Whether the next token is the last character of a line."""
        return not self.finished and self._character == self._layout.line_length - 1

    def copy(self) -> Self:
        """Return a guide that goes on from here on its own; what does not change is shared."""
        twin = copy(self)
        twin._memory, twin._rhymes = self._memory.copy(), self._rhymes.copy()
        return twin

    @property
    def cue(self) -> Cue:
        """What the verse asks of the next token, for the model to hear."""
        if self.finished:
            return Cue.FREE
        return self._cues[self._line * (self._layout.line_length + 1) + self._character]

    @property
    def opposite(self) -> int:
        """The token that the next one stands opposite to where couplets are parallel; else 0."""
        if self._line - 1 not in MIDDLE or self._layout.num_lines != EIGHT or self._at_mark:
            return self._lexicon.vocabulary.pad_id
        return self._lexicon.vocabulary.id_of(self._above[self._character])

    def allowed(self) -> Tensor:
        """Return the mask (V,) of the tokens that may come; never all False."""
        return torch.from_numpy(self._allowed())

    def _allowed(self) -> Mask:
        if self._mask is None:
            self._mask = self._find_allowed()
        return self._mask

    def vet(self, token: int) -> bool:
        """Return whether a drawn token may come; if not, it is taken out of what is allowed.

        Few lines are copies: to look the drawn one up is cheaper than to look up all that could be.

        Raises:
            NoCharacterFits: If every line that can stand here is a copy, and lines must be new.
        """
        rest = self._given_rest()
        if rest is None:
            return True
        if not self._novelty.is_copy(self._written + self._lexicon.character(token) + rest):
            return True
        mask = self._allowed()
        self._mask = self._novelty.without_copies(mask, self._written, rest, self._line + 1)
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
        if self._at_mark:
            self._begin_line()
        else:
            self._take(token)

    def _begin_line(self) -> None:
        self._line, self._character, self._previous = self._line + 1, 0, None
        self._above, self._written = self._written, ""
        if self._line % 2 == 0 and self._plan.couplets and not self.finished:
            self._tones = self._plan.couplets[self._line // 2]

    def _take(self, token: int) -> None:
        """Enter a character into what is known of the poem."""
        is_given = (self._line, self._character) in self._given
        rhymes_here = self._rhymes_here
        self._written += self._lexicon.character(token)
        if self._tones:
            own = self._lexicon.tones_of(token, usual=True)
            column = self._column
            self._tones = tuple(tones for tones in self._tones if tones[column] in own)
        if rhymes_here and not is_given:
            self._rhymes.choose(token)
        if self._memory.use(token):
            self._rhymes.take(token)
        released = self._memory.write(token, for_good=rhymes_here or self._may_rhyme_here)
        if released is not None:
            self._rhymes.give_back(released)
        doubled = token == self._previous and not is_given
        self._pairs_left -= doubled
        self._previous = None if doubled else token
        self._character += 1

    @property
    def _at_mark(self) -> bool:
        """Whether the line at hand has all its characters."""
        return self._character == self._layout.line_length

    @property
    def _column(self) -> int:
        """The spot at hand within the two lines that are set together."""
        return self._line % 2 * self._layout.line_length + self._character

    @property
    def _rhymes_here(self) -> bool:
        last = self._character == self._layout.line_length - 1
        return last and self._line in self._plan.rhyme_lines

    @property
    def _may_rhyme_here(self) -> bool:
        """Whether line 1 ends at the spot at hand, and others are to rhyme: it may chance to."""
        last = self._character == self._layout.line_length - 1
        return last and self._line == 0 and bool(self._plan.rhyme_lines)

    def _find_allowed(self) -> Mask:
        vocabulary = self._lexicon.vocabulary
        if self.finished:
            return self._lexicon.only(vocabulary.eos_id)
        if self._at_mark:
            even = self._line % 2 == 1
            return self._lexicon.only(vocabulary.full_stop_id if even else vocabulary.comma_id)
        given = self._given.get((self._line, self._character))
        if given is not None:
            return self._lexicon.only(given)
        return self._open_spot()

    def _open_spot(self) -> Mask:
        """Return the mask of a character that is not given."""
        if self._rhymes_here:
            return self._rhymes.mask() & self._memory.unused
        fitting = self._lexicon.han
        if self._tones:
            column = self._column
            fitting = self._lexicon.by_tones[frozenset([tones[column] for tones in self._tones])]
        mask = fitting & self._memory.unused
        self._rhymes.spare(mask)
        if self._previous is not None and self._may_double() and fitting[self._previous]:
            mask[self._previous] = True
        return mask

    def _may_double(self) -> bool:
        """Return whether the previous character may come again: characters 1-2, 3-4 … and last."""
        on_foot = self._character % 2 == 1 or self._character == self._layout.line_length - 1
        return on_foot and self._pairs_left > 0

    def _given_rest(self) -> str | None:
        """Return what is given of the line after the spot at hand.

        None if more of it is open, or if the spot itself is not: then no choice makes a copy.
        """
        if self.finished or self._at_mark or (self._line, self._character) in self._given:
            return None
        rest = ""
        for character in range(self._character + 1, self._layout.line_length):
            token = self._given.get((self._line, character))
            if token is None:
                return None
            rest += self._lexicon.character(token)
        return rest
