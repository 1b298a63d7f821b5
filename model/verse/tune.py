"""The tunes of ci (词牌): how the lines of each run, pause and rhyme.

A tune has variants, the commonest first; each is a measure that a poem can be written to. The
table of them is in tunes.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from model.verse.rhymes import Tone
from model.verse.script import Script, to_script

FIXED = 0.9  # of the poems have one tone at a place that is not free
EITHER = "中"  # a place that is free, in a pattern
SHORT, MIDDLE = 58, 90  # characters of 小令 and 中调 at most
FULL_STOP, COMMA, PAUSE = "。", "，", "、"

Spot = tuple[int, int]  # line and character, both from 0


@dataclass(frozen=True)
class TuneLine:
    """A line of a variant.

    Args:
        segments: Its characters between pauses; they add up to its length.
        rhyme: The letter of the rhymes that it belongs to, small if oblique; empty if none.
        tones: The strings of tones that poets gave it, with the percent of the poems.
    """

    segments: tuple[int, ...]
    rhyme: str
    tones: Mapping[str, int]

    @cached_property
    def size(self) -> int:
        """Its characters."""
        return sum(self.segments)

    @property
    def pauses(self) -> tuple[int, ...]:
        """After how many characters it pauses."""
        return tuple(accumulate(self.segments))[:-1]

    @property
    def mark(self) -> str:
        """What ends it: a full stop where it rhymes."""
        return FULL_STOP if self.rhyme else COMMA

    @property
    def rhyme_tone(self) -> Tone:
        """The tone of its rhyme."""
        return Tone.PING if self.rhyme.isupper() else Tone.ZE

    @cached_property
    def regular(self) -> tuple[str, ...]:
        """The strings of tones that have the usual tone at every place that is not free."""
        total = sum(self.tones.values())
        level = [
            sum(share for tones, share in self.tones.items() if tones[place] == Tone.PING) / total
            for place in range(self.size)
        ]
        usual = "".join(
            Tone.PING if share >= FIXED else Tone.ZE if share <= 1 - FIXED else EITHER
            for share in level
        )
        fitting = [
            tones
            for tones in self.tones
            if all(want in (EITHER, tone) for want, tone in zip(usual, tones, strict=True))
        ]
        return tuple(fitting or self.tones)

    @cached_property
    def pattern(self) -> str:
        """What each place asks for: 平, 仄, or 中 where it is free."""
        places = (set(tones) for tones in zip(*self.regular, strict=True))
        return "".join(found.pop() if len(found) == 1 else EITHER for found in places)


@dataclass(frozen=True, eq=False)
class TuneVariant:
    """A variant of a tune (体), and the measure of a poem that follows it.

    Args:
        tune: The tune's name in the model's script.
        pinyin: The tune's.
        number: From 1, the commonest first.
        poems: How many of the corpus run so.
        family: How many its tones are from.
        kept: The percent of these that keep every rhyme.
        entering: The percent of poems that have the entering tone at the rhymes of a letter.
        stanzas: How many lines each stanza has.
        lines: Its lines.
        again: The spots whose character is that of an earlier one (叠).
    """

    tune: str
    pinyin: str
    number: int
    poems: int
    family: int
    kept: int
    entering: Mapping[str, int]
    stanzas: tuple[int, ...]
    lines: tuple[TuneLine, ...]
    again: Mapping[Spot, Spot]

    @property
    def code(self) -> str:
        """The name in the JSON contract: huanxisha, and huanxisha-2 for the second variant."""
        return self.pinyin if self.number == 1 else f"{self.pinyin}-{self.number}"

    @property
    def value(self) -> str:
        """Its Chinese name, such as 临江仙（六十字）, in simplified script."""
        return f"{to_script(self.tune, Script.SIMPLIFIED)}（{numeral(self.characters)}字）"

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Characters of each line."""
        return tuple(line.size for line in self.lines)

    @cached_property
    def characters(self) -> int:
        """Han characters of the whole poem."""
        return sum(self.lengths)

    @property
    def num_lines(self) -> int:
        """Lines of the whole poem."""
        return len(self.lines)

    @cached_property
    def num_tokens(self) -> int:
        """Characters and marks of the whole poem."""
        return sum(self.line_tokens)

    @cached_property
    def line_tokens(self) -> tuple[int, ...]:
        """Characters and marks of each line, those of its pauses included."""
        return tuple(line.size + len(line.segments) for line in self.lines)

    @cached_property
    def heads(self) -> tuple[int, ...]:
        """The lines that begin a sentence, counted from 0."""
        return (0, *(n for n, line in enumerate(self.lines[:-1], 1) if line.rhyme))

    @property
    def unit(self) -> str:
        """What begins at the heads."""
        return "sentence"

    @cached_property
    def last_lines(self) -> frozenset[int]:
        """The lines that end a stanza, counted from 0."""
        return frozenset(end - 1 for end in accumulate(self.stanzas))

    @property
    def sharpness(self) -> float:
        """The share of the places that are not free."""
        patterns = "".join(line.pattern for line in self.lines)
        return 1 - patterns.count(EITHER) / len(patterns)

    def joined(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Return a poem's lines that were cut at pauses, too, as the variant has them."""
        found, rest = list[str](), list(lines)
        for length in self.lengths:
            if not rest:
                break
            line = rest.pop(0)
            while rest and len(line) < length >= len(line) + len(rest[0]):
                line += rest.pop(0)
            found.append(line)
        return (*found, *rest)

    def set_out(self, lines: Iterable[str]) -> str:
        """Return a poem's lines as text: a sentence a row, an empty row between stanzas."""
        text = ""
        for number, (line, own) in enumerate(zip(lines, self.lines, strict=True)):
            text += punctuated(line, own)
            if number in self.last_lines and number + 1 < self.num_lines:
                text += "\n\n"
            elif own.rhyme and number + 1 < self.num_lines:
                text += "\n"
        return text


@dataclass(frozen=True, eq=False)
class Tune:
    """A tune (词牌).

    Args:
        name: In the model's script.
        pinyin: Without tones and spaces.
        others: Other names, in the model's script.
        poems: How many of the corpus are to it.
        variants: The commonest first; at least one.
    """

    name: str
    pinyin: str
    others: tuple[str, ...]
    poems: int
    variants: list[TuneVariant] = field(default_factory=list)

    @property
    def category(self) -> str:
        """小令, 中调 or 长调, by the length of the commonest variant."""
        size = self.variants[0].characters
        return "小令" if size <= SHORT else "中调" if size <= MIDDLE else "长调"


def punctuated(line: str, own: TuneLine) -> str:
    """Return the characters of a line with its pauses and its mark."""
    text, start = "", 0
    for size in own.segments:
        text += (PAUSE if start else "") + line[start : start + size]
        start += size
    return text + own.mark


def numeral(number: int) -> str:
    """Return a number below 1,000 in Chinese, such as 一百一十六."""
    digits = "〇一二三四五六七八九"
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{digits[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else digits[tens]) + "十"
    elif hundreds and ones:
        text += "〇"
    return text + (digits[ones] if ones or not number else "")
