"""The lines of a poem, every way to read them, and the template that they fit best."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from model.form import Form, Layout
from model.pattern import Licence, Template, Variant, couplet_variants, templates
from model.rhymes import LEVEL_GROUPS, Rhymes, Tone
from model.script import is_han, reprints, standard_forms

UNKNOWN_TONE = "？"


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


def split_lines(text: str) -> list[str]:
    """Return the lines of a poem: runs of Han characters and □ between anything else."""
    runs = re.split(r"[^\w□]+", text)
    lines = ("".join(c for c in run if is_han(c) or c == "□") for run in runs)
    return [line for line in lines if line]


class Verse:
    """The lines of a poem and every way to read their characters."""

    def __init__(self, lines: Sequence[str], rhymes: Rhymes, *, exact: bool = False) -> None:
        self.lines = lines
        self._rhymes = rhymes
        self._forms: Callable[[str], tuple[str, ...]] = (
            (lambda character: (character,)) if exact else _written_forms
        )

    def tones(self, character: str) -> list[Tone]:
        """Return the tones that a character can be read in, the commonest first."""
        found = [
            item.tone for form in self._forms(character) for item in self._rhymes.readings(form)
        ]
        return list(dict.fromkeys(found))

    def groups(self, character: str) -> frozenset[str]:
        """Return the rhyme groups of a character."""
        forms = self._forms(character)
        return frozenset[str]().union(*(self._rhymes.groups(form) for form in forms))

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
        settings = [self._fit(template, rhyme) for template in templates(layout)]
        return min(settings, key=lambda setting: (setting.faults, setting.misplaced))

    def _fit(self, template: Template, rhyme: str | None) -> Setting:
        """Return the variants of a template's lines that fit best."""
        types, variants, misplaced = template.line_types, list[Variant](), 0
        masks = [self._masks(line) for line in self.lines]
        usual = [self._masks(line, usual=True) for line in self.lines]
        for index in range(0, len(self.lines), 2):
            pairs = couplet_variants(types[index], types[index + 1], template.line_length)
            costs = [
                _faults(odd, masks[index]) + _faults(even, masks[index + 1]) for odd, even in pairs
            ]
            least = min(costs)
            ways = [pair for pair, cost in enumerate(costs) if cost == least]
            best = min(ways, key=lambda way: _strangeness(pairs[way], usual[index : index + 2]))
            misplaced += costs[best]
            variants += pairs[best]
        unrhymed = types[0].rhymed and not self.opens_in_rhyme(rhyme)
        return Setting(template, tuple(variants), misplaced, unrhymed)

    def opens_in_rhyme(self, group: str | None) -> bool:
        """Return whether line 1 ends in a group or one of its neighbours."""
        return group is not None and any(
            own == group or Rhymes.are_neighbours(own, group)
            for own in self.groups(self.lines[0][-1])
        )

    def _masks(self, line: str, *, usual: bool = False) -> tuple[int, int]:
        """Return the places that cannot be level and those that cannot be oblique, as bits.

        Args:
            line: The line.
            usual: Whether to read each character in its commonest tone alone.
        """
        tones = [self.tones(character)[: 1 if usual else None] for character in line]
        return _bits(Tone.PING not in found for found in tones), _bits(
            Tone.ZE not in found for found in tones
        )

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


def _written_forms(character: str) -> tuple[str, ...]:
    """Return a character as it is written, all that it may stand for, all that is printed so."""
    forms = (character, *standard_forms(character), *reprints().get(character, ""))
    return tuple(dict.fromkeys(forms))


def _bits(flags: Iterator[bool]) -> int:
    return sum(flag << place for place, flag in enumerate(flags))


def _strangeness(pair: Sequence[Variant], usual: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return how many licences two lines take, and how many characters in no usual tone."""
    licences = sum(variant.licence is not Licence.NONE for variant in pair)
    return licences, sum(map(_faults, pair, usual))


def _faults(variant: Variant, masks: tuple[int, int]) -> int:
    """Return how many places of a line cannot have a variant's tone."""
    never_level, never_oblique = masks
    return ((variant.level_bits & never_level) | (~variant.level_bits & never_oblique)).bit_count()
