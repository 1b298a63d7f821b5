"""Judges a poem by the rules of regulated verse and says what it found, place by place.

check() reads every character in the tone that its place asks for, if it has such a reading,
against the template that fits best, and holds the poem to each rule by name:

    押韵    the even lines end in one rhyme group, which 平韵 asks to be level
    首句    line 1 rhymes, or borrows a neighbouring group, if its template says so
    重韵    no rhyme character comes twice
    仄收    odd lines that do not rhyme end oblique
    平仄    every place has the tone of the template or of a licensed variant
    对      lines 2k-1 and 2k are opposite at characters 2, 4 and 6
    粘      lines 2k and 2k+1 are equal at character 2
    孤平    no rhymed line runs 仄平仄仄平
    三平调  no line ends in three level tones
    拗救    a line ?仄?仄仄 is made good by the next

Poems that are not four or eight lines of five or seven get their tones and the rules of rhyme.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from model.form import Form, Layout
from model.pattern import Licence, Template, Variant, couplet_variants, templates
from model.rhymes import LEVEL_GROUPS, Rhymes, Tone
from model.script import is_han, standard_forms, unify

UNKNOWN_TONE = "？"
Place = tuple[int, int]  # line and character, both counted from 1


class Check(NamedTuple):
    """Whether a rule holds, the places where it fails, and a word on how it was met."""

    holds: bool
    where: tuple[Place, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class MeterProof:
    """What check() found.

    Args:
        form: The verse form by its measure; None if the lines differ in length.
        lines: The poem's lines without punctuation.
        pattern: Name of the template that fits best; None if the form has no templates.
        line_types: The template's line types, such as aBbA; empty if there is no template.
        tones: The tone that each character was read in, a string of 平 and 仄 a line.
        rhyme: Rhyme group of most even lines; None if no two of them rhyme.
        checks: The rules by name.
    """

    form: Form | None
    lines: tuple[str, ...]
    pattern: str | None
    line_types: str
    tones: tuple[str, ...]
    rhyme: str | None
    checks: dict[str, Check]

    @property
    def regulated(self) -> bool:
        """Whether this is regulated verse: there is a template, and every rule holds."""
        return self.pattern is not None and all(check.holds for check in self.checks.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the proof in JSON's types."""
        return {
            "pattern": self.pattern,
            "line_types": self.line_types,
            "tones": list(self.tones),
            "rhyme": self.rhyme,
            "regulated": self.regulated,
            "checks": {
                name: {
                    "holds": check.holds,
                    "where": [list(place) for place in check.where],
                    "note": check.note,
                }
                for name, check in self.checks.items()
            },
        }


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


def check(
    poem: str | Sequence[str], *, rhymes: Rhymes | None = None, exact: bool = False
) -> MeterProof:
    """Judge a poem, in either script.

    Args:
        poem: Its text, or its lines.
        rhymes: The rhyme table; None for the packaged one.
        exact: True if the poem is in the model's script, where 里 is not 裏: a character then
            stands for itself alone, and not for all that its simplified form may stand for.

    Raises:
        ValueError: If there are no Chinese characters in it.
    """
    lines = split_lines(poem) if isinstance(poem, str) else list(chain(*map(split_lines, poem)))
    if not lines:
        raise ValueError(f"there are no Chinese characters in {str(poem)!r}")
    verse = Verse(lines, Rhymes.load() if rhymes is None else rhymes, exact=exact)
    rhyme = verse.rhyme_group()
    setting = verse.best_setting(rhyme)
    tones = verse.read(setting)
    checks = dict(_rhyme_checks(verse, rhyme, setting))
    if setting is not None:
        checks |= dict(_tone_checks(setting, tones))
    return MeterProof(
        form=Form.of_lines(lines),
        lines=tuple(lines),
        pattern=setting.template.name if setting else None,
        line_types=setting.template.letters if setting else "",
        tones=tones,
        rhyme=rhyme,
        checks=checks,
    )


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
        for index in range(0, len(self.lines), 2):
            pairs = couplet_variants(types[index], types[index + 1], template.line_length)
            costs = [
                _faults(odd, masks[index]) + _faults(even, masks[index + 1]) for odd, even in pairs
            ]
            best = min(range(len(pairs)), key=costs.__getitem__)
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

    def _masks(self, line: str) -> tuple[int, int]:
        """Return the places that cannot be level and those that cannot be oblique, as bits."""
        tones = [self.tones(character) for character in line]
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
    """Return a character as it is written and all that it may stand for."""
    return tuple(dict.fromkeys((character, *standard_forms(character))))


def _bits(flags: Iterator[bool]) -> int:
    return sum(flag << place for place, flag in enumerate(flags))


def _faults(variant: Variant, masks: tuple[int, int]) -> int:
    """Return how many places of a line cannot have a variant's tone."""
    never_level, never_oblique = masks
    return ((variant.level_bits & never_level) | (~variant.level_bits & never_oblique)).bit_count()


def _failing(where: list[Place], note: str = "") -> Check:
    return Check(not where, tuple(where), note)


def _rhyme_checks(
    verse: Verse, rhyme: str | None, setting: Setting | None
) -> Iterator[tuple[str, Check]]:
    """Yield the rules of rhyme; those that ask for level rhyme only with a template."""
    lines = verse.lines
    even = [(index, line) for index, line in enumerate(lines, 1) if index % 2 == 0]
    ends = [(index, len(line)) for index, line in even if not verse.rhymes_in(line, rhyme)]
    yield "押韵", Check(rhyme is not None and not ends, tuple(ends), rhyme or "")
    rhymed = [*even]
    if setting is not None:
        level = rhyme in LEVEL_GROUPS
        yield "平韵", Check(level, () if level else tuple((i, len(line)) for i, line in even))
        if setting.template.line_types[0].rhymed:
            rhymed.insert(0, (1, lines[0]))
        yield "首句", _first_line_check(verse, rhyme, setting)
    seen = Counter(unify(line[-1]) for _, line in rhymed)
    repeated = [(index, len(line)) for index, line in rhymed if seen[unify(line[-1])] > 1]
    yield "重韵", _failing(repeated)


def _first_line_check(verse: Verse, rhyme: str | None, setting: Setting) -> Check:
    """Return the rule of line 1: rhymed, in a neighbouring group, or not rhymed at all."""
    line = verse.lines[0]
    if not setting.template.line_types[0].rhymed:
        return Check(True, note="不入韵")
    if verse.rhymes_in(line, rhyme):
        return Check(True, note="入韵")
    borrowed = verse.opens_in_rhyme(rhyme)
    return Check(borrowed, () if borrowed else ((1, len(line)),), "邻韵" if borrowed else "")


def _tone_checks(setting: Setting, tones: tuple[str, ...]) -> Iterator[tuple[str, Check]]:
    """Yield the rules of tone."""
    types, variants = setting.template.line_types, setting.variants
    size = setting.template.line_length
    numbered = list(enumerate(tones, 1))
    unrhymed = [(i, line) for i, line in numbered if not types[i - 1].rhymed]
    yield "仄收", _failing([(i, size) for i, line in unrhymed if line[-1] != Tone.ZE])
    wrong = [
        (i, place)
        for (i, line), variant in zip(numbered, variants, strict=True)
        for place, (tone, wanted) in enumerate(zip(line, variant.tones, strict=True), 1)
        if tone != wanted
    ]
    yield "平仄", _failing(wrong)
    yield "对", _failing(list(_not_opposite(setting, tones)))
    nian = [i for i in range(2, len(tones), 2) if tones[i - 1][1] != tones[i][1]]
    yield "粘", _failing([(i + 1, 2) for i in nian])
    lone = [i for i, line in numbered if line.endswith("仄平仄仄平")]
    yield "孤平", _failing([(i, size - 3) for i in lone])
    triple = [i for i, line in numbered if line.endswith("平平平")]
    yield "三平调", _failing([(i, size) for i in triple])
    yield "拗救", _rescue_check(setting, tones)


def _not_opposite(setting: Setting, tones: tuple[str, ...]) -> Iterator[Place]:
    """Yield the places of even lines that 对 fails at; a licensed 拗 in the odd line is exempt."""
    size = setting.template.line_length
    for i in range(0, len(tones), 2):
        bent = setting.variants[i].licence in (Licence.SELF, Licence.NEXT_LINE)
        for place in range(2, size, 2):
            exempt = bent and place == size - 1 and tones[i] == setting.variants[i].tones
            if tones[i][place - 1] == tones[i + 1][place - 1] and not exempt:
                yield i + 2, place


def _rescue_check(setting: Setting, tones: tuple[str, ...]) -> Check:
    """Return the rule of 拗救, with the licences that were taken as its note."""
    size, failed, taken = setting.template.line_length, [], []
    for i, (line, variant) in enumerate(zip(tones, setting.variants, strict=True)):
        if line == variant.tones and variant.licence is not Licence.NONE:
            taken.append(f"第{i + 1}句{variant.licence}")
        following = Variant(tones[i + 1], Licence.NONE) if i % 2 == 0 else None
        bent = line[-4] + line[-2:] == "仄仄仄"
        if setting.template.line_types[i] == "a" and bent and following and not following.rescues:
            failed.append((i + 1, size - 1))
    return _failing(failed, "，".join(taken))
