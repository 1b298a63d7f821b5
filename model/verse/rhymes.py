"""The rhyme table: the tones and the 平水韵 rhyme groups of a character's readings.

The table is rhymes.tsv beside this file; its first lines name source and licence, and
training.tables.rhymes derives it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import NamedTuple, Self

# fmt: off
LEVEL_GROUPS = (
    "一東", "二冬", "三江", "四支", "五微", "六魚", "七虞", "八齊",
    "九佳", "十灰", "十一真", "十二文", "十三元", "十四寒", "十五刪", "一先",
    "二蕭", "三肴", "四豪", "五歌", "六麻", "七陽", "八庚", "九青",
    "十蒸", "十一尤", "十二侵", "十三覃", "十四鹽", "十五咸",
)
# fmt: on
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
        percents: How much of a character's use each of its readings has; 100 where it is absent.
    """

    def __init__(
        self,
        readings: Mapping[str, tuple[Reading, ...]],
        percents: Mapping[tuple[str, Reading], int] | None = None,
    ) -> None:
        self._readings = readings
        self._percents = percents or {}

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
        percents = dict[tuple[str, Reading], int]()
        for line in lines:
            if line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 5 or len(fields[0]) != 1 or fields[1] not in tuple("平上去入仄"):
                raise ValueError(f"expected a character, its tone, group and use, got {line!r}")
            reading = Reading(fields[1], fields[2])
            readings.setdefault(fields[0], []).append(reading)
            if fields[4] != "100":
                percents[fields[0], reading] = int(fields[4])
        return cls({character: tuple(found) for character, found in readings.items()}, percents)

    def __contains__(self, character: str) -> bool:
        return character in self._readings

    def __len__(self) -> int:
        return len(self._readings)

    def all_groups(self) -> list[str]:
        """Return every rhyme group, the level ones first."""
        found = {reading.group for each in self._readings.values() for reading in each} - {""}
        return [*LEVEL_GROUPS, *sorted(found - {*LEVEL_GROUPS})]

    def readings(self, character: str, *, usual: bool = False) -> tuple[Reading, ...]:
        """Return the readings of a character as it is written; none if the table lacks it.

        Args:
            character: One Han character.
            usual: Whether to leave out the readings that poets hardly use.
        """
        found = self._readings.get(character, ())
        if not usual:
            return found
        return tuple(item for item in found if self.percent(character, item) >= RARE_PERCENT)

    def percent(self, character: str, reading: Reading) -> int:
        """Return how much of a character's use in regulated verse has a reading of it."""
        return self._percents.get((character, reading), 100)

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
