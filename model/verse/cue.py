"""What the verse asks of the next token; the model hears it before it chooses."""

from collections.abc import Sequence
from enum import IntEnum
from functools import cache

from model.verse.pattern import Licence, LineType, Template, line_variants
from model.verse.rhymes import Tone


class Cue(IntEnum):
    """What a spot in the verse asks; the value is its row in the model's embedding of cues."""

    FREE = 0  # nothing is asked, or the model does not hear of it
    EITHER = 1  # of a tone pattern that leaves the tone open
    PING = 2
    ZE = 3
    RHYME = 4


@cache
def template_cues(template: Template) -> tuple[Cue, ...]:
    """Return the cues of a regulated poem, those of punctuation included (FREE)."""
    return tuple(
        cue
        for line_type in template.line_types
        for cue in (*_line_cues(line_type, template.line_length), Cue.FREE)
    )


def rhyme_cues(line_lengths: Sequence[int]) -> tuple[Cue, ...]:
    """Return the cues of a poem that rhymes on its even lines and follows no tone pattern."""
    return tuple(
        Cue.RHYME if number % 2 == 1 and character == length - 1 else Cue.FREE
        for number, length in enumerate(line_lengths)
        for character in range(length + 1)
    )


def _line_cues(line_type: LineType, line_length: int) -> list[Cue]:
    """Return what a line's type asks of its characters, licences aside."""
    variants = line_variants(line_type, line_length)
    regular = [variant.tones for variant in variants if variant.licence is Licence.NONE]
    kinds = {
        frozenset((Tone.PING,)): Cue.PING,
        frozenset((Tone.ZE,)): Cue.ZE,
        frozenset(Tone): Cue.EITHER,
    }
    cues = [kinds[frozenset(map(Tone, tones))] for tones in zip(*regular, strict=True)]
    return [*cues[:-1], Cue.RHYME] if line_type.rhymed else cues
