"""The variants of a tune: poems of one family whose lines end and rhyme at the same spots."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.verse.rhymes import Tone
from training.tables.tune_poems import COMMA, PAUSE, STOP, Ear, Family, Verse, families
from training.tables.tune_rhymes import RhymeSet, rhyme_sets
from training.tables.tune_tones import Shares, line_tones, said_again

LEAST_FAMILY = 6  # poems of a family, or of its poems in level or in oblique rhyme
LEAST_VARIANT = 12  # poems of a variant beside the commonest of its family
PAUSED = 0.5  # of a variant's poems have a pause at a spot
SHARP = 0.95  # of the poems have one tone at a sharp place
ALIKE_HALVES = 0.6  # of the lines of two stanzas are the same, from the end

Scheme = tuple[tuple[int, bool], ...]  # where lines end, and whether they rhyme


@dataclass(frozen=True)
class Line:
    """A line of a variant.

    Args:
        start: How many characters stand before it.
        end: How many stand before its end.
        pauses: After how many of its characters a pause is usual.
        rhyme: The number of the rhymes that it belongs to; None if it does not rhyme.
        tones: The strings of tones that it has, with their shares.
        again: The characters, from 0 in the poem, that are those of earlier ones.
    """

    start: int
    end: int
    pauses: tuple[int, ...]
    rhyme: int | None
    tones: Shares
    again: dict[int, int]

    @property
    def size(self) -> int:
        """Its characters."""
        return self.end - self.start


@dataclass(frozen=True)
class Variant:
    """A variant of a tune.

    Args:
        lines: Its lines.
        poems: How many have these lines and these rhymes.
        family: How many its tones are from.
        kept: The share of these that keep every rhyme.
        entering: The share that each of its oblique rhymes has of the entering tone, by its number.
        stanzas: How many lines each stanza has; one number if it cannot be told.
    """

    lines: tuple[Line, ...]
    poems: int
    family: int
    kept: float
    entering: dict[int, float]
    stanzas: tuple[int, ...]

    @property
    def size(self) -> int:
        """Its characters."""
        return self.lines[-1].end

    @property
    def sharpness(self) -> float:
        """The share of the places that nearly all poems have one tone at."""
        places = [place for line in self.lines for place in level_shares(line.tones)]
        return sum(max(share, 1 - share) >= SHARP for share in places) / len(places)


def level_shares(tones: Shares) -> list[float]:
    """Return the share of the level tone at each place of a line."""
    size = len(next(iter(tones)))
    return [sum(s for t, s in tones.items() if t[place] == Tone.PING) for place in range(size)]


def find_variants(verses: Sequence[Verse], ear: Ear) -> Iterator[Variant]:
    """Yield the variants of a tune, in no order."""
    for family in families(verses):
        for own in family.by_tone_at_end(ear).values():
            if len(own) >= LEAST_FAMILY:
                yield from _variants_of(own, ear)


def _variants_of(family: Family, ear: Ear) -> Iterator[Variant]:
    sets = rhyme_sets(family, ear)
    if not sets:
        return
    schemes = Counter(_scheme(verse, sets) for verse in family.verses)
    ordered = sorted(schemes.items(), key=lambda item: (-item[1], item[0]))
    for number, (scheme, count) in enumerate(ordered):
        if number == 0 or count >= LEAST_VARIANT:
            own = [verse for verse in family.verses if _scheme(verse, sets) == scheme]
            yield _variant(scheme, own, family, sets, ear)


def _scheme(verse: Verse, sets: Sequence[RhymeSet]) -> Scheme:
    """Return where a poem's lines end, and which of them rhyme."""
    always = {spot for found in sets for spot in found.spots if spot not in found.open}
    open_spots = {spot for found in sets for spot in found.open}
    return tuple(
        (at, at in always or (at in open_spots and verse.marks[at] == STOP)) for at in verse.ends
    )


def _variant(
    scheme: Scheme, own: Sequence[Verse], family: Family, sets: Sequence[RhymeSet], ear: Ear
) -> Variant:
    number_of = {spot: number for number, found in enumerate(sets) for spot in found.spots}
    tone_of = {spot: tone for f in sets for spot, tone in zip(f.spots, f.tones, strict=True)}
    again, members = said_again(family.verses, family.size), Family(list(own))
    lines = tuple(
        Line(
            start,
            end,
            tuple(
                at - start
                for at in range(start + 1, end)
                if members.share(at, PAUSE + COMMA + STOP) >= PAUSED
            ),
            number_of[end] if rhymed else None,
            line_tones(family.verses, start, end, ear, tone_of[end] if rhymed else None),
            {spot: earlier for spot, earlier in again.items() if start <= spot < end},
        )
        for start, (end, rhymed) in zip((0, *(end for end, _ in scheme[:-1])), scheme, strict=True)
    )
    kept = sum(all(found.kept_by(verse, ear) for found in sets) for verse in family.verses)
    entering = {
        number: found.entering(family, ear)
        for number, found in enumerate(sets)
        if Tone.PING not in found.tones
    }
    return Variant(lines, len(own), len(family), kept / len(family), entering, stanzas_of(lines))


def stanzas_of(lines: Sequence[Line]) -> tuple[int, ...]:
    """Return how many lines each of two stanzas has: where the rhyme's shape repeats, from the end.

    One number, of all lines, if it does not repeat.
    """
    shape = [(line.size, line.rhyme is not None) for line in lines]

    def likeness(cut: int) -> float:
        pairs = zip(reversed(shape[:cut]), reversed(shape[cut:]), strict=False)
        return sum(one == other for one, other in pairs) / max(cut, len(shape) - cut)

    cuts = [n for n, line in enumerate(lines[:-1], 1) if line.rhyme is not None]
    best = max(cuts, key=likeness, default=0)
    if not best or likeness(best) < ALIKE_HALVES:
        return (len(lines),)
    return best, len(lines) - best
