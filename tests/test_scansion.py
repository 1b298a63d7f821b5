from collections.abc import Iterator, Sequence
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.verse.pattern import Licence, LineType, Variant, couplet_variants, line_variants
from model.verse.rhymes import LEVEL_GROUPS, Reading, Rhymes, Tone
from model.verse.scansion import Verse, punctuate, split_lines
from model.verse.sound import sounds

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
    size, number = draw(st.sampled_from([5, 7])), draw(st.sampled_from([2, 4]))
    line = st.text("平仄平仄兩雙□", min_size=size, max_size=size)
    return draw(st.lists(line, min_size=number, max_size=number))


def oddness(
    verse: Verse, index: int, variant: Variant, rhyme: str | None, *, doubt: bool
) -> tuple[int, ...]:
    """Return what speaks against a variant of a line, what matters most first; its end aside.

    In doubt, no licence is taken by a reading that is not the commonest.
    """
    line = verse.lines[index]
    tones = [verse.sound(character).tones for character in line]
    if index % 2 and rhyme in verse.sound(line[-1]).groups:
        tones[-1] = (Tone.PING if rhyme in LEVEL_GROUPS else Tone.ZE,)
    elif index in (2, 4, 6) and (rhyme or LEVEL_GROUPS[0]) in LEVEL_GROUPS and "仄" in tones[-1]:
        tones[-1] = (Tone.ZE,)
    known = [(own, wanted) for own, wanted in zip(tones, variant.tones, strict=True) if own]
    doubles = pairwise(zip(line, variant.tones, strict=True))
    licensed = variant.licence is not Licence.NONE
    unusual = sum(wanted in own and wanted != own[0] for own, wanted in known)
    doubtful = unusual if doubt and licensed else 0
    return (
        sum(wanted not in own for own, wanted in known) + doubtful,
        sum(a == b and tone != other for (a, tone), (b, other) in doubles),
        licensed,
        unusual - doubtful,
    )


def ends_wrong(verse: Verse, index: int, rhymed: bool, rhyme: str | None) -> tuple[int, int]:
    """Return whether a line ends in the wrong tone, and whether line 1 avoids a rhyme it has."""
    oblique = rhyme is not None and rhyme not in LEVEL_GROUPS
    end = verse.sound(verse.lines[index][-1])
    if index == 0:
        near = any(Rhymes.are_neighbours(own, rhyme or "") for own in end.usual_groups)
        return rhymed and rhyme not in end.groups and not near, not rhymed and (
            rhyme in end.usual_groups
        )
    if index % 2 == 0:
        return rhymed and not oblique, 0
    return rhymed is oblique, 0


def speaks_against(
    verse: Verse, setting: Sequence[tuple[LineType, Variant]], rhyme: str | None, *, doubt: bool
) -> tuple[int, ...]:
    """Return everything that speaks against a setting of a poem, what matters most first."""
    odd = [oddness(verse, i, variant, rhyme, doubt=doubt) for i, (_, variant) in enumerate(setting)]
    ends = [ends_wrong(verse, i, kind.rhymed, rhyme) for i, (kind, _) in enumerate(setting)]
    starts = [kind.value.lower() for kind, _ in setting]
    broken = sum((a == b) is (i % 2 == 0) for i, (a, b) in enumerate(pairwise(starts)))
    misplaced, split, licensed, unusual = map(sum, zip(*odd, strict=True))
    (first, _), end = setting[0], verse.sound(verse.lines[0][-1])
    if end.tones == ("平",) and not first.rhymed and not ends_wrong(verse, 0, True, rhyme)[0]:
        misplaced += 8
    wrong, unrhymed = map(sum, zip(*ends, strict=True))
    return misplaced, wrong, broken, unrhymed, split, licensed * 100 + unusual


def settings_of(
    verse: Verse, rhyme: str | None, *, doubt: bool
) -> Iterator[list[tuple[LineType, Variant]]]:
    """Yield the settings of a poem that could be its best."""
    size = len(verse.lines[0])
    kinds = {
        (kind, variant.licence is Licence.NEXT_LINE, kind == "B" and variant.rescues): kind
        for kind in LineType
        for variant in line_variants(kind, size)
    }
    ways = [
        [
            (
                kind,
                min(found, key=lambda v: oddness(verse, i, v, rhyme, doubt=doubt)),
                bent,
                rescuing,
            )
            for (kind, bent, rescuing) in kinds
            for found in [
                [
                    v
                    for v in line_variants(kind, size)
                    if (v.licence is Licence.NEXT_LINE, kind == "B" and v.rescues)
                    == (bent, rescuing)
                ]
            ]
        ]
        for i in range(len(verse.lines))
    ]
    for way in product(*ways):
        bent = [i for i, (_, _, bent, _) in enumerate(way) if bent]
        if all(i % 2 == 0 and way[i + 1][3] for i in bent):
            yield [(kind, variant) for kind, variant, _, _ in way]


@settings(deadline=None, max_examples=50)
@given(poems())
def test_no_setting_of_a_poem_has_less_against_it_than_the_one_found(lines: list[str]) -> None:
    verse = Verse(lines, RHYMES, exact=True)
    rhyme = verse.rhyme_group()
    found = verse.scan(rhyme)
    assert found is not None
    setting = list(zip(found.line_types, found.variants, strict=True))

    def least(*, doubt: bool) -> tuple[tuple[int, ...], list[tuple[LineType, Variant]]]:
        settings = settings_of(verse, rhyme, doubt=doubt)
        weighed = ((speaks_against(verse, way, rhyme, doubt=doubt), way) for way in settings)
        return min(weighed, key=lambda pair: pair[0])

    best, way = least(doubt=False)
    licensed = any(variant.licence is not Licence.NONE for _, variant in way)
    doubt = bool(sum(best[:3]) and licensed and best[-1] % 100)
    own = speaks_against(verse, setting, rhyme, doubt=doubt)
    assert own == least(doubt=doubt)[0]
    assert (found.misplaced, found.faults) == (own[0], sum(own[:3]))


@pytest.mark.parametrize(
    "lines", [["平仄"] * 4, ["平仄仄平平"] * 3, ["平仄仄平平", "平仄仄平平仄仄"]]
)
def test_only_couplets_of_five_or_seven_scan(lines: list[str]) -> None:
    assert Verse(lines, RHYMES, exact=True).scan(None) is None


def test_lines_are_punctuated_as_they_were_split() -> None:
    lines = ["白日依山盡", "黃河入海流", "欲窮千里目", "更上一層樓"]
    assert punctuate(lines) == "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"
    assert split_lines(punctuate(lines)) == lines
    assert punctuate([]) == ""


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
    written, exact = (sounds(Rhymes.load(), exact=exact) for exact in (False, True))
    readings = [*Rhymes.load().readings("發"), *Rhymes.load().readings("髮")]
    assert written("发").groups == {reading.group for reading in readings}
    assert written("發").tones == (Tone.ZE,)
    assert exact("发").groups == Rhymes.load().groups("发")


def test_a_tone_that_poets_hardly_use_is_not_usual() -> None:
    level, oblique = Reading("平", "十一尤"), Reading("入", "五物")
    table = Rhymes({"不": (oblique, level)}, {("不", oblique): 98, ("不", level): 2})
    sound = sounds(table, exact=True)("不")
    assert sound.tones == (Tone.ZE,)
    assert sound.rare == (level,)
    assert sound.usual_groups == {"五物"}
    assert sound.groups == {"五物", "十一尤"}
    assert sound.fits("仄")
    assert not sound.fits("平")
    assert sounds(table, exact=True)("□").fits("平")


def test_sounds_of_one_table_are_not_those_of_another() -> None:
    other = Rhymes({"平": (Reading("入", "一屋"),)})
    assert sounds(RHYMES, exact=True)("平").tones == (Tone.PING,)
    assert sounds(other, exact=True)("平").tones == (Tone.ZE,)
    assert sounds(other, exact=True)("□").tones == ()
