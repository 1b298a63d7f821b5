"""Counts how poets read characters, from the poems of the corpus that are regulated but for a slip.

A spot that the verse pattern fixes shows the tone of its character; a rhyme shows the rhyme group,
as the other rhymes of the poem name it. The counts add to the rhyme table the readings that
廣韻 lacks (涯 in 六麻), and part the usual readings from the rare (與 level).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from model.verse.pattern import LineType, couplet_variants
from model.verse.rhymes import LEVEL_GROUPS, Reading, Rhymes, Tone
from model.verse.scansion import Scansion, Verse, split_lines
from model.verse.script import unify
from model.verse.sound import Sound

MAX_FAULTS = 1  # of a poem that shows how its characters are read


@dataclass(frozen=True)
class Usage:
    """How often each character stood where its tone, or its rhyme group, was fixed."""

    tones: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    groups: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def tone_share(self, character: str, tone: Tone, least: int) -> float | None:
        """Return the share of a tone in a character's uses; None if they are too few."""
        return _share(self.tones.get(character, Counter()), tone, least)

    def group_share(self, character: str, group: str, least: int) -> float | None:
        """Return the share of a group in a character's rhymes; None if they are too few."""
        return _share(self.groups.get(character, Counter()), group, least)


def _share(counts: Counter[str], name: str, least: int) -> float | None:
    total = counts.total()
    return counts[name] / total if total >= least else None


def read_poems(path: Path) -> Iterator[list[str]]:
    """Yield the lines of every poem of a regulated measure of a file, a JSON object a line."""
    with path.open(encoding="utf-8") as file:
        for row in file:
            lines = split_lines(unify("".join(json.loads(row)["paragraphs"])))
            regulated = len(lines) in (4, 8) or (len(lines) >= 10 and len(lines) % 2 == 0)
            if regulated and {len(line) for line in lines} in ({5}, {7}):
                yield lines


def measure_usage(poems: Iterable[list[str]], rhymes: Rhymes) -> Usage:
    """Count the tones and the rhyme groups that the poems show."""
    usage = Usage()
    for lines in poems:
        verse = Verse(lines, rhymes, exact=True)
        group = verse.rhyme_group()
        if group not in LEVEL_GROUPS:
            continue
        strays = sum(
            Tone.PING in verse.sound(line[-1]).tones and not verse.rhymes_in(line, group)
            for line in lines[1::2]
        )
        scansion = verse.scan(group)
        if scansion is not None and scansion.faults + strays <= MAX_FAULTS:
            _count_tones(usage, verse, scansion)
            if len(lines) >= 8:
                for line in lines[1::2]:
                    usage.groups[line[-1]][group] += 1
    return usage


def _count_tones(usage: Usage, verse: Verse, scansion: Scansion) -> None:
    """Count the even characters of every line, and the last of the odd lines after the first.

    Only where every way to set the two lines without a fault agrees, and not where poets depart
    from the type most often: 野火烧不尽 does not show that 不 is level, rescued or not.
    """
    for index in range(0, len(verse.lines), 2):
        pair = "".join(verse.lines[index : index + 2])
        size = len(pair) // 2
        ways = couplet_variants(*scansion.line_types[index : index + 2], size)
        fitting = [way for way in (a.tones + b.tones for a, b in ways) if _fits(verse, pair, way)]
        settled = fitting or ["".join(v.tones for v in scansion.variants[index : index + 2])]
        spots = {*range(1, size, 2), *range(size + 1, 2 * size, 2)} | (
            {size - 1} if index else set()
        )
        if scansion.line_types[index] is LineType.A_UNRHYMED:
            spots -= {size - 2}
        for spot in spots:
            if len({way[spot] for way in settled}) == 1:
                usage.tones[pair[spot]][settled[0][spot]] += 1


def _fits(verse: Verse, text: str, tones: str) -> bool:
    """Return whether characters can be read in these tones."""
    return all(map(Sound.fits, map(verse.sound, text), tones))


def attested(character: str, known: list[Reading], usage: Usage) -> list[Reading]:
    """Return the readings of a character that poets used and that are not among the known.

    A tone needs 10 uses and a tenth of all; for a character without any reading 3 and a fifth. A
    rhyme group needs 8 rhymes and a quarter of all. Where the rhymes do not show the group it is
    left empty.
    """
    found: list[Reading] = []
    rhymed = usage.groups.get(character, Counter())
    tones = {reading.tone for reading in known}
    least, part = (10, 0.1) if known else (3, 0.2)
    uses = usage.tones.get(character, Counter())
    for tone in Tone:
        if tone not in tones and uses[tone] >= least and uses[tone] >= part * uses.total():
            group, count = (rhymed.most_common(1) or [("", 0)])[0]
            settled = tone is Tone.PING and count >= max(3, 0.6 * rhymed.total())
            found.append(Reading(tone.value, group if settled else ""))
    groups = {reading.group for reading in (*known, *found)}
    found += [
        Reading("平", group)
        for group, count in rhymed.items()
        if group not in groups and count >= max(8, 0.25 * rhymed.total())
    ]
    return found


def contradicted(character: str, reading: Reading, usage: Usage) -> bool:
    """Return whether poets used a character often enough, and hardly ever in this reading."""
    tone = usage.tone_share(character, reading.tone, 10)
    group = usage.group_share(character, reading.group, 5)
    never_so = tone is not None and tone < 0.02
    return never_so or (reading.tone is Tone.PING and group is not None and group < 0.02)


def share_of_use(character: str, reading: Reading, siblings: list[Reading], usage: Usage) -> float:
    """Return how much of a character's use a reading has, 1 where that is not known.

    Args:
        character: The character.
        reading: The reading in question.
        siblings: All readings of the character.
        usage: What poets did.
    """
    tone = 1.0
    if len({item.tone for item in siblings}) > 1:
        tone = _known(usage.tone_share(character, reading.tone, 12))
    if reading.tone is Tone.PING and sum(item.tone is Tone.PING for item in siblings) > 1:
        return tone * _known(usage.group_share(character, reading.group, 8))
    return tone


def _known(share: float | None) -> float:
    return 1.0 if share is None else share
