"""Pinyin with tone marks: today's readings of characters, chosen by how verse reads them.

A level tone (平) of old is today's first or second, a rising one (上) the third or the fourth, a
departing one (去) the fourth; an entering one (入) may be any.

The package pypinyin takes half a second to load, so it is loaded when it is first needed.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from model.verse.rhymes import Rhymes, Tone
from model.verse.script import standard_forms

TODAYS = {"平": "12", "上": "34", "去": "4", "入": "1234", "仄": "34"}  # tones, by that of old


def pinyin_of(character: str, category: str) -> list[str]:
    """Return today's readings of a character that go with a tone of old; all if none does.

    Args:
        character: One Han character.
        category: One of 平上去入, or 仄 where it is not known which of the last three.
    """
    found = _readings(character)
    return [marked for marked, tone in found if tone in TODAYS[category]] or [m for m, _ in found]


def pinyin_of_lines(lines: Sequence[str], tones: Sequence[str]) -> list[list[str]]:
    """Return a syllable for each character of a poem, in the tone that it is read in.

    Args:
        lines: Its lines, without punctuation.
        tones: The tone of each character, a string of 平, 仄 and ？ a line.

    Returns:
        For each line the syllables; an empty string where none is known.
    """
    return [[*_syllables(line, read)] for line, read in zip(lines, tones, strict=True)]


def _syllables(line: str, tones: str) -> Iterator[str]:
    for character, syllable, tone in zip(line, _spoken(line), tones, strict=True):
        wanted = "".join(TODAYS[category] for category in _categories(character, tone))
        fitting = [marked for marked, number in _readings(character) if number in wanted]
        yield syllable if not fitting or syllable in fitting else fitting[0]


def _spoken(line: str) -> Iterator[str]:
    """Yield the syllable of each character as the words of a line are read today."""
    from pypinyin import Style, pinyin

    for known, run in groupby(line, key=lambda character: bool(_readings(character))):
        text = "".join(run)
        yield from (
            (each[0] for each in pinyin(text, style=Style.TONE)) if known else [""] * len(text)
        )


def _categories(character: str, tone: str) -> set[str]:
    """Return the tones of old that a character has among the level or the oblique ones."""
    rhymes = Rhymes.load()
    readings = (r for form in standard_forms(character) for r in rhymes.readings(form, usual=True))
    return {r.category for r in readings if (r.category == Tone.PING) == (tone == Tone.PING)}


@lru_cache(16_384)
def _readings(character: str) -> tuple[tuple[str, str], ...]:
    """Return today's readings of a character with the number of their tone, the commonest first."""
    from pypinyin import Style, pinyin

    def read(style: Style) -> list[str]:
        found = pinyin(character, style=style, heteronym=True, errors="ignore")
        return found[0] if found else []

    return tuple((m, n[-1]) for m, n in zip(read(Style.TONE), read(Style.TONE3), strict=True))
