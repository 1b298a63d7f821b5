"""词林正韵: the nineteen parts that ci rhyme in, merged from the groups of 平水韵.

The table is cilin.tsv beside this file; its first lines name source and licence, and
training.tables.cilin derives it. Parts 1 to 14 have level and oblique characters, which ci keep
apart unless the tune says otherwise; parts 15 to 19 have those of the entering tone.
"""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import NamedTuple, Self

from model.verse.rhymes import LEVEL_GROUPS, Tone

FIRST_ENTERING = 15
NUMERALS = "一二三四五六七八九"


class Part(NamedTuple):
    """A part of 词林正韵, in the level or in the oblique tones."""

    number: int  # 1 to 19
    tone: Tone

    @property
    def name(self) -> str:
        """The name that the book gives it, such as 第三部."""
        tens, ones = divmod(self.number, 10)
        return f"第{'十' * tens}{NUMERALS[ones - 1] if ones else ''}部"

    @property
    def entering(self) -> bool:
        """Whether it has the entering tone alone."""
        return self.number >= FIRST_ENTERING


class Cilin:
    """The parts of groups, and of the characters of a group that is divided.

    Args:
        whole: The part of each group that lies in one.
        divided: The parts of each character of the other groups.
    """

    def __init__(self, whole: dict[str, int], divided: dict[tuple[str, str], list[int]]) -> None:
        self._whole, self._divided = whole, divided

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the packaged table."""
        text = resources.files("model.verse").joinpath("cilin.tsv").read_text(encoding="utf-8")
        return cls.parse(text.splitlines())

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Return the table of lines: tone, group, part, and characters of a divided group, by tabs.

        Raises:
            ValueError: If a line is not of this kind; # begins a comment.
        """
        whole, divided = dict[str, int](), dict[tuple[str, str], list[int]]()
        for line in lines:
            if line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 4 or not fields[2].isdecimal() or not 1 <= int(fields[2]) <= 19:
                raise ValueError(f"expected tone, group, part and characters, got {line!r}")
            _, group, part, characters = fields
            if not characters:
                whole[group] = int(part)
            for character in characters:
                divided.setdefault((character, group), []).append(int(part))
        return cls(whole, divided)

    def parts(self, character: str, groups: Iterable[str]) -> frozenset[Part]:
        """Return the parts of a character in its readings of some groups of 平水韵.

        Args:
            character: As rhymes.tsv has it.
            groups: Those of its readings that count.
        """
        return frozenset(
            Part(number, Tone.PING if group in LEVEL_GROUPS else Tone.ZE)
            for group in groups
            for number in self._numbers(character, group)
        )

    def _numbers(self, character: str, group: str) -> list[int]:
        number = self._whole.get(group)
        return self._divided.get((character, group), []) if number is None else [number]
