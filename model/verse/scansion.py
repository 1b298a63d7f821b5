"""How the lines of a poem scan: each by the four line types, and all by how they follow each other.

A line takes the type that the fewest of its characters depart from, read as poets usually read
them. Among equals that one is chosen which keeps 对 and 粘 with the lines around it; then the one
that needs no licence, and the commoner readings.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from model.verse.fit import (
    BROKEN,
    DENIED,
    LICENSED,
    MISPLACED,
    UNRHYMED,
    UNUSUAL,
    WRONG_END,
    Fit,
    Fits,
    Tones,
    best_fits,
)
from model.verse.pattern import Licence, LineType, Variant
from model.verse.rhymes import LEVEL_GROUPS, Rhymes, Tone
from model.verse.script import is_han
from model.verse.sound import Sound, sounds

UNKNOWN_TONE = "？"


class Chain(NamedTuple):
    """A way to set some lines in a row, and how much speaks against it."""

    weight: int
    fits: tuple[Fit, ...]


Chains = dict[tuple[bool, bool], Chain]  # by whether the first and the last line start oblique


class Scansion(NamedTuple):
    """The type and the variant of every line, and how much speaks against them."""

    weight: int
    line_types: tuple[LineType, ...]
    variants: tuple[Variant, ...]

    @property
    def misplaced(self) -> int:
        """Characters of another tone."""
        return self.weight // MISPLACED

    @property
    def faults(self) -> int:
        """Characters of another tone, lines of the wrong end, and lines that do not agree."""
        ends, broken = self.weight % MISPLACED // WRONG_END, self.weight % WRONG_END // BROKEN
        return self.misplaced + ends + broken


def split_lines(text: str) -> list[str]:
    """Return the lines of a poem: runs of Han characters and □ between anything else."""
    runs = re.split(r"[^\w□]+", text)
    lines = ("".join(c for c in run if is_han(c) or c == "□") for run in runs)
    return [line for line in lines if line]


def punctuate(lines: Iterable[str]) -> str:
    """Return a poem's lines as text: a comma after the odd lines, a full stop after the even."""
    return "".join(line + ("。" if number % 2 else "，") for number, line in enumerate(lines))


class Verse:
    """The lines of a poem and every way to read their characters."""

    def __init__(self, lines: Sequence[str], rhymes: Rhymes, *, exact: bool = False) -> None:
        self.lines = lines
        self.sound = sounds(rhymes, exact=exact)

    def rhyme_group(self) -> str | None:
        """Return the group that most even lines end in; None if fewer than two lines share one.

        Of several that which the usual readings have, a level one, that of line 1. Two even lines
        that rhyme in neighbouring groups alone have that of the first (孤雁出群).
        """
        ends = [self.sound(line[-1]) for line in self.lines]
        counts = Counter(group for end in ends[1::2] for group in end.groups)
        if not counts:
            return None
        usual = Counter(group for end in ends[1::2] for group in end.usual_groups)

        def rank(group: str) -> tuple[int, int, bool, bool]:
            opens = group in ends[0].groups
            return counts[group], usual[group], group in LEVEL_GROUPS, opens

        best = max(sorted(counts), key=rank)
        if counts[best] > 1 or sum(bool(end.groups) for end in ends[1::2]) < 2:
            return best
        opened = [group for group in sorted(counts) if group in ends[0].groups]
        return max(opened, key=rank) if opened else self._neighbour_group(ends)

    @staticmethod
    def _neighbour_group(ends: Sequence[Sound]) -> str | None:
        """Return the group of line 2 that line 4 of a quatrain is a neighbour of."""
        near = (
            group
            for group in sorted(ends[1].usual_groups)
            if any(Rhymes.are_neighbours(group, other) for other in ends[3].usual_groups)
        )
        return next(near, None) if len(ends) == 4 else None

    def rhymes_in(self, line: str, group: str | None) -> bool:
        """Return whether a line can be read to end in a group."""
        return group in self.sound(line[-1]).groups

    def rhymes_near(self, line: str, group: str | None) -> bool:
        """Return whether a line can be read to end in a neighbour of a group (邻韵)."""
        return group is not None and any(
            Rhymes.are_neighbours(own, group) for own in self.sound(line[-1]).groups
        )

    def scan(self, rhyme: str | None) -> Scansion | None:
        """Return how the lines scan in level rhyme; None unless they are couplets of 5 or 7.

        Args:
            rhyme: The group that the poem rhymes in: at a rhyme a character has the group's tone.
        """
        size = len(self.lines[0])
        if size not in (5, 7) or len(self.lines) % 2 or {*map(len, self.lines)} != {size}:
            return None
        found = self._best_chain(rhyme, UNUSUAL)
        if (
            found.faults
            and found.weight % LICENSED
            and any(v.licence is not Licence.NONE for v in found.variants)
        ):
            # A poem that departs elsewhere takes no licence by a reading that is not the commonest.
            return self._best_chain(rhyme, MISPLACED)
        return found

    def _best_chain(self, rhyme: str | None, doubtful_licence: int) -> Scansion:
        fits = [
            best_fits(
                self._tones(line, index, rhyme), *self._end_weights(index, rhyme), doubtful_licence
            )
            for index, line in enumerate(self.lines)
        ]
        chains = _couplet(fits[0], fits[1])
        for odd, even in zip(fits[2::2], fits[3::2], strict=True):
            chains = _longer(chains, _couplet(odd, even))
        weight, best = min(chains.values(), key=_weight_of)
        return Scansion(
            weight,
            tuple(fit.line_type for fit in best),
            tuple(fit.variant for fit in best),
        )

    def _end_weights(self, index: int, rhyme: str | None) -> tuple[int, int]:
        """Return what speaks against a line's being of a type that rhymes, and against one not."""
        if index == 0:
            end, opens = self.sound(self.lines[0][-1]), self._may_open(rhyme)
            if opens and end.tones == (Tone.PING,):
                return 0, DENIED
            return (0 if opens else WRONG_END), UNRHYMED * (rhyme in end.usual_groups)
        if index % 2 == 0:
            return (WRONG_END if self._is_level(rhyme) else 0), 0
        return (0, WRONG_END) if self._is_level(rhyme) else (WRONG_END, 0)

    @staticmethod
    def _is_level(rhyme: str | None) -> bool:
        """Return whether a poem is to be measured by level rhyme, as one without rhyme is."""
        return rhyme is None or rhyme in LEVEL_GROUPS

    def _may_open(self, rhyme: str | None) -> bool:
        line = self.lines[0]
        return self.rhymes_in(line, rhyme) or self.rhymes_near(line, rhyme)

    def _tones(self, line: str, index: int, rhyme: str | None) -> Tones:
        """Return the tones of a line, its last character in the rhyme's tone if it rhymes.

        An odd line that does not rhyme ends oblique if its last character can be read so.
        """
        impossible = unusual = pairs = shift = 0
        sound = self.sound(line[-1])
        for spot, character in enumerate(line):
            shift, sound = 2 * spot, self.sound(character)
            impossible |= sound.impossible << shift
            unusual |= sound.unusual << shift
            if line[spot + 1 : spot + 2] == character:
                pairs |= 1 << shift
        if index % 2 == 1 and self.rhymes_in(line, rhyme):
            mask = ~(3 << shift)
            impossible = impossible & mask | (2 if rhyme in LEVEL_GROUPS else 1) << shift
            unusual &= mask
        elif index % 2 == 0 < index and Tone.ZE in sound.tones and self._is_level(rhyme):
            impossible |= 1 << shift
            unusual &= ~(2 << shift)
        return Tones(len(line), impossible, unusual, pairs)

    def read(self, scansion: Scansion | None, rhyme: str | None) -> tuple[str, ...]:
        """Return the tone of every character: that of its spot if it is usually read so."""
        return tuple(
            "".join(map(self._read, line[:-1], self._wanted(index, scansion)))
            + self._read_end(index, scansion, rhyme)
            for index, line in enumerate(self.lines)
        )

    def _wanted(self, index: int, scansion: Scansion | None) -> str:
        return scansion.variants[index].tones if scansion else UNKNOWN_TONE * len(self.lines[index])

    def _read(self, character: str, wanted: str) -> str:
        tones = self.sound(character).tones
        if wanted in tones:
            return wanted
        return tones[0].value if tones else UNKNOWN_TONE

    def _read_end(self, index: int, scansion: Scansion | None, rhyme: str | None) -> str:
        line = self.lines[index]
        if rhyme is not None and index % 2 == 1 and self.rhymes_in(line, rhyme):
            return (Tone.PING if rhyme in LEVEL_GROUPS else Tone.ZE).value
        return self._read(line[-1], self._wanted(index, scansion)[-1])


def _couplet(odd: Fits, even: Fits) -> Chains:
    """Return the best two lines for each way that both can start."""
    opposite = (odd.oblique, even.level)
    if odd.bent.weight + even.rescuing.weight < odd.oblique.weight + even.level.weight:
        opposite = (odd.bent, even.rescuing)
    return {
        (True, False): Chain(opposite[0].weight + opposite[1].weight, opposite),
        (False, True): Chain(odd.level.weight + even.oblique.weight, (odd.level, even.oblique)),
        (True, True): Chain(
            odd.oblique.weight + even.oblique.weight + BROKEN, (odd.oblique, even.oblique)
        ),
        (False, False): Chain(
            odd.level.weight + even.level.weight + BROKEN, (odd.level, even.level)
        ),
    }


def _longer(chains: Chains, couplets: Chains) -> Chains:
    """Return the best ways to go on from chains by a couplet."""
    longer = Chains()
    for (opening, end), (weight, fits) in chains.items():
        for (start, new_end), couplet in couplets.items():
            total = weight + couplet.weight + BROKEN * (end != start)
            found = longer.get((opening, new_end))
            if found is None or total < found.weight:
                longer[opening, new_end] = Chain(total, fits + couplet.fits)
    return longer


def _weight_of(chain: Chain) -> int:
    return chain.weight
