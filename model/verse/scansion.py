"""The lines of a poem, every way to read them, and the template that they fit best."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from model.verse.form import Form, Layout
from model.verse.pattern import Licence, Template, Variant, couplet_choices, templates
from model.verse.rhymes import LEVEL_GROUPS, Rhymes, Tone, sounds
from model.verse.script import is_han

UNKNOWN_TONE = "？"
MISPLACED, LICENSED = 10_000, 100  # what weighs more than any number of the next


class Setting(NamedTuple):
    """A template, the variant that each line takes, and how much does not fit.

    Args:
        template: The line types.
        variants: The variant of each line.
        misplaced: Places of another tone.
        unrhymed: Whether line 1 ought to rhyme, and does not.
    """

    template: Template
    variants: tuple[Variant, ...]
    misplaced: int
    unrhymed: bool

    @property
    def faults(self) -> int:
        """Everything that does not fit."""
        return self.misplaced + self.unrhymed


class Readings(NamedTuple):
    """How a line cannot, and is not usually, read: tones as the bits of Variant.tone_bits."""

    impossible: int
    unusual: int


def split_lines(text: str) -> list[str]:
    """Return the lines of a poem: runs of Han characters and □ between anything else."""
    runs = re.split(r"[^\w□]+", text)
    lines = ("".join(c for c in run if is_han(c) or c == "□") for run in runs)
    return [line for line in lines if line]


class Verse:
    """The lines of a poem and every way to read their characters."""

    def __init__(self, lines: Sequence[str], rhymes: Rhymes, *, exact: bool = False) -> None:
        self.lines = lines
        self._sound = sounds(rhymes, exact=exact)

    def tones(self, character: str) -> tuple[Tone, ...]:
        """Return the tones that a character can be read in, the commonest first."""
        return self._sound(character).tones

    def groups(self, character: str) -> frozenset[str]:
        """Return the rhyme groups of a character."""
        return self._sound(character).groups

    def rhyme_group(self) -> str | None:
        """Return the group that most even lines end in; of several a level one, that of line 1."""
        counts = Counter(group for line in self.lines[1::2] for group in self.groups(line[-1]))
        if not counts or (len(self.lines) > 3 and max(counts.values()) < 2):
            return None
        opening = self.groups(self.lines[0][-1])
        return max(
            sorted(counts),
            key=lambda group: (counts[group], group in LEVEL_GROUPS, group in opening),
        )

    def rhymes_in(self, line: str, group: str | None) -> bool:
        """Return whether a line can be read to end in a group."""
        return group in self.groups(line[-1])

    def best_setting(self, rhyme: str | None) -> Setting | None:
        """Return the template and its variants that the fewest places depart from."""
        form = Form.of_lines(self.lines)
        if form is None or form.num_lines is None:
            return None
        layout = Layout(form.line_length, form.num_lines)
        readings = [self._readings(line) for line in self.lines]
        settings = [self._fit(template, readings, rhyme) for template in templates(layout)]
        return min(settings, key=lambda setting: (setting.faults, setting.misplaced))

    def _fit(self, template: Template, readings: Sequence[Readings], rhyme: str | None) -> Setting:
        """Return the variants of a template's lines that fit best."""
        types, variants, weight = template.line_types, list[Variant](), 0
        for index in range(0, len(types), 2):
            ways = [
                tuple(map(_best, choices, readings[index : index + 2]))
                for choices in couplet_choices(*types[index : index + 2], template.line_length)
            ]
            best = min(ways, key=lambda way: way[0][0] + way[1][0])
            for line_weight, variant in best:
                weight += line_weight
                variants.append(variant)
        unrhymed = types[0].rhymed and not self.opens_in_rhyme(rhyme)
        return Setting(template, tuple(variants), weight // MISPLACED, unrhymed)

    def opens_in_rhyme(self, group: str | None) -> bool:
        """Return whether line 1 ends in a group or one of its neighbours."""
        return group is not None and any(
            own == group or Rhymes.are_neighbours(own, group)
            for own in self.groups(self.lines[0][-1])
        )

    def _readings(self, line: str) -> Readings:
        """Return which tones the characters of a line cannot have, and which are not the usual."""
        tones = [self.tones(character) for character in line]
        return Readings(_missing(tones), _missing(found[:1] for found in tones))

    def read(self, setting: Setting | None) -> tuple[str, ...]:
        """Return the tone of every character: that of its place if it can be read so."""
        return tuple(
            "".join(
                self._read(character, setting.variants[i].tones[j] if setting else None)
                for j, character in enumerate(line)
            )
            for i, line in enumerate(self.lines)
        )

    def _read(self, character: str, wanted: str | None) -> str:
        tones = self.tones(character)
        if wanted in tones:
            return str(wanted)
        return tones[0].value if tones else UNKNOWN_TONE


def _missing(tones: Iterable[Sequence[Tone]]) -> int:
    """Return the tones that the places of a line have not, as the bits of Variant.tone_bits."""
    return sum(
        ((Tone.PING not in found) + 2 * (Tone.ZE not in found)) << 2 * place
        for place, found in enumerate(tones)
    )


def _best(variants: Sequence[Variant], readings: Readings) -> tuple[int, Variant]:
    """Return the first of a line's variants that fits best, and what it weighs.

    The fewest places that cannot have its tone; of those no licence; of those the fewest
    characters in a tone that is not their usual one.
    """
    weights = [
        MISPLACED * (variant.tone_bits & readings.impossible).bit_count()
        + LICENSED * (variant.licence is not Licence.NONE)
        + (variant.tone_bits & readings.unusual).bit_count()
        for variant in variants
    ]
    least = min(weights)
    return least, variants[weights.index(least)]
