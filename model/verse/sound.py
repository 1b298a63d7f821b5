"""What a character sounds like: its tones, the commonest first, and its rhyme groups."""

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from model.verse.rhymes import LEVEL_GROUPS, RARE_PERCENT, Reading, Rhymes, Tone
from model.verse.script import Script, form_shares, to_script

CHARACTERS_KEPT = 16_384  # of one rhyme table; the corpus has 12,000


class Sound(NamedTuple):
    """What a character can sound like.

    Args:
        tones: Its usual tones, the commonest first; none if they are not known.
        rare: The readings in which it has another tone, as poets hardly use it.
        usual_groups: The rhyme groups of its usual readings.
        groups: The rhyme groups of all its readings.
    """

    tones: tuple[Tone, ...]
    rare: tuple[Reading, ...]
    usual_groups: frozenset[str]
    groups: frozenset[str]

    @property
    def impossible(self) -> int:
        """The tones that it does not usually have, 1 for 平 and 2 for 仄; 0 if none are known."""
        return _bits(self.tones)

    @property
    def unusual(self) -> int:
        """The tones that are not its commonest, 1 for 平 and 2 for 仄; 0 if none are known."""
        return _bits(self.tones[:1])

    def fits(self, tone: str) -> bool:
        """Return whether the usual tones have this one, or are not known."""
        return not self.tones or tone in self.tones


@lru_cache(4)
def sounds(rhymes: Rhymes, *, exact: bool) -> Callable[[str], Sound]:
    """Return the function from a character to its sound.

    Args:
        rhymes: The readings.
        exact: Whether a character stands for itself alone, and not for all that its simplified
            form may stand for: each of these then counts by its share of the form's use.
    """

    @lru_cache(CHARACTERS_KEPT)
    def sound(character: str) -> Sound:
        shares = {character: 1.0} if exact else form_shares(character)
        return _sound(list(_weighed(shares, rhymes)))

    return sound


@cache
def _bits(tones: tuple[Tone, ...]) -> int:
    """Return the tones that are not among some, as the bits of Variant.tone_bits."""
    return (Tone.PING not in tones) + 2 * (Tone.ZE not in tones) if tones else 0


def sound_in_print(character: str, rhymes: Rhymes) -> Sound:
    """Return of the sound of one of the model's characters what holds for its prints too.

    A proof holds for what is printed only if a reader of the print usually finds each tone that
    the character is used for, and ever finds the rhyme group.
    """
    own = sounds(rhymes, exact=True)(character)
    tones, groups = own.tones, own.usual_groups
    for script in Script:
        printed = sounds(rhymes, exact=False)(to_script(character, script))
        if printed.tones:
            tones = tuple(tone for tone in tones if tone in printed.tones)
            groups &= printed.groups
    kept = (g for g in groups if (Tone.PING if g in LEVEL_GROUPS else Tone.ZE) in tones)
    return own._replace(tones=tones, usual_groups=frozenset(kept))


def _weighed(shares: dict[str, float], rhymes: Rhymes) -> Iterator[tuple[Reading, float]]:
    """Yield the readings of some forms, with the percent of the use that each has."""
    known = {form: share for form, share in shares.items() if form in rhymes}
    total = sum(known.values())
    for form, share in known.items():
        part = share / total if total else 1 / len(known)
        for reading in rhymes.readings(form):
            yield reading, rhymes.percent(form, reading) * part


def _sound(weighed: list[tuple[Reading, float]]) -> Sound:
    """Return the sound of readings and their percents; one that is known has a usual reading."""
    least = min(RARE_PERCENT, max((percent for _, percent in weighed), default=0))
    usual = [(reading, percent) for reading, percent in weighed if percent >= least]
    shares = dict[Tone, float]()
    for reading, percent in usual:
        shares[reading.tone] = max(shares.get(reading.tone, 0), percent)
    tones = tuple(sorted(shares, key=lambda tone: -shares[tone]))
    return Sound(
        tones,
        tuple(reading for reading, _ in weighed if reading.tone not in tones),
        frozenset(reading.group for reading, _ in usual if reading.group),
        frozenset(reading.group for reading, _ in weighed if reading.group),
    )
