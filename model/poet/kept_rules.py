"""The rules that a poem keeps, apart from what is replaced in it: a replacement keeps them, too.

What is to be replaced counts as a character that cannot be read (□), which fits any rule. A rule
that fails even so fails at no more spots afterwards. Where no tones at all meet that, as in a poem
that is far from regulated, no rule may fail at more spots than in the poem as it was sent.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from model.poet.given import Spot
from model.poet.lexicon import Lexicon
from model.verse.proof import MeterProof, check
from model.verse.script import Script, standard_forms, to_script
from model.verse.text import UNREADABLE

Kinds = tuple[str, ...]  # what stands at spots, or may stand at one
LEVEL, OBLIQUE, RHYME = "平", "仄", "韵"
SAMPLE_GROUP = "七陽"  # stands for all where no line rhymes yet
TONE_RULE = "平仄"  # is there where all rules of tone are
SAMPLES = 64  # characters that stand for a kind, of which some are the poem's own


class KeptRules:
    """Judges replacements in one poem.

    Args:
        lexicon: The characters to choose from.
        lines: The poem as it was written.
        spots: What is to be replaced, in order.

    Attributes:
        proof: Of the poem, with what is to be replaced unread.
        rhyme: The rhyme group to keep; None if there is none.
        ways: Every way to set the spots in tones and rhyme; none if nothing is asked of tones, or
            if no tones keep the rules.
    """

    def __init__(self, lexicon: Lexicon, lines: Sequence[str], spots: Sequence[Spot]) -> None:
        self._spots = spots
        self._rest = filled(lines, spots, UNREADABLE * len(spots))
        self.proof = check(self._rest)
        sent = check(lines)
        self.rhyme = self.proof.rhyme or sent.rhyme
        self._faults = _faults(self.proof)
        own = {*"".join(lines)}
        self._samples = {
            kind: [c for c in _samples(lexicon, kind) if c not in own]
            for kind in (LEVEL, OBLIQUE, self.rhyme or SAMPLE_GROUP)
        }
        self.ways = self._find_ways()
        if not self.ways and TONE_RULE in self.proof.checks:
            self._faults = _faults(sent)
            self.ways = self._find_ways() or self._find_late_ways()

    @property
    def names(self) -> list[str]:
        """The rules that are kept."""
        return [name for name, faults in self._faults.items() if not faults]

    def keep(self, proof: MeterProof) -> bool:
        """Return whether a poem of this proof keeps them, and has no new fault."""
        return not self.broken(proof)

    def broken(self, proof: MeterProof) -> list[str]:
        """Return the rules that a poem of this proof fails more than it may."""
        return [
            name
            for name, rule in proof.checks.items()
            if not (rule.holds or len(rule.where) <= self._faults.get(name, 0) != 0)
        ]

    def ends_line(self, spot: Spot) -> bool:
        """Return whether a line ends at a spot."""
        return spot[1] == len(self._rest[spot[0]]) - 1

    def _find_ways(self) -> list[Kinds]:
        """Return every way to set the spots, by the check itself.

        Characters that stand for all of their kind are tried.
        """
        if TONE_RULE not in self.proof.checks:
            return []
        ways: list[Kinds] = [()]
        for kinds in self._kinds():
            ways = [(*way, kind) for way in ways for kind in kinds if self._fits((*way, kind))]
        return ways

    def _find_late_ways(self) -> list[Kinds]:
        """Return the ways that fit as a whole, and not begun: the check reads these otherwise."""
        return [way for way in product(*self._kinds()) if self._fits(way)]

    def _kinds(self) -> list[Kinds]:
        """Return what may stand at each spot."""
        return [
            (LEVEL, OBLIQUE, RHYME) if self.ends_line(spot) else (LEVEL, OBLIQUE)
            for spot in self._spots
        ]

    def _fits(self, way: Kinds) -> bool:
        """Return whether the first spots can be set in a way, whatever follows."""
        samples = ""
        for number, kind in enumerate(way):
            found = self._samples[(self.rhyme or SAMPLE_GROUP) if kind == RHYME else kind]
            if number >= len(found):
                return False
            samples += found[number]
        return self.keep(check(filled(self._rest, self._spots[: len(way)], samples)))


def _faults(proof: MeterProof) -> dict[str, int]:
    """Return at how many spots each rule fails."""
    return {name: len(rule.where) for name, rule in proof.checks.items()}


def filled(lines: Sequence[str], spots: Sequence[Spot], characters: Sequence[str]) -> list[str]:
    """Return a poem's lines with characters at spots."""
    rows = [list(line) for line in lines]
    for (line, spot), character in zip(spots, characters, strict=True):
        rows[line][spot] = character
    return ["".join(row) for row in rows]


@lru_cache(256)
def _samples(lexicon: Lexicon, kind: str) -> list[str]:
    """Return characters that are of one kind however they are written, the most used first.

    Args:
        lexicon: The characters.
        kind: A tone, of characters that rhyme in no roomy group; or a rhyme group.
    """
    samples = list[str]()
    for token in lexicon.vocabulary.han_ids:
        character = lexicon.character(token)
        readings = lexicon.rhymes.readings(character)
        plain = standard_forms(character) == (character,) and len(readings) == 1
        if plain and all(to_script(character, script) == character for script in Script):
            of_kind = readings[0].group == kind if len(kind) > 1 else readings[0].tone == kind
            samples += [character] * of_kind
        if len(samples) == SAMPLES:
            break
    return samples
