"""Judges a text as what it is: a ci by its tune, anything else by the rules of regulated verse.

A ci is known by where its lines end, and by its title where that names a tune. Where no variant of
a tune has its very lines the nearest one judges it, and 句式 says where it departs.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from model.verse.ci_proof import CiProof, check_ci
from model.verse.proof import MeterProof, check
from model.verse.script import as_simplified
from model.verse.text import Excerpt, find_poem
from model.verse.tune import Tune, TuneVariant
from model.verse.tunes import Tunes

SAME_ENDS = 0.6  # of a variant's lines end where the text has a break
STRAY = 0.5  # of the text's breaks are within a line, at most
NEAR = 0.8  # of the lines of a text that is no variant's have the length of one's
LEAST_LINES = 6  # of a text whose tune is found by such likeness alone
SHI_LINES = (4, 8)  # of equal length, which tunes have, too: such a text is a shi unless named
TRIED = 4  # variants whose rules are looked at, of those that fit equally well
FAULTS = 3  # of a ci in equal lines that no title names


class Match(NamedTuple):
    """How a text fits a variant."""

    distance: float  # line ends and breaks that are not shared; more than any if lengths differ
    variant: TuneVariant
    lines: tuple[str, ...]
    unbroken: frozenset[int]  # the lines, from 1, whose end the text does not mark


def judge(text: str) -> MeterProof | CiProof:
    """Judge a poem, in either script, as pasted.

    Raises:
        ValueError: If there are no Chinese characters in it.
    """
    proof, excerpt = check(text), find_poem(text)
    even = len({*map(len, excerpt.lines)}) == 1
    if even and len(excerpt.lines) in SHI_LINES and not excerpt.above:
        return proof
    if proof.regulated:
        return proof
    named = _named(excerpt)
    matches = list(_matches(excerpt.lines, named))
    if not matches or (even and named is None and len(excerpt.lines) in SHI_LINES):
        return proof
    least = min(match.distance for match in matches)
    nearest = sorted(
        (match for match in matches if match.distance <= least + 1),
        key=lambda match: (match.distance, -match.variant.poems),
    )
    found = [_proof(match) for match in nearest[:TRIED]]
    # Of variants that a poem keeps equally, that which asks for more rhymes.
    best = min(found, key=lambda proof: (_faults(proof), -len(proof.rhyme_lines)))
    if even and named is None and _faults(best) > FAULTS:
        return proof
    return best


def _proof(match: Match) -> CiProof:
    lines = [as_simplified(line) for line in match.lines]
    found = check_ci(lines, match.variant, unbroken=match.unbroken)
    return found.with_lines(match.lines)


def _faults(proof: CiProof) -> int:
    return sum(max(1, len(rule.where)) for rule in proof.checks.values() if not rule.holds)


def _named(excerpt: Excerpt) -> Tune | None:
    """Return the tune that what stands above a poem names, the last if several do."""
    tunes = Tunes.load()
    for title in reversed(excerpt.above):
        found = tunes.find(title) or tunes.find(title.removeprefix("调寄").removeprefix("調寄"))
        found = found or next(filter(None, (tunes.find(title[:n]) for n in range(5, 2, -1))), None)
        if found:
            return found.tune
    return None


def _matches(lines: Sequence[str], named: Tune | None) -> Iterator[Match]:
    """Yield the variants that a text may follow: of the tune that is named, or of any."""
    text = "".join(lines)
    breaks = {*accumulate(map(len, lines))}
    tunes = [named] if named else Tunes.load()
    for variant in (variant for tune in tunes for variant in tune.variants):
        if variant.characters == len(text):
            match = _match_of_size(text, breaks, variant)
            many_ends = len(match.unbroken) <= (1 - SAME_ENDS) * variant.num_lines
            if named or (many_ends and match.distance <= STRAY * len(breaks)):
                yield match
        else:
            own = variant.joined(lines)
            pairs = list(zip(map(len, own), variant.lengths, strict=False))
            alike = sum(one == other for one, other in pairs) / max(len(own), variant.num_lines)
            same = len(own) == variant.num_lines >= LEAST_LINES
            if alike >= (NEAR / 2 if named else NEAR) and (same or named):
                yield Match(100 - 10 * alike, variant, own, frozenset())


def _match_of_size(text: str, breaks: set[int], variant: TuneVariant) -> Match:
    """Return how a text with as many characters as a variant fits it."""
    ends = list(accumulate(variant.lengths))
    starts = [0, *ends[:-1]]
    pauses = {
        start + pause
        for start, line in zip(starts, variant.lines, strict=True)
        for pause in line.pauses
    }
    unbroken = frozenset(n for n, end in enumerate(ends, 1) if end not in breaks)
    stray = len(breaks - {*ends} - pauses)
    cut = tuple(text[start:end] for start, end in zip(starts, ends, strict=True))
    return Match(len(unbroken) + stray, variant, cut, unbroken)
