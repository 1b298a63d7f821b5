"""The tone patterns of regulated verse: line types, their licensed variants, and templates.

A line type says how a line of five runs; a line of seven has two characters more in front, the
first free and the second opposite to the fourth:

    a  oblique start, unrhymed    ?仄?平仄; ?仄?仄仄 if the next line is ?平平仄平 (对句救)
    A  oblique start, rhymed      ?仄仄平平
    b  level start, unrhymed      ?平平仄仄; 平平仄平仄 (本句自救)
    B  level start, rhymed        平平?仄平; 仄平平仄平 (孤平拗救)

Source: the rules of regulated verse as Wang Li, 诗词格律 (1962), gives them.
"""

from enum import StrEnum
from functools import cache
from itertools import product
from typing import NamedTuple

from model.verse.form import Layout
from model.verse.rhymes import Tone


class LineType(StrEnum):
    """How the tones of one line run; capital letters rhyme."""

    A_UNRHYMED = "a"
    A_RHYMED = "A"
    B_UNRHYMED = "b"
    B_RHYMED = "B"

    @property
    def rhymed(self) -> bool:
        """Whether a line of this type ends level, in the rhyme."""
        return self.value.isupper()


class Licence(StrEnum):
    """Why a line that departs from its type is regular none the less."""

    NONE = "正格"
    SELF = "本句自救"
    LONE_LEVEL = "孤平拗救"
    NEXT_LINE = "对句救"


class Variant(NamedTuple):
    """One way to set a line: its tones, a string of 平 and 仄, and the licence it takes."""

    tones: str
    licence: Licence

    @property
    def tone_bits(self) -> int:
        """The tones as bits, two a spot from the lowest: 1 for 平, 2 for 仄."""
        return _tone_bits(self.tones)

    @property
    def rescues(self) -> bool:
        """Whether this line, of type B, makes good a 对句救 in the line before it."""
        return self.tones[-5:-1] in ("仄平平仄", "平平平仄")


@cache
def _tone_bits(tones: str) -> int:
    return sum((1 if tone == Tone.PING else 2) << 2 * spot for spot, tone in enumerate(tones))


class Template(NamedTuple):
    """The line types of a whole poem, for lines of line_length characters."""

    line_types: tuple[LineType, ...]
    line_length: int

    @property
    def name(self) -> str:
        """How line 1 begins and whether it rhymes, such as 仄起首句入韵."""
        oblique = self.line_types[0].value in "aA"
        start = "仄" if oblique == (self.line_length == 5) else "平"
        return f"{start}起首句{'入韵' if self.line_types[0].rhymed else '不入韵'}"

    @property
    def letters(self) -> str:
        """The line types as one word, such as aBbA."""
        return "".join(self.line_types)


@cache
def line_variants(line_type: LineType, line_length: int) -> tuple[Variant, ...]:
    """Return every way to set a line, all of them different.

    Args:
        line_type: How the line runs.
        line_length: 5 or 7.
    """
    patterns = {
        LineType.A_UNRHYMED: [("?仄?平仄", Licence.NONE), ("?仄?仄仄", Licence.NEXT_LINE)],
        LineType.A_RHYMED: [("?仄仄平平", Licence.NONE)],
        LineType.B_UNRHYMED: [("?平平仄仄", Licence.NONE), ("平平仄平仄", Licence.SELF)],
        LineType.B_RHYMED: [("平平?仄平", Licence.NONE), ("仄平平仄平", Licence.LONE_LEVEL)],
    }[line_type]
    front = "" if line_length == 5 else "?平" if line_type.value in "aA" else "?仄"
    return tuple(
        Variant("".join(tones), licence)
        for pattern, licence in patterns
        for tones in product(*("平仄" if tone == "?" else tone for tone in front + pattern))
    )


@cache
def couplet_choices(
    first: LineType, second: LineType, line_length: int
) -> tuple[tuple[tuple[Variant, ...], tuple[Variant, ...]], ...]:
    """Return the ways to set two lines in a row: any of the first with any of the second.

    对句救 in the first line is a way of its own: it needs a second line that rescues it.

    Args:
        first: Type of the odd line.
        second: Type of the even line.
        line_length: 5 or 7.
    """
    odds, evens = line_variants(first, line_length), line_variants(second, line_length)
    bent = tuple(odd for odd in odds if odd.licence is Licence.NEXT_LINE)
    plain = (tuple(odd for odd in odds if odd not in bent), evens)
    if not bent or second is not LineType.B_RHYMED:
        return (plain,)
    return plain, (bent, tuple(even for even in evens if even.rescues))


@cache
def couplet_variants(
    first: LineType, second: LineType, line_length: int
) -> tuple[tuple[Variant, Variant], ...]:
    """Return every way to set two lines in a row, one by one; see couplet_choices()."""
    choices = couplet_choices(first, second, line_length)
    return tuple(pair for odds, evens in choices for pair in product(odds, evens))


@cache
def regular_tones(first: LineType, second: LineType, line_length: int) -> tuple[str, ...]:
    """Return every way to set two lines without a licence, as one string of tones each."""
    return tuple(
        odd.tones + even.tones
        for odd, even in couplet_variants(first, second, line_length)
        if odd.licence is even.licence is Licence.NONE
    )


@cache
def templates(layout: Layout) -> tuple[Template, ...]:
    """Return the four templates of a regulated poem; none if the layout has no regulated form."""
    if layout.num_lines not in (4, 8) or layout.line_length not in (5, 7):
        return ()
    continuations = {"A": "aBbA", "B": "bAaB"}
    return tuple(
        Template(
            tuple(
                LineType(letter)
                for letter in (opening + continuations[opening[-1]])[: layout.num_lines]
            ),
            layout.line_length,
        )
        for opening in ("aBbA", "ABbA", "bAaB", "BAaB")
    )


def template_frequency(template: Template) -> float:
    """Return how often poets used a template of all regulated poems of its form.

    Source: 25,200 regulated Tang poems of the corpus, counted with model.verse.proof.
    """
    shares = {
        (5, 4): {"aBbA": 0.67, "bAaB": 0.22, "ABbA": 0.08, "BAaB": 0.03},
        (7, 4): {"aBbA": 0.17, "bAaB": 0.11, "ABbA": 0.29, "BAaB": 0.43},
        (5, 8): {"aBbA": 0.50, "bAaB": 0.30, "ABbA": 0.12, "BAaB": 0.08},
        (7, 8): {"aBbA": 0.16, "bAaB": 0.08, "ABbA": 0.38, "BAaB": 0.38},
    }
    return shares[template.line_length, len(template.line_types)][template.letters[:4]]
