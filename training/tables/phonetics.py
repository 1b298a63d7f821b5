"""Readings that a character owes to its phonetic: those of the characters that share it.

The phonetic of a character says how it sounds, so 婷, which 廣韻 lacks, rhymes as 停 and 亭 do. Two
characters sound alike if they have a phonetic and a Mandarin reading in common.

Source: Unihan 15.0 (Unicode License v3): kPhonetic, kMandarin and kHanyuPinyin, the readings of
漢語大字典; files Unihan_DictionaryLikeData.txt and Unihan_Readings.txt, in Debian's unicode-data.
"""

import bz2
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.verse.rhymes import LEVEL_GROUPS, Reading, Rhymes
from training.tables.usage import ReadingUsage

MIN_RHYMES = 3  # that show a second reading
LEVEL_SPELLING = re.compile(
    "[āēīōūǖáéíóúǘḿń]"
)  # of the Mandarin tones that come from the level one
Readings = Mapping[str, list[Reading]]


def read_property(path: Path, name: str) -> dict[str, str]:
    """Return the values of one property by character, from a file of Unihan, plain or .bz2."""
    content = path.read_bytes()
    text = (bz2.decompress(content) if path.suffix == ".bz2" else content).decode()
    rows = (line.split("\t") for line in text.splitlines() if line.startswith("U+"))
    return {chr(int(code[2:], 16)): value for code, found, value in rows if found == name}


@dataclass(frozen=True)
class Phonetics:
    """What shares a phonetic, and how characters are read in Mandarin.

    Args:
        families: The phonetics of each character, by their numbers.
        mandarin: The usual Mandarin readings.
        every: All Mandarin readings of the dictionary.
    """

    families: dict[str, frozenset[str]]
    mandarin: dict[str, frozenset[str]]
    every: dict[str, frozenset[str]]

    @classmethod
    def read(cls, variants: Path) -> "Phonetics":
        """Read the files of Unihan that lie beside Unihan_Variants.txt, packed as it is."""
        like_data = variants.with_name(variants.name.replace("Variants", "DictionaryLikeData"))
        readings = variants.with_name(variants.name.replace("Variants", "Readings"))
        phonetic = read_property(like_data, "kPhonetic")
        mandarin = read_property(readings, "kMandarin")
        every = read_property(readings, "kHanyuPinyin")
        return cls(
            {c: frozenset(re.findall(r"\d+", numbers)) for c, numbers in phonetic.items()},
            {c: frozenset(spelling.split()) for c, spelling in mandarin.items()},
            {c: frozenset(re.findall(r"[^\d.,: ]+", text)) for c, text in every.items()},
        )

    def level_group(self, character: str, readings: Readings) -> str | None:
        """Return the level group of most characters that sound like one, its usual reading."""
        votes = self._votes(character, self.mandarin.get(character, frozenset()), readings)
        (group, count), *_ = votes.most_common(1) or [("", 0)]
        return group if 2 * count > votes.total() else None

    def second_groups(self, character: str, readings: Readings) -> set[str]:
        """Return the level groups of what sounds like an unusual reading of a character."""
        usual = self.mandarin.get(character, frozenset())
        return set(self._votes(character, self.every.get(character, usual) - usual, readings))

    def _votes(self, character: str, spellings: frozenset[str], readings: Readings) -> Counter[str]:
        """Return how many characters of its phonetic that are read so have each level group."""
        votes = Counter[str]()
        level = {spelling for spelling in spellings if LEVEL_SPELLING.search(spelling)}
        for other in self._relatives(character):
            if level & self.mandarin.get(other, frozenset()):
                votes.update({r.group for r in readings.get(other, []) if r.group in LEVEL_GROUPS})
        return votes

    def _relatives(self, character: str) -> set[str]:
        numbers = self.families.get(character, frozenset())
        return {other for number in numbers for other in self._members[number]} - {character}

    @cached_property
    def _members(self) -> dict[str, set[str]]:
        members: dict[str, set[str]] = defaultdict(set)
        for character, numbers in self.families.items():
            for number in numbers:
                members[number].add(character)
        return members


def second_readings(
    phonetics: Phonetics, readings: Readings, usage: ReadingUsage
) -> Iterator[tuple[str, Reading]]:
    """Yield the level readings of characters that their phonetic explains and poets rhyme by.

    Poets show one by three rhymes in a group that is no neighbour of the character's own: 衰, read
    cuī as 縗, with the 灰.
    """
    for character, groups in usage.groups.items():
        own = {reading.group for reading in readings.get(character, [])}
        for group in sorted(phonetics.second_groups(character, readings) - own):
            near = any(Rhymes.are_neighbours(group, other) for other in own)
            if not near and groups[group] >= MIN_RHYMES:
                yield character, Reading("平", group)
