"""What a character sounds like: its tones, the commonest first, and its rhyme groups."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

from model.verse.rhymes import LEVEL_GROUPS, RARE_PERCENT, Reading, Rhymes, Tone
from model.verse.script import Script, form_shares, to_script

UNHEARD_PERCENT = 3  # of a character's uses; a reading that has less excuses no fault
CHARACTERS_KEPT = 16_384  # of one rhyme table; the corpus has 12,000


class Sound(NamedTuple):
    """What a character can sound like.

    Args:
        tones: Its tones, the commonest first; none if they are not known.
        rare: The readings in which it has another tone, as poets hardly use it.
        usual_groups: The rhyme groups of these.
        groups: The rhyme groups of all its readings.
        words: How many characters it commonly stands for.
    """

    tones: tuple[Tone, ...]
    rare: tuple[Reading, ...]
    usual_groups: frozenset[str]
    groups: frozenset[str]
    words: int = 1

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
        common = {form: s for form, s in shares.items() if 100 * s >= RARE_PERCENT}
        found = _sound(_weighed(common, rhymes) or _weighed(shares, rhymes))
        groups = frozenset[str]().union(*map(rhymes.groups, shares))
        return found._replace(groups=groups, words=len(common))

    return sound


@cache
def _bits(tones: tuple[Tone, ...]) -> int:
    """Return the tones that are not among some, as the bits of Variant.tone_bits."""
    return (Tone.PING not in tones) + 2 * (Tone.ZE not in tones) if tones else 0


def sound_in_print(character: str, rhymes: Rhymes) -> Sound:
    """Return what a character is used for in verse that is written: what holds for its prints too.

    A proof holds for what is printed only if a reader of the print usually finds each tone that
    the character is used for, and ever finds the rhyme group.
    """
    own = sounds(rhymes, exact=True)(character)
    usual = rhymes.tones(character, usual=True)
    tones = tuple(tone for tone in own.tones if tone in usual)
    groups = rhymes.groups(character, usual=True)
    for script in Script:
        printed = sounds(rhymes, exact=False)(to_script(character, script))
        if printed.tones:
            tones = tuple(tone for tone in tones if tone in printed.tones)
            groups &= printed.groups
    kept = (g for g in groups if (Tone.PING if g in LEVEL_GROUPS else Tone.ZE) in tones)
    return own._replace(tones=tones, usual_groups=frozenset(kept))


def _weighed(shares: dict[str, float], rhymes: Rhymes) -> list[tuple[Reading, float]]:
    """Return the readings of some forms, with the percent of the use that each has."""
    known = {form: share for form, share in shares.items() if form in rhymes}
    total = sum(known.values())
    return [
        (reading, rhymes.percent(form, reading) * (share / total if total else 1 / len(known)))
        for form, share in known.items()
        for reading in rhymes.readings(form)
    ]


def _sound(weighed: list[tuple[Reading, float]]) -> Sound:
    """Return the sound of readings and their percents; one that is known has a usual reading."""
    least = min(UNHEARD_PERCENT, max((percent for _, percent in weighed), default=0))
    usual = [(reading, percent) for reading, percent in weighed if percent >= least]
    shares = dict[Tone, float]()
    for reading, percent in usual:
        shares[reading.tone] = max(shares.get(reading.tone, 0), percent)
    tones = tuple(sorted(shares, key=lambda tone: -shares[tone]))
    return Sound(
        tones,
        tuple(reading for reading, _ in weighed if reading.tone not in tones),
        frozenset(reading.group for reading, _ in usual if reading.group),
        frozenset(),
    )
