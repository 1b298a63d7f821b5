"""How the lines of a family run: strings of tones with their shares, and characters said again.

A character of several tones counts for each string that it leaves open, by the string's own share:
expectation maximisation over the poems.

Source: Dempster, Laird & Rubin (1977).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import product
from math import prod

from model.verse.rhymes import Tone
from training.tables.tune_poems import Ear, Verse

LEAST_SHARE = 0.02  # of a string of tones that is listed
LEAST_POEMS = 1.5  # … where more than this many have it, if any string has as many
SAID_AGAIN = 0.55  # of the poems have one character at two spots
PASSES = 12
MOST_WAYS = 64  # to read a line; one that has more is left out

Shares = dict[str, float]  # strings of 平 and 仄


def line_tones(
    verses: Iterable[Verse], start: int, end: int, ear: Ear, fixed: Tone | None
) -> Shares:
    """Return the strings of tones that a line has, the commonest first; the shares add up to 1.

    Args:
        verses: The poems.
        start: How many characters stand before the line.
        end: How many stand before its end.
        ear: The readings.
        fixed: The tone of its last character, which rhymes; None if it does not.
    """
    counts = Counter[tuple[str, ...]]()
    for verse in verses:
        ways = _ways(verse.characters[start:end], ear, fixed)
        if 0 < len(ways) <= MOST_WAYS:
            counts[ways] += 1
    shares = _expected(counts)
    total = counts.total()
    common = [tones for tones, share in shares.items() if share * total > LEAST_POEMS]
    kept = {t: s for t, s in shares.items() if s >= LEAST_SHARE and (t in common or not common)}
    whole = sum(kept.values())
    return {
        tones: share / whole
        for tones, share in sorted(kept.items(), key=lambda item: (-item[1], item[0]))
    }


def _ways(line: str, ear: Ear, fixed: Tone | None) -> tuple[str, ...]:
    """Return the strings of tones that a line can be read in."""
    tones = [ear.sound(character).tones or tuple(Tone) for character in line]
    if prod(map(len, tones)) > MOST_WAYS:
        return ()
    ways = ("".join(way) for way in product(*tones))
    return tuple(sorted(way for way in ways if fixed is None or way[-1] == fixed))


def _expected(counts: Mapping[tuple[str, ...], int]) -> Shares:
    """Return the shares of the strings, given how often each choice of them was met."""
    shares: Shares = defaultdict(float)
    for ways in counts:
        for way in ways:
            shares[way] = 1.0
    total = sum(counts.values())
    for _ in range(PASSES):
        expected: Shares = defaultdict(float)
        for ways, count in counts.items():
            whole = sum(shares[way] for way in ways)
            for way in ways:
                expected[way] += count * shares[way] / whole / total if whole else 0.0
        shares = expected
    return dict(shares)


def said_again(verses: Iterable[Verse], size: int) -> dict[int, int]:
    """Return the characters, from 0, that most poems have from an earlier one, the nearest such."""
    verses = list(verses)
    pairs = Counter[tuple[int, int]]()
    for verse in verses:
        seen = dict[str, list[int]]()
        for spot, character in enumerate(verse.characters[:size]):
            pairs.update((spot, earlier) for earlier in seen.get(character, ()))
            seen.setdefault(character, []).append(spot)
    found = dict[int, int]()
    for (spot, earlier), count in sorted(pairs.items()):
        if count >= SAID_AGAIN * len(verses):
            found[spot] = earlier
    return found
