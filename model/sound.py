"""How a character can be read, whichever of its forms is meant: found once, then remembered."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from model.rhymes import Rhymes, Tone
from model.script import reprints, standard_forms

CHARACTERS_KEPT = 16_384  # of one rhyme table; the corpus has 12,000


class Sound(NamedTuple):
    """What a character can sound like.

    Args:
        tones: Its tones, the commonest first; none if they are not known.
        groups: Its rhyme groups.
    """

    tones: tuple[Tone, ...]
    groups: frozenset[str]


@lru_cache(4)
def sounds(rhymes: Rhymes, *, exact: bool) -> Callable[[str], Sound]:
    """Return the function from a character to its sound.

    Args:
        rhymes: The readings.
        exact: Whether a character stands for itself alone, and not for all that its simplified
            form may stand for.
    """

    @lru_cache(CHARACTERS_KEPT)
    def sound(character: str) -> Sound:
        forms = (character,) if exact else _written_forms(character)
        readings = [reading for form in forms for reading in rhymes.readings(form)]
        return Sound(
            tuple(dict.fromkeys(reading.tone for reading in readings)),
            frozenset(reading.group for reading in readings if reading.group),
        )

    return sound


def _written_forms(character: str) -> tuple[str, ...]:
    """Return a character as it is written, all that it may stand for, all that is printed so."""
    forms = (character, *standard_forms(character), *reprints().get(character, ""))
    return tuple(dict.fromkeys(forms))
