"""Finds out, before the first character, how a poem that holds given characters can be completed.

Given characters are matched against the four templates and the rhyme groups. What is left is the
plans that can be completed; if there are none, the request is refused with the line and the reason.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from model.guide import NoCharacterFits
from model.poet.choice import ANY_CHOICE, Choice, require_choice
from model.poet.given import Given
from model.poet.lexicon import Lexicon
from model.poet.memory import SPAN
from model.poet.poem import Meter, NoFormFits
from model.poet.rhyme_groups import rhyme_groups
from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.form import Layout
from model.verse.pattern import (
    Licence,
    Template,
    Variant,
    couplet_choices,
    line_variants,
    regular_tones,
    template_frequency,
    templates,
)
from model.verse.pattern_name import Pattern


@dataclass(frozen=True)
class Plan:
    """One way to complete a poem.

    Args:
        template: The line types; None without a tone pattern.
        couplets: For each two lines, their tones as one string, every way that is left.
        groups: The rhyme groups that are left; empty if nothing has to rhyme.
        rhyme_lines: The lines that rhyme, counted from 0.
    """

    template: Template | None
    couplets: tuple[tuple[str, ...], ...]
    groups: frozenset[str]
    rhyme_lines: tuple[int, ...]

    def cues(self, layout: Layout) -> tuple[Cue, ...]:
        """Return what is asked of each character and mark of the poem."""
        if self.template is not None:
            return template_cues(self.template)
        if self.rhyme_lines:
            return rhyme_cues([layout.line_length] * layout.num_lines)
        return (Cue.FREE,) * (layout.characters + layout.num_lines)

    def open_rhymes(self, layout: Layout, given: Given) -> int:
        """Return how many lines have still to find a rhyme: those whose end is not given."""
        last = layout.line_length - 1
        return sum((line, last) not in given for line in self.rhyme_lines)


def choose_plan(
    lexicon: Lexicon,
    layout: Layout,
    meter: Meter,
    given: Given,
    seed: int,
    choice: Choice = ANY_CHOICE,
) -> Plan:
    """Return one of the plans that can be completed, drawn by how often poets used its template.

    Raises:
        NoCharacterFits: If there is none; it names the line and, where one is at fault, the spot.
        NoFormFits: If the meter is strict and the layout has no regulated form.
    """
    require_choice(meter, choice)
    plans = find_plans(lexicon, layout, meter, given, choice)
    weights = [template_frequency(plan.template) if plan.template else 1.0 for plan in plans]
    plan = random.Random(seed).choices(plans, weights)[0]
    _require_characters(lexicon, layout, plan, given)
    return plan


def find_plans(
    lexicon: Lexicon,
    layout: Layout,
    meter: Meter,
    given: Given,
    choice: Choice = ANY_CHOICE,
) -> list[Plan]:
    """Return every plan that can be completed, at least one.

    Raises:
        NoCharacterFits: If there is none; of the reasons, that of the plan that got furthest.
        NoFormFits: If the layout has no regulated form and meter asks for one.
    """
    if meter is Meter.FREE:
        return [Plan(None, (), frozenset(), ())]
    choices: Sequence[Template | None] = [None]
    if meter is Meter.STRICT:
        choices = templates(layout)
        if not choices:
            raise NoFormFits(
                f"regulated verse has 4 or 8 lines of 5 or 7 characters, not {layout.num_lines} "
                f"of {layout.line_length}",
                field="meter",
            )
    plans, failures = [], []
    for template in choices:
        try:
            plans.append(_complete(lexicon, layout, template, given, choice.groups))
        except NoCharacterFits as failure:
            failures.append(failure)
    if not plans:
        # A rhyme that does not fit is found where all else does.
        raise max(failures, key=lambda failure: (bool(failure.field), failure.line))
    return _of_pattern(plans, choice.pattern)


def _of_pattern(plans: list[Plan], pattern: Pattern | None) -> list[Plan]:
    """Return the plans that run as was chosen.

    Raises:
        NoCharacterFits: If there is none; it names those that there are.
    """
    if pattern is None:
        return plans
    found = [plan for plan in plans if plan.template and pattern.fits(plan.template)]
    if not found:
        others = "、".join(plan.template.name for plan in plans if plan.template)
        reason = f"what is given does not fit {pattern.name}, but {others}"
        raise NoCharacterFits(0, reason, field="pattern")
    return found


def _require_characters(lexicon: Lexicon, layout: Layout, plan: Plan, given: Given) -> None:
    """See that no spot can run out of characters, whatever the others take.

    Raises:
        NoCharacterFits: If the vocabulary has too few, or too few of some tone.
    """
    most = min(SPAN, layout.characters) + len(set(given.values()))
    most += 2 * layout.num_lines  # rhymes, written and spared
    for tone, size in lexicon.tone_sizes.items():
        if plan.template is not None and size <= most:
            raise NoCharacterFits(1, f"the vocabulary has too few characters of tone {tone}")
    if lexicon.size <= most:
        raise NoCharacterFits(1, "the vocabulary has too few characters")


def _complete(
    lexicon: Lexicon,
    layout: Layout,
    template: Template | None,
    given: Given,
    wanted: frozenset[str],
) -> Plan:
    """Return the plan of a template, or of rhyme alone.

    Raises:
        NoCharacterFits: If the given characters do not fit it.
    """
    couplets = tuple(_couplets(lexicon, template, given)) if template else ()
    rhyme_lines = tuple(
        line
        for line in range(layout.num_lines)
        if line % 2 == 1 or (template is not None and template.line_types[line].rhymed)
    )
    groups = rhyme_groups(lexicon, layout, given, rhyme_lines, wanted, level=template is not None)
    return Plan(template, couplets, groups, rhyme_lines)


def _couplets(lexicon: Lexicon, template: Template, given: Given) -> Iterator[tuple[str, ...]]:
    """Yield the tones that are left for each two lines; licensed ones only where they must be.

    Raises:
        NoCharacterFits: If none is left.
    """
    size = template.line_length
    fixed = {line for line, _ in given}
    for line in range(0, len(template.line_types), 2):
        odd, even = template.line_types[line : line + 2]
        if not fixed & {line, line + 1}:
            yield regular_tones(odd, even, size)
            continue
        pairs = [
            pair
            for odds, evens in couplet_choices(odd, even, size)
            for pair in product(
                _fitting(lexicon, odds, line, given), _fitting(lexicon, evens, line + 1, given)
            )
        ]
        if not pairs:
            started = bool(_fitting(lexicon, line_variants(odd, size), line, given))
            raise _no_tones(lexicon, line + started, template, given)
        regular = [pair for pair in pairs if all(v.licence is Licence.NONE for v in pair)]
        yield tuple(first.tones + second.tones for first, second in regular or pairs)


def _fitting(
    lexicon: Lexicon, variants: Iterable[Variant], line: int, given: Given
) -> list[Variant]:
    """Return those of a line's variants whose tones its given characters can be read in."""
    known = [
        (character, lexicon.tones_of(token, usual=True))
        for (number, character), token in given.items()
        if number == line
    ]
    return [
        variant
        for variant in variants
        if all(variant.tones[character] in tones for character, tones in known)
    ]


def _no_tones(lexicon: Lexicon, line: int, template: Template, given: Given) -> NoCharacterFits:
    """Return the refusal of a line whose given characters have the wrong tones."""
    spots = [(line, character) for character in range(template.line_length)]
    tokens = [given.get(spot) for spot in spots]
    shown = "".join("□" if token is None else lexicon.character(token) for token in tokens)
    tones = "".join(
        "□" if token is None else "/".join(sorted(lexicon.tones_of(token, usual=True))) or "？"
        for token in tokens
    )
    return NoCharacterFits(
        line + 1,
        f"no pattern of regulated verse that the lines before it allow fits {shown} ({tones})",
        spot=next((spot for spot in spots if spot in given), None),
    )
