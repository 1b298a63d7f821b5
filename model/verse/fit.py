"""How one line fits the four types: the best way to set it, and how much speaks against that."""

from functools import cache, lru_cache
from typing import NamedTuple

from model.verse.pattern import Licence, LineType, Variant, line_variants

FITS_KEPT = 65_536
# What does not fit, each worth more than any number of the next.
DENIED = 8 * 10**12  # a first line that can but rhyme, set as one that does not
MISPLACED = 10**12  # a character of another tone
WRONG_END = 10**9  # a line that should rhyme by its number and ends oblique, or the other way
BROKEN = 10**6  # lines that ought to be opposite or alike and are not
UNRHYMED = 10_000  # a first line read not to rhyme, though it can
SPLIT_PAIR = 1000  # a character twice in a row, read in two tones
LICENSED = 100  # a line that departs from its type by licence
UNUSUAL = 1  # a character in a tone that is not its commonest


class Tones(NamedTuple):
    """What tones the characters of a line have, as the bits of Variant.tone_bits.

    Args:
        size: How many characters there are.
        impossible: The tones that they do not have.
        unusual: The tones that are not their commonest.
        pairs: The first bit of each character that comes again right after.
    """

    size: int
    impossible: int
    unusual: int
    pairs: int


class Fit(NamedTuple):
    """A way to set one line, and how much speaks against it."""

    weight: int
    line_type: LineType
    variant: Variant


class Fits(NamedTuple):
    """The best ways to set one line: starting oblique or level, and those that go together."""

    oblique: Fit
    level: Fit
    bent: Fit  # a line that the next has to make good
    rescuing: Fit  # a line that makes good the one before


@lru_cache(FITS_KEPT)
def best_fits(
    tones: Tones, rhymed_weight: int, unrhymed_weight: int, doubtful_licence: int
) -> Fits:
    """Return the best ways to set a line.

    Args:
        tones: The tones of its characters.
        rhymed_weight: What speaks against its being of a type that rhymes.
        unrhymed_weight: What speaks against its being of one that does not.
        doubtful_licence: What speaks against each unusual reading in a line that has a licence.
    """
    best = dict[str, Fit]()
    for kind, line_type, variant in _choices(tones.size):
        weight = _weight(variant, tones, doubtful_licence)
        weight += rhymed_weight if line_type.rhymed else unrhymed_weight
        if kind not in best or weight < best[kind].weight:
            best[kind] = Fit(weight, line_type, variant)
    return Fits(**best)


@cache
def _choices(size: int) -> list[tuple[str, LineType, Variant]]:
    """Return every way to set a line, with what it is one of in Fits."""
    choices = []
    for line_type in LineType:
        start = "oblique" if line_type.value in "aA" else "level"
        for variant in line_variants(line_type, size):
            bent = variant.licence is Licence.NEXT_LINE
            choices.append(("bent" if bent else start, line_type, variant))
            if line_type is LineType.B_RHYMED and variant.rescues:
                choices.append(("rescuing", line_type, variant))
    return choices


def _weight(variant: Variant, tones: Tones, doubtful_licence: int) -> int:
    """Return what speaks against a variant of a line, its end aside."""
    bits = variant.tone_bits
    licensed = variant.licence is not Licence.NONE
    unusual = bits & tones.unusual & ~tones.impossible
    return (
        MISPLACED * (bits & tones.impossible).bit_count()
        + SPLIT_PAIR * ((bits ^ bits >> 2) & tones.pairs).bit_count()
        + LICENSED * licensed
        + (doubtful_licence if licensed else UNUSUAL) * unusual.bit_count()
    )
