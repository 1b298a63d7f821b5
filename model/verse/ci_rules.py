"""The rules of a ci by name: whether it keeps each, and where it does not."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from model.verse.cilin import Cilin, Part
from model.verse.rhymes import LEVEL_GROUPS, Rhymes, Tone
from model.verse.rules import Check, Spot, failing
from model.verse.scansion import UNKNOWN_TONE
from model.verse.script import form_shares, unify
from model.verse.sound import sounds
from model.verse.tune import TuneLine, TuneVariant


class CiReader:
    """How characters are read: in the model's script, or as they are printed."""

    def __init__(self, rhymes: Rhymes, *, exact: bool) -> None:
        self._rhymes, self._exact, self._cilin = rhymes, exact, Cilin.load()
        self.sound = sounds(rhymes, exact=exact)

    def parts(self, character: str, *, usual: bool = False) -> frozenset[Part]:
        """Return the parts of all readings of a character, or of its usual ones."""
        forms = (character,) if self._exact else tuple(form_shares(character))
        groups = self.sound(character).usual_groups
        return frozenset[Part]().union(
            *(
                self._cilin.parts(
                    form, self._rhymes.groups(form) & groups if usual else self._rhymes.groups(form)
                )
                for form in forms
            )
        )


def names_of(parts: Mapping[str, Part | None], variant: TuneVariant) -> str:
    found = (name_of(letter, part, variant) for letter, part in parts.items() if part)
    return "，".join(found)


def name_of(letter: str, part: Part, variant: TuneVariant) -> str:
    """Return the name of the part that a letter rhymes in, with its tones."""
    tones = dict.fromkeys(x.rhyme_tone for x in variant.lines if x.rhyme.upper() == letter)
    return part.name + ("入" if part.entering else "".join(tones))


def letters_of(variant: TuneVariant) -> list[str]:
    return sorted({line.rhyme.upper() for line in variant.lines if line.rhyme})


def shape_check(lines: Sequence[str], variant: TuneVariant, unbroken: Collection[int]) -> Check:
    """Return the rule of 句式; how a sentence is cut between its rhymes is free, and noted."""
    rhyming = {n for n in unbroken if variant.lines[n - 1].rhyme}
    where = {*_misshapen(lines, variant), *((n, len(lines[n - 1])) for n in rhyming)}
    others = "、".join(map(str, sorted({*unbroken} - rhyming)))
    return failing(sorted(where), f"第{others}句断句不同" if others else "")


def _misshapen(lines: Sequence[str], variant: TuneVariant) -> Iterator[Spot]:
    """Yield the ends of the lines that are too long or too short, or are not there."""
    sizes = list(map(len, lines))
    for number in range(max(len(sizes), variant.num_lines)):
        own = sizes[number] if number < len(sizes) else 0
        if number >= variant.num_lines or own != variant.lengths[number]:
            yield number + 1, max(1, own)


def common_part(
    pairs: Sequence[tuple[str, TuneLine]], letter: str, reader: CiReader
) -> Part | None:
    """Return the part that most rhymes of a letter are in, of several that of usual readings."""
    counts, usual = Counter[int](), Counter[int]()
    tone = Tone.ZE
    for line, own in pairs:
        if own.rhyme.upper() == letter:
            tone = own.rhyme_tone
            found = reader.parts(line[-1])
            counts.update({part.number for part in found if part.tone == tone})
            own_usual = reader.parts(line[-1], usual=True)
            usual.update({part.number for part in own_usual if part.tone == tone})
    if not counts or max(counts.values()) < 2:
        return None
    number = max(sorted(counts), key=lambda each: (counts[each], usual[each]))
    return Part(number, tone)


def _in_part(line: str, own: TuneLine, part: Part | None, reader: CiReader) -> bool:
    """Return whether a line ends in a part, in its own tone, as far as its character is known."""
    if not reader.sound(line[-1]).tones:
        return True
    return part is not None and Part(part.number, own.rhyme_tone) in reader.parts(line[-1])


def off_rhyme(
    pairs: Sequence[tuple[str, TuneLine]],
    parts: Mapping[str, Part | None],
    groups: Mapping[str, str],
    reader: CiReader,
) -> Iterator[Spot]:
    for number, (line, own) in enumerate(pairs, 1):
        letter = own.rhyme.upper()
        if letter and not groups[letter] and not _in_part(line, own, parts[letter], reader):
            yield number, len(line)


def rhyme_note(
    pairs: Sequence[tuple[str, TuneLine]],
    parts: Mapping[str, Part | None],
    groups: Mapping[str, str],
    variant: TuneVariant,
    reader: CiReader,
) -> str:
    """Return the parts, with the groups by which rhymes that are in two of them rhyme."""
    without = dict.fromkeys(groups, "")
    beyond = {pairs[n - 1][1].rhyme.upper() for n, _ in off_rhyme(pairs, parts, without, reader)}
    by_group = [groups[letter] for letter in sorted(beyond)]
    return "；".join(filter(None, (names_of(parts, variant), *by_group)))


def common_group(pairs: Sequence[tuple[str, TuneLine]], letter: str, reader: CiReader) -> str:
    """Return the group of 平水韵 that all rhymes of a letter are in; empty if there is none."""
    groups = [
        frozenset(g for g in reader.sound(line[-1]).groups if _tone_of(g) == own.rhyme_tone)
        for line, own in pairs
        if own.rhyme.upper() == letter
    ]
    return min(frozenset.intersection(*groups), default="") if groups else ""


def _tone_of(group: str) -> Tone:
    return Tone.PING if group in LEVEL_GROUPS else Tone.ZE


def read_tones(line: str, own: TuneLine | None, reader: CiReader) -> str:
    """Return the tone of every character: that of the string that the line fits best."""
    found = [reader.sound(character) for character in line]
    usual = [sound.tones[0].value if sound.tones else UNKNOWN_TONE for sound in found]
    if own is None or len(line) != own.size:
        return "".join(usual)
    rhyming = bool(own.rhyme) and any(p.tone == own.rhyme_tone for p in reader.parts(line[-1]))

    def misfits(tones: str) -> tuple[int, int]:
        body = zip(found, tones, strict=True)
        return sum(not sound.fits(tone) for sound, tone in body), -own.tones[tones]

    best = min(own.tones, key=misfits)
    read = [
        wanted if wanted in sound.tones else own_usual
        for sound, wanted, own_usual in zip(found, best, usual, strict=True)
    ]
    if rhyming:
        read[-1] = own.rhyme_tone.value
    return "".join(read)


def tone_check(pairs: Sequence[tuple[str, TuneLine]], tones: Sequence[str]) -> Check:
    where, bent = list[Spot](), list[int]()
    for number, ((line, own), read) in enumerate(zip(pairs, tones, strict=False), 1):
        if len(line) != own.size:
            continue
        departures = min((_departures(read, way) for way in own.tones), key=len)
        where += [(number, spot) for spot in departures]
        if not departures and not any(not _departures(read, way) for way in own.regular):
            bent.append(number)
    return failing(where, f"第{'、'.join(map(str, bent))}句变格" if bent else "")


def _departures(read: str, wanted: str) -> list[int]:
    """Return the characters of a line, from 1, that are known to have another tone."""
    pairs = zip(read, wanted, strict=True)
    return [n for n, (own, tone) in enumerate(pairs, 1) if own not in (tone, UNKNOWN_TONE)]


def repeated(
    pairs: Sequence[tuple[str, TuneLine]], variant: TuneVariant, reader: CiReader
) -> Iterator[Spot]:
    seen = Counter[tuple[str, str]]()
    for number, (line, own) in enumerate(pairs):
        again = (number, own.size - 1) in variant.again
        if not own.rhyme or again or line[-1] == "□":
            continue
        end = own.rhyme.upper(), unify(line[-1])
        seen[end] += 1
        if seen[end] > reader.sound(line[-1]).words:
            yield number + 1, len(line)


def not_said_again(lines: Sequence[str], variant: TuneVariant) -> Iterator[Spot]:
    for (line, spot), (source, earlier) in sorted(variant.again.items()):
        said = lines[source][earlier : earlier + 1] if source < len(lines) else ""
        own = lines[line][spot : spot + 1] if line < len(lines) else ""
        if unify(said) != unify(own):
            yield line + 1, spot + 1
