import json
import random
import tarfile
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.verse.form import Form, Layout
from model.verse.pattern import (
    Licence,
    LineType,
    Template,
    couplet_variants,
    line_variants,
    template_frequency,
    templates,
)
from model.verse.proof import Genre, MeterProof, check
from model.verse.rhymes import Reading, Rhymes
from model.verse.scansion import split_lines
from model.verse.script import unify

PROSE = "这是我写的一段现代文字，今天天气很好，我们一起去公园玩吧。"
LAYOUTS = [Layout(5, 4), Layout(7, 4), Layout(5, 8), Layout(7, 8)]
LEVEL, OBLIQUE = Reading("平", "一東"), Reading("入", "一屋")
RHYMING, BORROWED, OTHER = Reading("平", "十一尤"), Reading("平", "二冬"), Reading("平", "六麻")


class Speller:
    """Makes up poems: a new character, of one reading, for every place."""

    def __init__(self) -> None:
        self._codes = count(0x4E00)
        self.readings: dict[str, tuple[Reading, ...]] = {}

    def character(self, *readings: Reading) -> str:
        """Return a character that has never been used, with these readings."""
        character = chr(next(self._codes))
        self.readings[character] = readings
        return character

    def poem(self, tones: Sequence[str], rhymes: dict[int, Reading]) -> list[str]:
        """Return lines with these tones; rhymes gives the reading of some lines' ends."""
        return [
            "".join(
                self.character(
                    rhymes.get(number, LEVEL) if last else LEVEL if tone == "平" else OBLIQUE
                )
                if tone == "平"
                else self.character(OBLIQUE)
                for place, tone in enumerate(line, 1)
                for last in [place == len(line)]
            )
            for number, line in enumerate(tones, 1)
        ]

    def check(self, lines: Sequence[str]) -> MeterProof:
        """Judge a poem by the readings made up so far."""
        return check(lines, rhymes=Rhymes(self.readings), exact=True)


def set_lines(template: Template, choose: random.Random) -> Iterator[str]:
    """Yield tones for a template, its variants drawn."""
    types = template.line_types
    for index in range(0, len(types), 2):
        pair = choose.choice(couplet_variants(types[index], types[index + 1], template.line_length))
        yield from (variant.tones for variant in pair)


def regular(letters: str, line_length: int = 5) -> list[str]:
    """Return the first way to set each line type."""
    return [line_variants(LineType(letter), line_length)[0].tones for letter in letters]


def judge(tones: Sequence[str], rhymes: dict[int, Reading] | None = None) -> MeterProof:
    """Judge a made-up poem of these tones, whose even lines rhyme unless told otherwise."""
    speller = Speller()
    ends = dict.fromkeys(range(2, len(tones) + 1, 2), RHYMING) | (rhymes or {})
    return speller.check(speller.poem(tones, ends))


def failing(proof: MeterProof) -> set[str]:
    """Return the names of the rules that do not hold."""
    return {name for name, rule in proof.checks.items() if not rule.holds}


@given(st.sampled_from(LAYOUTS), st.integers(0, 3), st.randoms(use_true_random=False))
def test_every_way_to_set_a_template_is_regulated(
    layout: Layout, number: int, choose: random.Random
) -> None:
    template = templates(layout)[number]
    tones = list(set_lines(template, choose))
    rhymes = {1: RHYMING} if template.line_types[0].rhymed else {}
    proof = judge(tones, rhymes)
    assert proof.regulated, failing(proof)
    assert proof.tones == tuple(tones)
    assert proof.line_types == template.letters
    assert proof.pattern == template.name
    assert proof.rhyme == "十一尤"


@given(
    st.sampled_from(LAYOUTS),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_the_wrong_tone_at_character_2_of_any_line_is_found(
    layout: Layout, number: int, choose: random.Random, data: st.DataObject
) -> None:
    template = templates(layout)[number]
    tones = list(set_lines(template, choose))
    line = data.draw(st.integers(0, layout.num_lines - 1))
    wrong = "仄" if tones[line][1] == "平" else "平"
    tones[line] = tones[line][0] + wrong + tones[line][2:]
    proof = judge(tones, {1: RHYMING} if template.line_types[0].rhymed else {})
    assert not proof.regulated
    assert not proof.checks["对"].holds
    regular = {v.tones for kind in LineType for v in line_variants(kind, layout.line_length)}
    if tones[line] not in regular:
        assert line + 1 in {at for at, _ in proof.checks["平仄"].where}


@pytest.mark.parametrize("line_length", [5, 7])
@pytest.mark.parametrize(
    ("letter", "allowed"),
    [
        (
            "a",
            "平仄仄平仄 平仄平平仄 仄仄仄平仄 仄仄平平仄 "
            "平仄仄仄仄 平仄平仄仄 仄仄仄仄仄 仄仄平仄仄",
        ),
        ("A", "平仄仄平平 仄仄仄平平"),
        ("b", "平平平仄仄 仄平平仄仄 平平仄平仄"),
        ("B", "平平仄仄平 平平平仄平 仄平平仄平"),
    ],
)
def test_line_types_allow_what_the_rules_list(letter: str, allowed: str, line_length: int) -> None:
    found = [variant.tones for variant in line_variants(LineType(letter), line_length)]
    assert len(found) == len(set(found))
    assert {tones[-5:] for tones in found} == set(allowed.split())
    if line_length == 7:
        assert {tones[:2] for tones in found} == (
            {"平平", "仄平"} if letter in "aA" else {"平仄", "仄仄"}
        )


@pytest.mark.parametrize("even", ["平平仄仄平", "平平平仄平", "仄平平仄平"])
def test_a_line_with_an_oblique_fourth_character_needs_rescue_by_the_next(even: str) -> None:
    proof = judge(["仄仄仄仄仄", even, *regular("bA")])
    rescued = even != "平平仄仄平"
    assert proof.regulated is rescued
    assert proof.checks["拗救"].holds is rescued
    if rescued:
        assert proof.checks["拗救"].note == f"第1句{Licence.NEXT_LINE}" + (
            f"，第2句{Licence.LONE_LEVEL}" if even[0] == "仄" else ""
        )


@pytest.mark.parametrize(
    ("tones", "rules"),
    [
        (
            ["仄仄平平仄", "仄平仄仄平", "平平平仄仄", "仄仄仄平平"],
            {"孤平": (2, 2), "平仄": (2, 1)},
        ),
        (
            ["仄仄平平仄", "平平仄仄平", "平平平仄仄", "仄仄平平平"],
            {"三平调": (4, 5), "平仄": (4, 3)},
        ),
        (["仄仄平平仄", "平平仄仄平", "仄仄平平仄", "平平仄仄平"], {"粘": (3, 2)}),
        (["仄仄平平仄", "平平仄仄平", "平平平仄平", "仄仄仄平平"], {"仄收": (3, 5)}),
        (["仄仄平平仄", "平平仄仄平", "平平仄仄仄", "仄仄仄平平"], {"平仄": (3, 3)}),
    ],
)
def test_each_rule_of_tone_fails_by_its_name_and_alone(
    tones: list[str], rules: dict[str, tuple[int, int]]
) -> None:
    proof = judge(tones)
    assert {name: proof.checks[name].where[0] for name in failing(proof)} == rules
    assert all(len(proof.checks[name].where) == 1 for name in rules)


def test_lines_of_a_couplet_that_are_alike_break_its_opposition() -> None:
    proof = judge(["仄仄平平仄", "仄仄仄平平", "仄仄平平仄", "平平仄仄平"])
    assert failing(proof) == {"对"}
    assert proof.checks["对"].where == ((2, 2), (2, 4))


def test_an_even_line_that_does_not_rhyme_is_named() -> None:
    proof = judge(regular("aBbAaBbA"), {6: OTHER})
    assert failing(proof) == {"押韵"}
    assert proof.checks["押韵"].where == ((6, 5),)


def test_oblique_rhyme_is_rhyme_but_not_regulated() -> None:
    proof = judge(["平平平仄仄", "仄仄平平仄", "平平平仄仄", "仄仄平平仄"])
    assert proof.rhyme == "一屋"
    assert proof.checks["押韵"].holds
    assert not proof.checks["平韵"].holds


@pytest.mark.parametrize(
    ("reading", "note", "holds"), [(RHYMING, "入韵", True), (OTHER, "", False)]
)
def test_a_level_first_line_has_to_rhyme(reading: Reading, note: str, holds: bool) -> None:
    rule = judge(regular("ABbA"), {1: reading}).checks["首句"]
    assert (rule.holds, rule.note) == (holds, note)


def test_the_first_line_may_borrow_a_neighbouring_group() -> None:
    east = {2: LEVEL, 4: LEVEL}
    assert judge(regular("ABbA"), {1: BORROWED, **east}).checks["首句"].note == "邻韵"
    assert judge(regular("ABbA"), {1: BORROWED, **east}).regulated
    assert not judge(regular("ABbA"), {1: LEVEL, 2: LEVEL, 4: BORROWED}).regulated


def test_a_rhyme_character_that_comes_twice_is_named() -> None:
    speller = Speller()
    lines = speller.poem(regular("aBbA"), {2: RHYMING, 4: RHYMING})
    lines[3] = lines[3][:-1] + lines[1][-1]
    proof = speller.check(lines)
    assert failing(proof) == {"重韵"}
    assert proof.checks["重韵"].where == ((2, 5), (4, 5))


def test_a_character_of_two_tones_is_read_as_its_place_asks() -> None:
    speller = Speller()
    lines = speller.poem(regular("aBbA"), {2: RHYMING, 4: RHYMING})
    both = speller.character(LEVEL, OBLIQUE)
    for line, place, tone in [(0, 1, "仄"), (1, 1, "平")]:
        changed = list(lines)
        changed[line] = lines[line][:place] + both + lines[line][place + 1 :]
        proof = speller.check(changed)
        assert proof.regulated
        assert proof.tones[line][place] == tone


def test_a_character_without_a_reading_is_no_fault() -> None:
    speller = Speller()
    lines = speller.poem(regular("aBbA"), {2: RHYMING, 4: RHYMING})
    lines[0] = "□" + lines[0][1:]
    proof = speller.check(lines)
    assert proof.tones[0][0] == "？"
    assert proof.regulated
    lines[3] = lines[3][:-1] + "□"
    assert speller.check(lines).rhyme == "十一尤"
    assert speller.check(lines).regulated


def test_other_poems_get_tones_and_the_rules_of_rhyme_alone() -> None:
    proof = judge(["平平仄仄平"] * 6)
    assert (proof.form, proof.pattern, proof.line_types) == (Form.WUGU, None, "")
    assert proof.tones == ("平平仄仄平",) * 6
    assert set(proof.checks) == {"押韵", "重韵"}
    assert proof.rhyme == "十一尤"
    assert proof.genre is Genre.OLD
    assert not proof.regulated
    assert judge(["平平", "仄仄平"]).form is None


def test_a_text_without_characters_is_no_poem() -> None:
    with pytest.raises(ValueError, match="no Chinese characters"):
        check("，。 yin")


def test_lines_are_split_at_anything_but_characters() -> None:
    assert split_lines("一二，三四。\n五□；六。yin") == ["一二", "三四", "五□", "六"]


def test_either_script_gets_the_same_proof() -> None:
    traditional = check("白日依山盡，黃河入海流。欲窮千里目，更上一層樓。")
    simplified = check("白日依山尽，黄河入海流。欲穷千里目，更上一层楼。")
    assert traditional.regulated
    assert traditional.rhyme == "十一尤"
    assert traditional.to_dict() == simplified.to_dict()


def test_the_proof_is_plain_json() -> None:
    answer = judge(regular("aBbA"), {4: OTHER}).to_dict()
    assert answer["checks"]["押韵"] == {"holds": False, "where": [[2, 5], [4, 5]], "note": ""}
    assert answer["pattern"] == "仄起首句不入韵"


def test_each_regulated_form_has_four_templates_that_share_its_poems() -> None:
    for layout in LAYOUTS:
        names = {template.letters[:4] for template in templates(layout)}
        assert names == {"aBbA", "ABbA", "bAaB", "BAaB"}
        shares = [template_frequency(template) for template in templates(layout)]
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0
    assert templates(Layout(5, 6)) == ()


def tang_poems() -> list[list[str]]:
    """Return the lines of the poems of some files of the corpus."""
    archives = sorted(Path(__file__).parents[2].glob("shared/corpus/chinese-poetry-*.tar.xz"))
    if not archives:
        pytest.skip("the corpus is not at ../shared/corpus")
    with tarfile.open(archives[0], "r|xz") as archive:
        members = (entry for entry in archive if "poet.tang" in entry.name)
        files = (archive.extractfile(member) for member in islice(members, 4))
        poems = [poem for file in files if file for poem in json.loads(file.read())]
    return [split_lines(unify("".join(poem["paragraphs"]))) for poem in poems]


def test_tang_poets_keep_the_rules_as_often_as_is_known_of_them() -> None:
    poems = tang_poems()
    characters = [c for lines in poems for line in lines for c in line if c != "□"]
    known = sum(character in Rhymes.load() for character in characters)
    assert known / len(characters) > 0.995
    proofs = [check(lines, exact=True) for lines in poems if len(lines) == 8]
    eight = [proof for proof in proofs if proof.form is Form.QILV]
    assert len(eight) > 300
    rhymed = [proof for proof in eight if proof.checks["押韵"].holds and proof.checks["平韵"].holds]
    assert len(rhymed) / len(eight) > 0.9
    assert sum(proof.regulated for proof in eight) / len(eight) > 0.7


def test_a_place_that_takes_either_tone_is_read_in_the_commonest() -> None:
    proof = check("冷日依山盡，黃河入海流。欲窮千里目，更上一層樓。")
    assert proof.regulated
    assert proof.tones[0] == "仄仄平平仄"


def test_one_rhyming_line_among_unequal_ones_is_no_rhyme() -> None:
    proof = check(PROSE)
    assert (proof.genre, proof.rhyme, proof.rhyme_lines) == (Genre.UNEQUAL, None, ())
    assert not proof.checks["押韵"].holds
    rhyming = check("前不见古人，后不见来者。念天地之悠悠，独怆然而涕下。")
    assert (rhyming.genre, rhyming.checks["押韵"].holds) == (Genre.UNEQUAL, True)


def test_a_single_couplet_is_told_why_it_is_not_regulated() -> None:
    couplet = "白日依山尽，黄河入海流。"
    proof = check(couplet)
    assert not proof.regulated
    assert "四句、八句，或十句以上" in proof.checks["押韵"].note
    assert "只有一联" not in check(couplet * 2).checks["押韵"].note
