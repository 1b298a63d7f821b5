from collections.abc import Iterator
from functools import partial
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.verse.form import Layout
from model.verse.pattern import (
    Licence,
    LineType,
    Template,
    Variant,
    couplet_variants,
    line_variants,
    templates,
)
from model.verse.rhymes import Reading, Rhymes, Tone
from model.verse.scansion import Verse

READINGS = {
    "平": (Reading("平", "一東"),),
    "仄": (Reading("入", "一屋"),),
    "兩": (Reading("平", "一東"), Reading("入", "一屋")),
    "雙": (Reading("入", "一屋"), Reading("平", "六麻")),
}
RHYMES = Rhymes(READINGS)


@st.composite
def poems(draw: st.DrawFn) -> list[str]:
    """Draw the lines of a poem of characters in every kind of reading, some without any."""
    size, number = draw(st.sampled_from([Layout(5, 4), Layout(7, 4), Layout(5, 8), Layout(7, 8)]))
    line = st.text("平仄平仄兩雙□", min_size=size, max_size=size)
    return draw(st.lists(line, min_size=number, max_size=number))


def ways(template: Template, index: int) -> Iterator[tuple[Variant, Variant]]:
    """Yield every way to set two lines of a template."""
    types = template.line_types
    yield from couplet_variants(types[index], types[index + 1], template.line_length)


def strangeness(verse: Verse, index: int, pair: tuple[Variant, Variant]) -> tuple[int, int, int]:
    """Return the misplaced characters of two lines, their licences, and the unusual readings."""
    places = [
        (tone, verse.tones(character))
        for line, variant in zip(verse.lines[index : index + 2], pair, strict=True)
        for character, tone in zip(line, variant.tones, strict=True)
    ]
    return (
        sum(tone not in tones for tone, tones in places),
        sum(variant.licence is not Licence.NONE for variant in pair),
        sum(tone not in tones[:1] for tone, tones in places),
    )


@given(poems())
def test_the_best_setting_is_the_first_of_the_best_of_all(lines: list[str]) -> None:
    verse = Verse(lines, RHYMES, exact=True)
    rhyme = verse.rhyme_group()
    best = verse.best_setting(rhyme)
    assert best is not None
    faults = []
    for template in templates(Layout(len(lines[0]), len(lines))):
        pairs = [
            min(ways(template, index), key=partial(strangeness, verse, index))
            for index in range(0, len(lines), 2)
        ]
        misplaced = sum(
            strangeness(verse, 2 * number, pair)[0] for number, pair in enumerate(pairs)
        )
        unrhymed = template.line_types[0].rhymed and not verse.opens_in_rhyme(rhyme)
        faults.append((misplaced + unrhymed, misplaced))
        if template == best.template:
            assert best.variants == tuple(variant for pair in pairs for variant in pair)
            assert (best.misplaced, best.unrhymed) == (misplaced, unrhymed)
    assert (best.faults, best.misplaced) == min(faults)


@pytest.mark.parametrize("line_length", [5, 7])
@pytest.mark.parametrize("types", [*product(LineType, LineType)])
def test_a_couplet_is_any_two_variants_but_for_a_rescue(
    types: tuple[LineType, LineType], line_length: int
) -> None:
    odds, evens = (line_variants(line_type, line_length) for line_type in types)
    expected = [
        (odd, even)
        for odd, even in product(odds, evens)
        if odd.licence is not Licence.NEXT_LINE or (types[1] is LineType.B_RHYMED and even.rescues)
    ]
    assert list(couplet_variants(*types, line_length)) == expected


def test_a_character_sounds_as_all_that_its_simplified_form_stands_for() -> None:
    written = Verse(["发"], Rhymes.load())
    exact = Verse(["发"], Rhymes.load(), exact=True)
    readings = [*Rhymes.load().readings("發"), *Rhymes.load().readings("髮")]
    assert written.groups("发") == {reading.group for reading in readings}
    assert Verse(["發"], Rhymes.load()).tones("發") == (Tone.ZE,)
    assert exact.groups("发") == Rhymes.load().groups("发")


def test_sounds_of_one_table_are_not_those_of_another() -> None:
    other = Rhymes({"平": (Reading("入", "一屋"),)})
    assert Verse(["平"], RHYMES, exact=True).tones("平") == (Tone.PING,)
    assert Verse(["平"], other, exact=True).tones("平") == (Tone.ZE,)
    assert Verse(["□"], other, exact=True).tones("□") == ()
