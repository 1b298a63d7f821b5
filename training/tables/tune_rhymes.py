"""Where the poems of a family rhyme, and which of their rhymes belong together.

Two spots belong together if most poems have characters of one part of 词林正韵 there. A spot where
fewer rhyme than not, but enough do, is open: whoever rhymes there has a scheme of his own.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from model.verse.rhymes import Tone
from training.tables.tune_poems import STOP, Ear, Family, Verse

TOGETHER = 0.5  # of the poems rhyme at two spots that belong together
USUAL = 0.5  # of the poems have a full stop at a spot that always rhymes
OPEN = 0.1  # … and at one where a poem may rhyme
OPEN_RHYMES = 0.15  # of the poems that rhyme at such a spot, in any case


class RhymeSet(NamedTuple):
    """Spots that rhyme with each other.

    Args:
        spots: How many characters stand before the end of each rhyme.
        open: Of these, those where only some poems rhyme.
        tones: The tone at each of spots.
    """

    spots: tuple[int, ...]
    open: frozenset[int]
    tones: tuple[Tone, ...]

    def entering(self, family: Family, ear: Ear) -> float:
        """Return the share of the poems that rhyme here in the entering tone; 0 if level."""
        kept = [spot for spot in self.spots if spot not in self.open]
        found = [_common_parts(verse, kept, ear) for verse in family.verses]
        known = [parts for parts in found if parts]
        return sum(min(parts) >= 15 for parts in known) / max(1, len(known))

    def kept_by(self, verse: Verse, ear: Ear) -> bool:
        """Return whether a poem has one part at all its rhymes that are not open."""
        return bool(_common_parts(verse, [s for s in self.spots if s not in self.open], ear))


def rhyme_sets(family: Family, ear: Ear) -> list[RhymeSet]:
    """Return the rhymes of a family, in the order of their first spots."""
    usual = [at for at in family.ends if family.share(at, STOP) >= USUAL]
    sets = list(_linked(family, usual, ear))
    found = []
    for spots in sets:
        tones = {spot: _tone_at(family, spot, ear) for spot in spots}
        open_spots = [
            at
            for at in family.ends
            if at not in usual
            and family.share(at, STOP) >= OPEN
            and _rhyming(family, at, spots, ear) >= OPEN_RHYMES
            and spots == max(sets, key=lambda other: _rhyming(family, at, other, ear))
        ]
        tones |= {at: _common_tone(family, at, ear) for at in open_spots}
        ordered = tuple(sorted(tones))
        found.append(RhymeSet(ordered, frozenset(open_spots), tuple(tones[at] for at in ordered)))
    return sorted(found)


def _linked(family: Family, spots: Sequence[int], ear: Ear) -> Iterator[list[int]]:
    """Yield the spots that belong together, by two or more."""
    group = {spot: {spot} for spot in spots}
    for one, other in combinations(spots, 2):
        if group[one] is not group[other] and _agreement(family, one, other, ear) >= TOGETHER:
            merged = group[one] | group[other]
            group.update(dict.fromkeys(merged, merged))
    seen = set[int]()
    for spot in spots:
        if spot not in seen and len(group[spot]) > 1:
            yield sorted(group[spot])
        seen |= group[spot]


def _agreement(family: Family, one: int, other: int, ear: Ear) -> float:
    """Return the share of the poems that have one part at two spots."""
    both = [_numbers(v, one, ear) & _numbers(v, other, ear) for v in family.verses]
    return sum(map(bool, both)) / len(family)


def _rhyming(family: Family, spot: int, spots: Sequence[int], ear: Ear) -> float:
    """Return the share of the poems that rhyme at a spot with some that belong together."""
    return sum(_agreement(family, spot, other, ear) for other in spots) / len(spots)


def _numbers(verse: Verse, spot: int, ear: Ear) -> frozenset[int]:
    return frozenset(part.number for part in ear.parts(verse.characters[spot - 1]))


def _common_parts(verse: Verse, spots: Sequence[int], ear: Ear) -> frozenset[int]:
    return frozenset.intersection(*(_numbers(verse, spot, ear) for spot in spots))


def _tone_at(family: Family, spot: int, ear: Ear) -> Tone:
    """Return the tone that most poems have at a spot, by characters of one tone alone."""
    tones = [ear.sound(verse.characters[spot - 1]).tones for verse in family.verses]
    level = sum(tone == (Tone.PING,) for tone in tones)
    return Tone.PING if level >= sum(tone == (Tone.ZE,) for tone in tones) else Tone.ZE


def _common_tone(family: Family, at: int, ear: Ear) -> Tone:
    """Return the tone at an open spot, by the poems that rhyme there."""
    rhyming = [v for v in family.verses if v.marks.get(at) == STOP]
    return _tone_at(Family(rhyming), at, ear)
