"""Guides a poem to its form, meter, rhyme and given characters: which token may come next.

A guide looks ahead, so that whatever it allows can be completed. It holds on to two things: for
the two lines at hand, every way to set their tones that fits what stands there so far; and the
rhyme groups of which enough unused characters are left for the lines that have still to rhyme.
V is the size of the vocabulary.
"""

import random
from collections import deque

import numpy as np
import torch
from torch import Tensor

from model.guide import NoCharacterFits
from model.poet.given import Given
from model.poet.lexicon import Lexicon, Mask
from model.poet.line_filter import LineFilter
from model.poet.plan import Plan, find_plans
from model.poet.poem import Meter
from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.form import Layout
from model.verse.pattern import Template, template_frequency

MEMORY = 56  # characters, those of the longest regulated poem, in which none comes again


class VerseGuide:
    """Guides one poem: line ，line 。line ，line 。 and so on.

    No character comes twice within 56, but for one that is given twice, and for a pair such as
    悠悠 on a foot, once in four lines. A character that is given for later does not come before.
    Characters that simplified script prints alike count as one.

    Args:
        lexicon: The masks of the vocabulary.
        layout: Lines, and characters a line.
        meter: The rules to keep.
        given: Characters that are fixed, by line and place from 0.
        seed: Draws the template, by how often poets used it.
        lines: Lines not to write, but for those given whole; None if any may come.
        novel: Whether to fail rather than write one of lines where nothing else fits.

    Raises:
        NoCharacterFits: If the given characters cannot be completed; it names the line.
        ValueError: If meter is strict and the layout has no regulated form.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        layout: Layout,
        *,
        meter: Meter = Meter.STRICT,
        given: Given | None = None,
        seed: int = 0,
        lines: LineFilter | None = None,
        novel: bool = False,
    ) -> None:
        self._lexicon, self._layout, self._given = lexicon, layout, given or {}
        self._plan = _draw(find_plans(lexicon, layout, meter, self._given), seed)
        self._check_supply()
        self._lines, self._novel = lines, novel
        self._written = ""  # the line at hand, as far as it stands
        self._line, self._place = 0, 0
        self._places = _places(self._plan, layout)
        self._pairs_left = max(1, layout.num_lines // 4)
        self._unused = lexicon.han.copy()
        self._unused[lexicon.alike(self._given.values())] = False
        self._recent: deque[int] = deque()
        self._tones = self._plan.couplets[0] if self._plan.couplets else ()
        self._groups = lexicon.supply(self._plan.groups, self._given.values())
        self._rhymes_left = sum(
            (line, layout.line_length - 1) not in self._given for line in self._plan.rhyme_lines
        )
        self._previous: int | None = None
        self._mask: Mask | None = None  # what may come, once it is known

    @property
    def template(self) -> Template | None:
        """The tone pattern that was drawn; None if the meter asks for none."""
        return self._plan.template

    @property
    def finished(self) -> bool:
        """Whether the last line stands."""
        return self._line == self._layout.num_lines

    @property
    def cue(self) -> Cue:
        """What the verse asks of the next token, for the model to hear."""
        if self.finished:
            return Cue.FREE
        return self._places[self._line * (self._layout.line_length + 1) + self._place]

    def allowed(self) -> Tensor:
        """Return the mask (V,) of the tokens that may come; never all False."""
        return torch.from_numpy(self._allowed())

    def _allowed(self) -> Mask:
        if self._mask is None:
            self._mask = self._find_allowed()
        return self._mask

    def admits(self, token: int) -> bool:
        """Return whether a token that was drawn may come; one that may not is allowed no longer.

        Few lines are copies: to look the drawn one up is cheaper than to look up all that could be.

        Raises:
            NoCharacterFits: If every line that can stand here is a copy, and lines must be new.
        """
        if self._lines is None or self._place == self._layout.line_length or self.finished:
            return True
        rest = None if (self._line, self._place) in self._given else self._rest()
        if rest is None or self._written + self._lexicon.character(token) + rest not in self._lines:
            return True
        self._mask = self._without_copies(self._allowed(), rest)
        return bool(self._mask[token])

    def advance(self, token: int) -> None:
        """Go on behind a token.

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
        if self._place == self._layout.line_length:
            self._begin_line()
        else:
            self._take(token)

    def _begin_line(self) -> None:
        self._line, self._place, self._previous = self._line + 1, 0, None
        self._written = ""
        if self._line % 2 == 0 and self._plan.couplets and not self.finished:
            self._tones = self._plan.couplets[self._line // 2]

    def _take(self, token: int) -> None:
        """Enter a character into what is known of the poem."""
        is_given = (self._line, self._place) in self._given
        self._written += self._lexicon.character(token)
        if self._tones:
            own = self._lexicon.tones_of(token, usual=True)
            column = self._column
            self._tones = tuple(tones for tones in self._tones if tones[column] in own)
        if self._rhymes_here and not is_given:
            self._rhymes_left -= 1
            own_groups = self._lexicon.groups_of(token)
            self._groups = {g: count for g, count in self._groups.items() if g in own_groups}
        doubled = token == self._previous and not is_given
        self._pairs_left -= doubled
        self._use(token)
        self._previous, self._place = None if doubled else token, self._place + 1

    def _use(self, token: int) -> None:
        """Keep a character from coming again, until 56 others have come."""
        if self._unused[token]:
            for each in self._lexicon.alike_to(token):
                self._unused[each] = False
            for group in self._lexicon.spread_of(token) & self._groups.keys():
                self._groups[group] -= 1
                if self._groups[group] < self._rhymes_left:
                    del self._groups[group]
        # A rhyme never comes again, so nothing is released in its stead.
        self._recent.append(self._lexicon.vocabulary.pad_id if self._rhymes_here else token)
        if len(self._recent) > MEMORY:
            self._release(self._recent.popleft())

    def _release(self, token: int) -> None:
        """Let a character come again."""
        alike = self._lexicon.alike_to(token)
        if self._lexicon.han[token] and not {*self._recent, *self._given.values()} & {*alike}:
            self._unused[list(alike)] = True
            for group in self._lexicon.spread_of(token) & self._groups.keys():
                self._groups[group] += 1

    @property
    def _column(self) -> int:
        """The place within the two lines that are set together."""
        return self._line % 2 * self._layout.line_length + self._place

    @property
    def _rhymes_here(self) -> bool:
        return self._place == self._layout.line_length - 1 and self._line in self._plan.rhyme_lines

    def _find_allowed(self) -> Mask:
        vocabulary = self._lexicon.vocabulary
        if self.finished:
            return self._lexicon.only(vocabulary.eos_id)
        if self._place == self._layout.line_length:
            even = self._line % 2 == 1
            return self._lexicon.only(vocabulary.full_stop_id if even else vocabulary.comma_id)
        given = self._given.get((self._line, self._place))
        if given is not None:
            return self._lexicon.only(given)
        return self._free_place()

    def _without_copies(self, mask: Mask, rest: str) -> Mask:
        """Return a mask without the characters that would complete a line of the corpus.

        Raises:
            NoCharacterFits: If none is left, and lines must be new.
        """
        assert self._lines is not None
        ids = np.flatnonzero(mask)
        codes = self._lexicon.code_points[ids]
        copies = self._lines.completions(self._written, codes, rest)
        if not copies.all():
            left = mask.copy()
            left[ids[copies]] = False
            return left
        if self._novel:
            raise NoCharacterFits(
                self._line + 1, f"every line that can follow {self._written} stands in the corpus"
            )
        return mask

    def _rest(self) -> str | None:
        """Return what is given of the line behind the place at hand; None if more is open."""
        rest = ""
        for place in range(self._place + 1, self._layout.line_length):
            token = self._given.get((self._line, place))
            if token is None:
                return None
            rest += self._lexicon.character(token)
        return rest

    def _free_place(self) -> Mask:
        """Return the mask of a character that is not given."""
        if self._rhymes_here:
            return self._lexicon.in_groups(self._groups) & self._unused
        fitting = self._lexicon.han
        if self._tones:
            column = self._column
            fitting = self._lexicon.by_tones[frozenset([tones[column] for tones in self._tones])]
        mask = fitting & self._unused
        if self._rhymes_left and min(self._groups.values()) <= self._rhymes_left:
            self._spare_rhymes(mask)
        if self._previous is not None and self._may_double() and fitting[self._previous]:
            mask[self._previous] = True
        return mask

    def _spare_rhymes(self, mask: Mask) -> None:
        """Take out of a mask the characters without which no rhyme group would be left."""
        if all(count <= self._rhymes_left for count in self._groups.values()):
            needed = self._lexicon.han.copy()
            for group in self._groups:
                needed &= self._lexicon.spread_by_group[group]
            mask &= ~needed

    def _may_double(self) -> bool:
        """Return whether the previous character may come again: characters 1-2, 3-4 … and last."""
        on_foot = self._place % 2 == 1 or self._place == self._layout.line_length - 1
        return on_foot and self._pairs_left > 0

    def _check_supply(self) -> None:
        """See that no place can run out of characters, whatever the others take.

        Raises:
            NoCharacterFits: If the vocabulary has too few characters of some tone.
        """
        layout = self._layout
        most = min(MEMORY, layout.characters) + len(set(self._given.values()))
        most += 2 * layout.num_lines  # rhymes, written and spared
        for tone, size in self._lexicon.tone_sizes.items():
            if self._plan.template is not None and size <= most:
                raise NoCharacterFits(1, f"the vocabulary has too few characters of tone {tone}")
        if self._lexicon.size <= most:
            raise NoCharacterFits(1, "the vocabulary has too few characters")


def _places(plan: Plan, layout: Layout) -> tuple[Cue, ...]:
    """Return what a plan asks of each character and mark of the poem."""
    if plan.template is not None:
        return template_cues(plan.template)
    if plan.rhyme_lines:
        return rhyme_cues([layout.line_length] * layout.num_lines)
    return (Cue.FREE,) * (layout.characters + layout.num_lines)


def _draw(plans: list[Plan], seed: int) -> Plan:
    """Return one of the plans, drawn by how often poets used their templates."""
    weights = [template_frequency(plan.template) if plan.template else 1.0 for plan in plans]
    return random.Random(seed).choices(plans, weights)[0]
