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

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from model.verse.form import Form
from model.verse.pattern import Licence, Variant
from model.verse.rhymes import LEVEL_GROUPS, Rhymes, Tone
from model.verse.scansion import Setting, Verse, split_lines
from model.verse.script import unify

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
