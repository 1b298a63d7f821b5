"""What the verse asks of the next token, told to the model before it chooses."""

from collections.abc import Sequence
from enum import IntEnum
from functools import cache

from model.verse.pattern import Licence, LineType, Template, line_variants
from model.verse.rhymes import Tone


class Place(IntEnum):
    """A place in a line; the value is its row in the model's place embedding."""

    FREE = 0  # nothing is asked, or nothing is told
    EITHER = 1  # of a tone pattern that leaves the tone open
    PING = 2
    ZE = 3
    RHYME = 4


@cache
def template_places(template: Template) -> tuple[Place, ...]:
    """Return the places of a regulated poem, those of punctuation included (FREE)."""
    return tuple(
        place
        for line_type in template.line_types
        for place in (*_line_places(line_type, template.line_length), Place.FREE)
    )


def rhyme_places(line_lengths: Sequence[int]) -> tuple[Place, ...]:
    """Return the places of a poem that rhymes on its even lines and follows no tone pattern."""
    return tuple(
        Place.RHYME if number % 2 == 1 and character == length - 1 else Place.FREE
        for number, length in enumerate(line_lengths)
        for character in range(length + 1)
    )


def _line_places(line_type: LineType, line_length: int) -> list[Place]:
    """Return what a line's type asks of its characters, licences aside."""
    variants = line_variants(line_type, line_length)
    regular = [variant.tones for variant in variants if variant.licence is Licence.NONE]
    kinds = {
        frozenset((Tone.PING,)): Place.PING,
        frozenset((Tone.ZE,)): Place.ZE,
        frozenset(Tone): Place.EITHER,
    }
    places = [kinds[frozenset(map(Tone, tones))] for tones in zip(*regular, strict=True)]
    return [*places[:-1], Place.RHYME] if line_type.rhymed else places
