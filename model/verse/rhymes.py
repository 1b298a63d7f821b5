"""The rhyme table: the tones and the 平水韵 rhyme groups of a character's readings.

The table is rhymes.tsv beside this file; its first lines name source and licence, and
training.tables.rhymes derives it.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple, Self

from model.verse.script import reprints, standard_forms

# fmt: off
LEVEL_GROUPS = (
    "一東", "二冬", "三江", "四支", "五微", "六魚", "七虞", "八齊",
    "九佳", "十灰", "十一真", "十二文", "十三元", "十四寒", "十五刪", "一先",
    "二蕭", "三肴", "四豪", "五歌", "六麻", "七陽", "八庚", "九青",
    "十蒸", "十一尤", "十二侵", "十三覃", "十四鹽", "十五咸",
)
# fmt: on
CHARACTERS_KEPT = 16_384  # of one rhyme table; the corpus has 12,000
RARE_PERCENT = 5  # of a character's uses; a reading that has less is rare
# Groups that a first line may borrow from one another (邻韵).
NEIGHBOURS = (
    "東冬",
    "江陽",
    "支微齊",
    "魚虞",
    "佳灰",
    "真文元",
    "元寒刪先",
    "蕭肴豪",
    "庚青蒸",
    "覃鹽咸",
)


class Tone(StrEnum):
    """Level or oblique; the oblique tones are 上, 去 and 入."""

    PING = "平"
    ZE = "仄"

    @property
    def opposite(self) -> "Tone":
        """The other tone."""
        return Tone.ZE if self is Tone.PING else Tone.PING


class Reading(NamedTuple):
    """One reading of a character: its tone and its 平水韵 group.

    The tone is one of 平上去入, or 仄 where it is not known which of the last three; the group is
    empty where it is not known.
    """

    category: str
    group: str

    @property
    def tone(self) -> Tone:
        """Level or oblique."""
        return Tone.PING if self.category == "平" else Tone.ZE


class Rhymes:
    """The readings of every character of the table.

    Args:
        readings: A character's readings, the commonest first.
        rare: Characters with those of their readings that poets hardly use.
    """

    def __init__(
        self,
        readings: Mapping[str, tuple[Reading, ...]],
        rare: frozenset[tuple[str, Reading]] = frozenset(),
    ) -> None:
        self._readings = readings
        self._rare = rare
        self.level_groups = LEVEL_GROUPS

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the packaged table."""
        text = resources.files("model.verse").joinpath("rhymes.tsv").read_text(encoding="utf-8")
        return cls.parse(text.splitlines())

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Return the table of lines: character, tone, group, source, percent of use, by tabs.

        Raises:
            ValueError: If a line is not of this kind; # begins a comment.
        """
        readings: dict[str, list[Reading]] = {}
        rare = set()
        for line in lines:
            if line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 5 or len(fields[0]) != 1 or fields[1] not in tuple("平上去入仄"):
                raise ValueError(f"expected a character, its tone, group and use, got {line!r}")
            reading = Reading(fields[1], fields[2])
            readings.setdefault(fields[0], []).append(reading)
            if int(fields[4]) < RARE_PERCENT:
                rare.add((fields[0], reading))
        return cls(
            {character: tuple(found) for character, found in readings.items()}, frozenset(rare)
        )

    def __contains__(self, character: str) -> bool:
        return character in self._readings

    def __len__(self) -> int:
        return len(self._readings)

    def readings(self, character: str, *, usual: bool = False) -> tuple[Reading, ...]:
        """Return the readings of a character as it is written; none if the table lacks it.

        Args:
            character: One Han character.
            usual: Whether to leave out the readings that poets hardly use.
        """
        found = self._readings.get(character, ())
        if not usual:
            return found
        return tuple(item for item in found if (character, item) not in self._rare)

    def tones(self, character: str, *, usual: bool = False) -> frozenset[Tone]:
        """Return the tones that a character can be read in."""
        return frozenset(reading.tone for reading in self.readings(character, usual=usual))

    def groups(self, character: str, *, usual: bool = False) -> frozenset[str]:
        """Return the rhyme groups of a character."""
        found = self.readings(character, usual=usual)
        return frozenset(reading.group for reading in found if reading.group)

    @staticmethod
    def are_neighbours(group: str, other: str) -> bool:
        """Return whether a first line may rhyme in one level group and the poem in the other."""
        if group not in LEVEL_GROUPS or other not in LEVEL_GROUPS:
            return False
        return any(group[-1] in names and other[-1] in names for names in NEIGHBOURS)


class Sound(NamedTuple):
    """What a character can sound like.

    Args:
        tones: Its tones, the commonest first; none if they are not known.
        groups: Its rhyme groups.
    """

    tones: tuple[Tone, ...]
    groups: frozenset[str]


@lru_cache(4)
def sounds(rhymes: Rhymes, *, exact: bool) -> Callable[[str], Sound]:
    """Return the function from a character to its sound.

    Args:
        rhymes: The readings.
        exact: Whether a character stands for itself alone, and not for all that its simplified
            form may stand for.
    """

    @lru_cache(CHARACTERS_KEPT)
    def sound(character: str) -> Sound:
        forms = (character,) if exact else _written_forms(character)
        readings = [reading for form in forms for reading in rhymes.readings(form)]
        return Sound(
            tuple(dict.fromkeys(reading.tone for reading in readings)),
            frozenset(reading.group for reading in readings if reading.group),
        )

    return sound


def _written_forms(character: str) -> tuple[str, ...]:
    """Return a character as it is written, all that it may stand for, all that is printed so."""
    forms = (character, *standard_forms(character), *reprints().get(character, ""))
    return tuple(dict.fromkeys(forms))
