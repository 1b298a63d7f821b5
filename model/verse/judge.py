"""Judges a text as what it is: a ci by its tune, anything else by the rules of regulated verse.

A ci is known by where its lines end, and by its title where that names a tune. Where no variant of
a tune has its very lines the nearest one judges it, and 句式 says where it departs.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

from model.verse.alignment import aligned
from model.verse.ci_proof import CiProof, check_ci
from model.verse.proof import MeterProof, check
from model.verse.script import as_simplified
from model.verse.text import Excerpt, find_poem
from model.verse.tune import Tune, TuneVariant
from model.verse.tunes import Tunes

SAME_ENDS = 0.6  # of a variant's lines end where the text has a break
STRAY = 0.5  # of the text's breaks are within a line, at most
UNEQUAL = 100.0  # is the distance of a variant with another number of characters, or less alike
MISSING = 3  # characters that a ci has too few or too many, whose tune no title names
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
    spoken = find_poem(text, spoken=True)  # a ci has 这 and 的, which else are a sign of prose
    whole = [match for match in _matches(spoken) if match.distance < UNEQUAL]
    if whole and spoken != excerpt:
        return _best(whole)
    named = _named(excerpt)
    if named is None and (proof.regulated or _is_even(excerpt)):
        return proof
    matches = whole if proof.regulated else list(_matches(excerpt))
    if not matches:
        return proof
    best = _best(matches)
    if len({*map(len, excerpt.lines)}) == 1 and named is None and _faults(best) > FAULTS:
        return proof
    return best


def _is_even(excerpt: Excerpt) -> bool:
    """Return whether a text has the shape of a shi that tunes have, too."""
    return len({*map(len, excerpt.lines)}) == 1 and len(excerpt.lines) in SHI_LINES


def _best(matches: Iterable[Match]) -> CiProof:
    """Return the proof by the variant that fits best.

    Of variants that a poem keeps equally that is the one which asks for more rhymes.
    """
    matches = sorted(matches, key=lambda match: (match.distance, -match.variant.poems))
    nearest = [match for match in matches if match.distance <= matches[0].distance + 1]
    found = [_proof(match) for match in nearest[:TRIED]]
    return min(found, key=lambda proof: (_faults(proof), -len(proof.rhyme_lines)))


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


def _matches(excerpt: Excerpt) -> Iterator[Match]:
    """Yield the variants that a text may follow: of the tune that is named, or of any."""
    lines, named = excerpt.lines, _named(excerpt)
    text = "".join(lines)
    breaks = {*accumulate(map(len, lines))}
    tunes = [named] if named else Tunes.load()
    for variant in (variant for tune in tunes for variant in tune.variants):
        if variant.characters == len(text):
            match = _match_of_size(text, breaks, variant)
            many_ends = len(match.unbroken) <= (1 - SAME_ENDS) * variant.num_lines
            if named or (many_ends and match.distance <= STRAY * len(breaks)):
                yield match
        elif named or abs(variant.characters - len(text)) <= MISSING:
            own = aligned(lines, variant.lengths)
            pairs = list(zip(map(len, own), variant.lengths, strict=False))
            alike = sum(one == other for one, other in pairs) / max(len(own), variant.num_lines)
            same = len(own) == variant.num_lines >= LEAST_LINES
            if alike >= (NEAR / 2 if named else NEAR) and (same or named):
                yield Match(UNEQUAL + 10 * (1 - alike), variant, own, frozenset())


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
