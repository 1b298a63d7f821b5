"""Judges a poem by the rules of regulated verse and says what it found, spot by spot.

check() reads every character in the tone that its spot asks for, if poets usually read it so. It
judges each line by the four line types, then how the lines follow each other, and names the poem:

    押韵    the even lines end in one rhyme group, which 平韵 asks to be level
    首句    line 1 rhymes, or borrows a neighbouring group, or ends oblique
    重韵    no rhyme character comes twice
    仄收    odd lines that do not rhyme end oblique
    平仄    every line is one of the four types, or a licensed variant of one
    对      lines 2k-1 and 2k are opposite at characters 2, 4 and 6
    粘      lines 2k and 2k+1 are equal at character 2
    孤平    no line runs 仄平仄仄平
    三平调  no line ends in three level tones
    拗救    a line ?仄?仄仄 is made good by the next

Regulated are 4, 8, 10 and more lines of five or seven; other poems, and those of oblique rhyme, get
their tones and the rules of rhyme.

Source: Wang Li, 诗词格律 (1962), also for the names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

from model.verse.form import Form
from model.verse.parallels import Parallelism, Parallels
from model.verse.pattern import Template
from model.verse.rhymes import Rhymes
from model.verse.rules import Check, Scanned, rhyme_checks, rhyme_lines, tone_checks
from model.verse.scansion import Scansion, Verse, split_lines
from model.verse.script import as_simplified, unify
from model.verse.text import find_poem

BENT_SHARE = 0.4  # of the lines may depart from every type, and the poem be a 拗体


class Genre(StrEnum):
    """What a poem is by its prosody."""

    REGULATED_QUATRAIN = "律绝"
    REGULATED_EIGHT = "律诗"
    REGULATED_LONG = "排律"
    BROKEN_WAIST = "折腰体"  # 粘 alone fails, and once
    IRREGULAR = "拗体"  # most lines are regular; some rule fails
    OBLIQUE = "仄韵"
    OLD_QUATRAIN = "古绝"
    OLD = "古体"
    UNEQUAL = "杂言"


@dataclass(frozen=True)
class MeterProof:
    """What check() found.

    Args:
        form: The verse form by its measure; None if the lines differ in length.
        lines: The poem's lines without punctuation.
        genre: What the poem is by its prosody.
        pattern: How line 1 begins and whether it rhymes; None if the poem is not near regulated.
        line_types: The type of each line, such as aBbA; empty if there is no pattern.
        tones: The tone that each character was read in, a string of 平 and 仄 a line; ？ where it
            is not known.
        rhyme: Rhyme group of most even lines; None if no two lines rhyme.
        rhyme_lines: The numbers of the lines that end in it, or near it in line 1, from 1.
        checks: The rules by name.
        parallelism: How parallel the middle couplets of eight lines are: a figure, not a rule.
    """

    form: Form | None
    lines: tuple[str, ...]
    genre: Genre
    pattern: str | None
    line_types: str
    tones: tuple[str, ...]
    rhyme: str | None
    rhyme_lines: tuple[int, ...]
    checks: dict[str, Check]
    parallelism: tuple[Parallelism, ...]

    @property
    def regulated(self) -> bool:
        """Whether this is regulated verse: it has a pattern, and every rule holds."""
        return self.pattern is not None and all(check.holds for check in self.checks.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the proof in JSON's types."""
        return {
            "genre": self.genre.value,
            "pattern": self.pattern,
            "line_types": self.line_types,
            "tones": list(self.tones),
            "rhyme": self.rhyme,
            "rhyme_lines": list(self.rhyme_lines),
            "regulated": self.regulated,
            "checks": {
                name: {
                    "holds": check.holds,
                    "where": [list(spot) for spot in check.where],
                    "note": check.note,
                }
                for name, check in self.checks.items()
            },
            "parallelism": [
                {
                    "lines": list(each.lines),
                    "likeness": round(each.likeness, 3),
                    "quartiles": list(each.quartiles),
                }
                for each in self.parallelism
            ],
        }


def check(
    poem: str | Sequence[str], *, rhymes: Rhymes | None = None, exact: bool = False
) -> MeterProof:
    """Judge a poem, in either script.

    Args:
        poem: A text that has it, perhaps with title and author above; or its lines.
        rhymes: The rhyme table; None for the packaged one.
        exact: True if the poem is in the model's script, where 里 is not 裏: a character then
            stands for itself alone. Otherwise it stands for all that its simplified form may stand
            for, in traditional script, too: a poem has the same proof in both.

    Raises:
        ValueError: If there are no Chinese characters in it.
    """
    lines = list(find_poem(poem).lines if isinstance(poem, str) else chain(*map(split_lines, poem)))
    if not lines:
        raise ValueError(f"there are no Chinese characters in {str(poem)!r}")
    table = Rhymes.load() if rhymes is None else rhymes
    read = lines if exact else [as_simplified(line) for line in lines]
    found = _scan(Verse(read, table, exact=exact))
    checks = dict(rhyme_checks(found))
    if found.scansion is not None and not found.is_oblique:
        checks |= dict(tone_checks(found, found.scansion))
    genre = _genre(found, checks)
    template = _template(genre, found.scansion)
    return MeterProof(
        form=Form.of_lines(lines),
        lines=tuple(lines),
        genre=genre,
        pattern=template.name if template else None,
        line_types=template.letters if template else "",
        tones=found.tones,
        rhyme=found.rhyme,
        rhyme_lines=rhyme_lines(found),
        checks=checks,
        parallelism=Parallels.load().judge([unify(line) for line in found.lines]),
    )


def _scan(verse: Verse) -> Scanned:
    """Return a poem as it is read."""
    rhyme = verse.rhyme_group()
    if (
        len({*map(len, verse.lines)}) > 1
        and sum(verse.rhymes_in(x, rhyme) for x in verse.lines) < 2
    ):
        rhyme = None  # of unequal lines one alone is no sign of verse
    regulated = len(verse.lines) in (4, 8) or len(verse.lines) >= 10
    scansion = verse.scan(rhyme) if regulated else None
    return Scanned(verse, rhyme, scansion, verse.read(scansion, rhyme))


def _genre(poem: Scanned, checks: Mapping[str, Check]) -> Genre:
    """Return what a poem is, by the rules that it keeps."""
    number = len(poem.lines)
    if len({len(line) for line in poem.lines}) > 1:
        return Genre.UNEQUAL
    if poem.is_oblique:
        return Genre.OBLIQUE
    if poem.scansion is None:
        return Genre.OLD
    failing = {name: check for name, check in checks.items() if not check.holds}
    if not failing:
        regulated = {4: Genre.REGULATED_QUATRAIN, 8: Genre.REGULATED_EIGHT}
        return regulated.get(number, Genre.REGULATED_LONG)
    if failing.keys() == {"粘"} and len(failing["粘"].where) == 1:
        return Genre.BROKEN_WAIST
    if len({line for line, _ in checks["平仄"].where}) <= BENT_SHARE * number:
        return Genre.IRREGULAR
    return Genre.OLD_QUATRAIN if number == 4 else Genre.OLD


def _template(genre: Genre, scansion: Scansion | None) -> Template | None:
    """Return the line types of a poem that is regulated, or nearly so."""
    if scansion is None or genre in (Genre.OBLIQUE, Genre.OLD_QUATRAIN, Genre.OLD):
        return None
    return Template(scansion.line_types, len(scansion.variants[0].tones))
