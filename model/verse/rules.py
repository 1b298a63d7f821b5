"""The rules of regulated verse by name: whether a poem keeps each, and where it does not."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from model.verse.pattern import Licence, LineType, Variant, line_variants
from model.verse.rhymes import LEVEL_GROUPS, Reading, Rhymes, Tone
from model.verse.scansion import UNKNOWN_TONE, Scansion, Verse
from model.verse.script import unify
from model.verse.sound import Sound

Spot = tuple[int, int]  # line and character, both counted from 1


class Check(NamedTuple):
    """Whether a rule holds, the spots where it fails, and a word on how it was met."""

    holds: bool
    where: tuple[Spot, ...] = ()
    note: str = ""


class Scanned(NamedTuple):
    """A poem as it was read.

    Args:
        verse: Its lines.
        rhyme: Its rhyme group; None if it does not rhyme.
        scansion: How its lines scan; None if they are of no regulated measure.
        tones: The tone of every character, a string a line.
    """

    verse: Verse
    rhyme: str | None
    scansion: Scansion | None
    tones: tuple[str, ...]

    @property
    def lines(self) -> Sequence[str]:
        """The lines without punctuation."""
        return self.verse.lines

    @property
    def is_oblique(self) -> bool:
        """Whether the poem rhymes in an oblique group (仄韵)."""
        return self.rhyme is not None and self.rhyme not in LEVEL_GROUPS


def rhyme_lines(poem: Scanned) -> tuple[int, ...]:
    """Return the numbers of the lines that rhyme: even ones, line 1, in oblique rhyme any other."""
    verse, found = poem.verse, []
    for number, line in enumerate(poem.lines, 1):
        rhymes = verse.rhymes_in(line, poem.rhyme)
        if number == 1 and not poem.is_oblique and poem.scansion is not None:
            rhymes = poem.tones[0][-1] != Tone.ZE and (
                rhymes or verse.rhymes_near(line, poem.rhyme)
            )
        if rhymes and (number == 1 or number % 2 == 0 or poem.is_oblique):
            found.append(number)
    return tuple(found)


def rhyme_checks(poem: Scanned) -> Iterator[tuple[str, Check]]:
    """Yield the rules of rhyme; of level rhyme only where the measure is a regulated one."""
    lines, rhyme = poem.lines, poem.rhyme
    even = [(index, line) for index, line in enumerate(lines, 1) if index % 2 == 0]
    ends = [(i, len(line)) for i, line in even if not _may_rhyme(poem, line)]
    notes = "；".join(filter(None, [rhyme, *_rhyme_notes(poem), _measure_note(poem)]))
    yield "押韵", Check(rhyme is not None and not ends, tuple(ends), notes)
    rhymed = [*even]
    if poem.scansion is not None:
        level = rhyme in LEVEL_GROUPS
        where = () if level else tuple((i, len(line)) for i, line in even)
        yield "平韵", Check(level, where, "仄韵" if poem.is_oblique else "")
        if 1 in rhyme_lines(poem) or poem.scansion.line_types[0].rhymed:
            rhymed.insert(0, (1, lines[0]))
        yield "首句", _first_line_check(poem, poem.scansion)
    seen = Counter(unify(line[-1]) for _, line in rhymed if line[-1] != "□")
    # 云 twice may be 雲 and 云: two words.
    repeated = {c for c, count in seen.items() if count > poem.verse.sound(c).words}
    yield "重韵", failing([(i, len(line)) for i, line in rhymed if unify(line[-1]) in repeated])


def _may_rhyme(poem: Scanned, line: str) -> bool:
    """Return whether a line ends in the rhyme, as far as its last character is known."""
    return poem.verse.rhymes_in(line, poem.rhyme) or not poem.verse.sound(line[-1]).tones


def _rhyme_notes(poem: Scanned) -> Iterator[str]:
    """Yield what is to be said of single rhymes: lone geese, and odd lines of oblique rhyme."""
    verse, rhyme, lines = poem.verse, poem.rhyme, poem.lines
    if rhyme is None:
        return
    if poem.is_oblique:
        odd = [number for number in rhyme_lines(poem) if number % 2]
        if odd:
            yield f"第{'、'.join(map(str, odd))}句亦韵"
        return
    for number, name in ((1, "孤雁入群"), (len(lines), "孤雁出群")):
        line = lines[number - 1]
        level = poem.tones[number - 1][-1] == Tone.PING
        if level and not verse.rhymes_in(line, rhyme) and verse.rhymes_near(line, rhyme):
            near = (g for g in sorted(verse.sound(line[-1]).groups)
                    if Rhymes.are_neighbours(g, rhyme))  # fmt: skip
            yield f"第{number}句{name}（邻韵{next(near)}）"


def _measure_note(poem: Scanned) -> str:
    """Return why a single couplet is not regulated; empty for any other poem."""
    if len(poem.lines) != 2 or len({*map(len, poem.lines)}) > 1:
        return ""
    return "只有一联：格律诗四句、八句，或十句以上成双，每句五字或七字"


def _first_line_check(poem: Scanned, scansion: Scansion) -> Check:
    """Return the rule of line 1: rhymed, in a neighbouring group, or not rhymed at all."""
    line = poem.lines[0]
    if poem.is_oblique:
        return Check(True, note="入韵" if poem.verse.rhymes_in(line, poem.rhyme) else "不入韵")
    if not scansion.line_types[0].rhymed:
        return Check(True, note="不入韵")
    if _may_rhyme(poem, line):
        return Check(True, note="入韵")
    borrowed = poem.verse.rhymes_near(line, poem.rhyme)
    return Check(borrowed, () if borrowed else ((1, len(line)),), "邻韵" if borrowed else "")


def tone_checks(poem: Scanned, scansion: Scansion) -> Iterator[tuple[str, Check]]:
    """Yield the rules of tone."""
    tones, size = poem.tones, len(poem.tones[0])
    numbered = list(enumerate(tones, 1))
    unrhymed = [(i, t) for i, t in numbered if i % 2 and not (i == 1 and _rhymes(scansion, 0))]
    yield "仄收", failing([(i, size) for i, line in unrhymed if line[-1] == Tone.PING])
    wrong = list(_misplaced(tones, scansion))
    departing = {line for line, _ in wrong}
    triple = [f"第{i}句三仄尾" for i in sorted(departing) if tones[i - 1].endswith("平平仄仄仄")]
    yield "平仄", failing(wrong, "；".join([*triple, *_rare_readings(poem, departing)]))
    yield "对", failing(list(_not_opposite(scansion, tones)))
    pairs = [(i, {tones[i - 1][1], tones[i][1]}) for i in range(2, len(tones), 2)]
    yield "粘", failing([(i + 1, 2) for i, pair in pairs if pair == {Tone.PING, Tone.ZE}])
    lone = [i for i, line in numbered if line.endswith("仄平仄仄平")]
    yield "孤平", failing([(i, size - 3) for i in lone])
    level = [i for i, line in numbered if line.endswith("平平平")]
    yield "三平调", failing([(i, size) for i in level])
    yield "拗救", _rescue_check(scansion, tones)


def failing(where: Sequence[Spot], note: str = "") -> Check:
    """Return the check that fails at some spots, and holds if there are none."""
    return Check(not where, tuple(where), note)


def _rhymes(scansion: Scansion, index: int) -> bool:
    return scansion.line_types[index].rhymed


def _misplaced(tones: Sequence[str], scansion: Scansion) -> Iterator[Spot]:
    for number, (line, variant) in enumerate(zip(tones, scansion.variants, strict=True), 1):
        for character in _departures(line, variant):
            yield number, character


def _departures(line: str, variant: Variant) -> Iterator[int]:
    """Yield the characters of a line, from 1, that are known to have another tone."""
    for number, (tone, wanted) in enumerate(zip(line, variant.tones, strict=True), 1):
        if tone != wanted and tone != UNKNOWN_TONE:
            yield number


def _not_opposite(scansion: Scansion, tones: Sequence[str]) -> Iterator[Spot]:
    """Yield the spots of even lines that 对 fails at; a licensed 拗 in the odd line is exempt."""
    size = len(tones[0])
    for i in range(0, len(tones), 2):
        variant = scansion.variants[i]
        bent = variant.licence in (Licence.SELF, Licence.NEXT_LINE)
        bent = bent and not list(_departures(tones[i], variant))
        for spot in range(2, size, 2):
            exempt = bent and spot == size - 1
            if tones[i][spot - 1] == tones[i + 1][spot - 1] in tuple(Tone) and not exempt:
                yield i + 2, spot


def _rescue_check(scansion: Scansion, tones: Sequence[str]) -> Check:
    """Return the rule of 拗救, with the licences that were taken as its note."""
    size, failed, taken = len(tones[0]), [], []
    for i, (line, variant) in enumerate(zip(tones, scansion.variants, strict=True)):
        if variant.licence is not Licence.NONE and not list(_departures(line, variant)):
            taken.append(f"第{i + 1}句{variant.licence}")
        following = Variant(tones[i + 1], Licence.NONE) if i % 2 == 0 else None
        bent = line[-4] + line[-2:] == "仄仄仄"
        if scansion.line_types[i] == "a" and bent and following and not following.rescues:
            failed.append((i + 1, size - 1))
    return failing(failed, "，".join(taken))


def _rare_readings(poem: Scanned, numbers: set[int]) -> Iterator[str]:
    """Yield the rare readings with which lines that depart from every type would be regular.

    Of a poem whose lines mostly depart nothing is to be saved.
    """
    for number in sorted(numbers) if 2 * len(numbers) <= len(poem.lines) else ():
        readings = _saving(poem, number - 1)
        if readings:
            said = "、".join(f"第{spot + 1}字读{_said(reading)}" for spot, reading in readings)
            yield f"第{number}句唯{said}则合"


def _said(reading: Reading) -> str:
    tone = {Tone.PING: "平声", Tone.ZE: "仄声"}[reading.tone]
    return f"{tone}（{reading.group}）" if reading.group else tone


def _saving(poem: Scanned, index: int) -> list[tuple[int, Reading]]:
    """Return the fewest rare readings, with their spots, that would make a line regular."""
    line, tones = poem.lines[index], poem.tones[index]
    found = [poem.verse.sound(character) for character in line]
    if not any(sound.rare for sound in found[:-1]):
        return []
    ways = [
        _readings_needed(found[:-1], variant)
        for line_type in LineType
        for variant in line_variants(line_type, len(line))
        if variant.tones[-1] == tones[-1] and variant.licence is not Licence.NEXT_LINE
    ]
    return min((way for way in ways if way), key=len, default=[])


def _readings_needed(found: Sequence[Sound], variant: Variant) -> list[tuple[int, Reading]]:
    """Return the rare readings that a variant of a line takes; none if it is beyond them too."""
    needed = list[tuple[int, Reading]]()
    for spot, (sound, wanted) in enumerate(zip(found, variant.tones, strict=False)):
        if not sound.fits(wanted):
            reading = next((reading for reading in sound.rare if reading.tone == wanted), None)
            if reading is None:
                return []
            needed.append((spot, reading))
    return needed
