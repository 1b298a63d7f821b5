import random
from collections import Counter

import pytest
import torch
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from model.guide import NoCharacterFits
from model.poet.given import give_acrostic, give_opening
from model.poet.lexicon import Lexicon
from model.poet.memory import SPAN
from model.poet.plan import find_plans
from model.poet.poem import Meter
from model.poet.verse_guide import VerseGuide
from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.form import Layout
from model.verse.proof import MeterProof, check
from model.verse.rhymes import Reading
from model.verse.scansion import punctuate
from model.verse.script import Script, to_script, unify
from model.vocabulary import Vocabulary
from tests.guides import EAST, HOUSE, REGULATED, SORROW, guide_to, lexicon, made_up, of_reading


def write(guide: VerseGuide, masks: Lexicon, seed: int) -> list[str]:
    """Return the lines of a poem drawn evenly from what a guide allows."""
    choose, ids = random.Random(seed), list[int]()
    while not guide.finished:
        allowed = torch.nonzero(guide.allowed()).flatten().tolist()
        assert allowed, "the guide ran into a dead end"
        ids.append(choose.choice(allowed))
        guide.advance(ids[-1])
    lines = masks.vocabulary.decode(ids).replace("。", "，").split("，")
    assert lines.pop() == ""
    return lines


def judge(lines: list[str], masks: Lexicon) -> MeterProof:
    """Judge a poem in the model's script."""
    return check(lines, rhymes=masks.rhymes, exact=True)


def repeated(lines: list[str]) -> list[str]:
    """Return what comes again in simplified script, but for a character next to itself."""
    text = "".join(
        c for line in lines for place, c in enumerate(line) if not place or line[place - 1] != c
    )
    text = "".join(to_script(c, Script.SIMPLIFIED) for c in text)
    return [character for character, n in Counter(text).items() if n > 1]


@pytest.mark.parametrize("layout", REGULATED)
@pytest.mark.parametrize("seed", range(12))
def test_a_strict_poem_drawn_at_random_is_regulated(layout: Layout, seed: int) -> None:
    guide = guide_to(lexicon(), layout, seed=seed)
    lines = write(guide, lexicon(), seed)
    proof = judge(lines, lexicon())
    assert proof.regulated, proof
    assert [len(line) for line in lines] == [layout.line_length] * layout.num_lines
    assert not repeated(lines)


@pytest.mark.parametrize("script", Script)
@pytest.mark.parametrize("layout", REGULATED)
def test_a_strict_poem_is_regulated_as_it_is_printed(layout: Layout, script: Script) -> None:
    for seed in range(12):
        lines = write(guide_to(lexicon(), layout, seed=seed), lexicon(), seed)
        printed = to_script(punctuate(lines), script)
        assert check(printed).regulated, printed


def test_the_end_of_line_1_comes_at_no_rhyme_however_long_the_poem_is() -> None:
    masks, layout = lexicon(400), Layout(5, 20)
    for seed in range(60):
        lines = write(guide_to(masks, layout, meter=Meter.RHYME, seed=seed), masks, seed)
        assert judge(lines, masks).checks["重韵"].holds


@settings(deadline=None, max_examples=150)
@over(st.data())
def test_whatever_is_asked_is_answered_or_refused_before_the_first_character(
    data: st.DataObject,
) -> None:
    masks = data.draw(st.sampled_from([lexicon(), lexicon(400)]))
    meter = data.draw(st.sampled_from(Meter))
    layout = data.draw(st.sampled_from(REGULATED))
    if meter is not Meter.STRICT:
        layout = Layout(data.draw(st.sampled_from([5, 7])), 2 * data.draw(st.integers(1, 10)))
    places = st.tuples(st.integers(0, layout.num_lines - 1), st.integers(0, layout.line_length - 1))
    tokens = st.integers(masks.vocabulary.han_ids.start, len(masks.vocabulary) - 1)
    given = data.draw(st.dictionaries(places, tokens, max_size=8))
    seed = data.draw(st.integers(0, 2**32))
    try:
        guide = guide_to(masks, layout, meter=meter, given=given, seed=seed)
    except NoCharacterFits:
        return
    lines = write(guide, masks, seed)
    assert [len(line) for line in lines] == [layout.line_length] * layout.num_lines
    for (line, place), token in given.items():
        assert lines[line][place] == masks.vocabulary.tokens[token]
    proof = judge(lines, masks)
    if meter is Meter.STRICT:
        assert proof.regulated, proof
    if meter is Meter.RHYME:
        assert proof.checks["押韵"].holds
        assert proof.checks["重韵"].holds
    if proof.rhyme is not None and meter is not Meter.FREE:
        printed = [to_script(line[-1], Script.SIMPLIFIED) for line in lines[1::2]]
        assert len(set(printed)) == len(printed)
    if layout.characters <= SPAN and masks.count_distinct(given.values()) == len(given):
        assert not repeated(lines)


@settings(deadline=None, max_examples=60)
@over(st.sampled_from(REGULATED), st.integers(0, 2**32), st.data())
def test_a_poem_that_was_written_can_be_asked_for_in_part(
    layout: Layout, seed: int, data: st.DataObject
) -> None:
    masks = lexicon()
    first = guide_to(masks, layout, seed=seed)
    ids = [masks.vocabulary.encode(line) for line in write(first, masks, seed)]
    kept = data.draw(st.integers(0, layout.num_lines - 1))
    given = give_opening(ids[:kept], layout) | give_acrostic([line[0] for line in ids], layout)
    plans = find_plans(masks, layout, Meter.STRICT, given)
    assert first.template in [plan.template for plan in plans]
    assert judge(write(guide_to(masks, layout, given=given), masks, seed), masks).regulated


@settings(deadline=None, max_examples=60)
@over(st.integers(1, 30), st.integers(0, 30), st.integers(0, 2**32))
def test_rare_rhymes_are_spared_for_the_lines_that_need_them(
    east: int, sorrow: int, seed: int
) -> None:
    masks = made_up({EAST: east, SORROW: sorrow, HOUSE: 120})
    try:
        guide = guide_to(masks, Layout(7, 8), meter=Meter.RHYME, seed=seed)
    except NoCharacterFits:
        pytest.fail("eight lines can rhyme in the oblique group")
    assert judge(write(guide, masks, seed), masks).checks["押韵"].holds
    end = of_reading(masks, EAST)[0]
    given = {(1, 6): end}
    if east < 4:
        with pytest.raises(NoCharacterFits, match="line 4: too few characters rhyme here"):
            guide_to(masks, Layout(7, 8), meter=Meter.RHYME, given=given)
    else:
        tight = guide_to(masks, Layout(7, 8), meter=Meter.RHYME, given=given, seed=seed)
        assert judge(write(tight, masks, seed), masks).rhyme == "一東"


@pytest.mark.parametrize("layout", REGULATED)
def test_the_model_is_told_the_places_of_the_template(layout: Layout) -> None:
    guide, told = guide_to(lexicon(), layout, seed=3), []
    while not guide.finished:
        told.append(guide.cue)
        guide.advance(int(torch.nonzero(guide.allowed())[0]))
    assert guide.template is not None
    assert tuple(told) == template_cues(guide.template)
    assert guide.cue is Cue.FREE


def test_the_model_is_told_the_rhymes_alone_where_nothing_else_is_asked() -> None:
    guide, told = guide_to(lexicon(), Layout(5, 6), meter=Meter.RHYME, seed=3), []
    while not guide.finished:
        told.append(guide.cue)
        guide.advance(int(torch.nonzero(guide.allowed())[0]))
    assert tuple(told) == rhyme_cues([5] * 6)


def test_long_poems_may_come_back_to_a_character_but_not_to_a_rhyme() -> None:
    masks = made_up({EAST: 60, HOUSE: 90})
    layout = Layout(5, 20)
    lines = write(guide_to(masks, layout, meter=Meter.RHYME, seed=1), masks, 1)
    ends = [line[-1] for line in lines[1::2]]
    assert len(set(ends)) == len(ends)
    assert repeated(lines)


def test_a_pair_may_stand_on_a_foot_once_in_four_lines() -> None:
    masks = made_up({EAST: 100, HOUSE: 100})
    guide = guide_to(masks, Layout(5, 4), meter=Meter.FREE)
    token = masks.vocabulary.han_ids.start
    guide.advance(token)
    assert guide.allowed()[token]
    guide.advance(token)
    assert not guide.allowed()[token]
    guide.advance(token + 1)
    assert not guide.allowed()[token + 1]


def test_a_pair_does_not_straddle_two_feet() -> None:
    masks = made_up({EAST: 100, HOUSE: 100})
    guide = guide_to(masks, Layout(7, 4), meter=Meter.FREE)
    for token in masks.vocabulary.han_ids[:2]:
        guide.advance(token)
    assert not guide.allowed()[token]


def test_a_character_that_is_given_for_later_does_not_come_before() -> None:
    masks = lexicon()
    token = masks.vocabulary.han_ids[7]
    guide = guide_to(masks, Layout(5, 4), meter=Meter.FREE, given={(2, 0): token})
    assert not guide.allowed()[token]


def test_characters_that_simplified_script_prints_alike_count_as_one() -> None:
    known = dict.fromkeys("遊游閑閒山天") | dict.fromkeys(lexicon().vocabulary.characters)
    masks = Lexicon(Vocabulary(list(known)))
    tokens = masks.vocabulary.id_of
    roam, swim = tokens("遊"), tokens("游")
    assert sorted(masks.with_lookalikes([roam])) == sorted([roam, swim])
    guide = guide_to(masks, Layout(5, 4), meter=Meter.FREE, seed=1)
    assert guide.allowed()[swim]
    guide.advance(roam)
    guide.advance(tokens("山"))
    assert not guide.allowed()[[roam, swim]].any()
    given = {(1, 4): roam}
    assert not guide_to(masks, Layout(5, 4), given=given).allowed()[swim]
    (rhyme,) = masks.count_rhymes(["十一尤"], []).values()
    for taken in ([roam], [roam, swim]):
        assert masks.count_rhymes(["十一尤"], taken) == {"十一尤": rhyme - 1}
    with pytest.raises(NoCharacterFits, match=r"line 4: the rhyme character 游 .* comes twice"):
        find_plans(masks, Layout(5, 4), Meter.RHYME, {**given, (3, 4): swim})


def test_punctuation_is_the_only_thing_between_lines_and_the_end_after_the_last() -> None:
    masks = lexicon()
    vocabulary = masks.vocabulary
    guide = guide_to(masks, Layout(5, 2), meter=Meter.FREE)
    for mark in (vocabulary.comma_id, vocabulary.full_stop_id):
        for _ in range(5):
            guide.advance(int(torch.nonzero(guide.allowed())[0]))
        assert torch.nonzero(guide.allowed()).flatten().tolist() == [mark]
        guide.advance(mark)
    assert guide.finished
    assert torch.nonzero(guide.allowed()).flatten().tolist() == [vocabulary.eos_id]
    guide.advance(vocabulary.eos_id)
    assert guide.finished


def test_nothing_but_characters_is_allowed_in_a_line() -> None:
    masks = lexicon()
    allowed = guide_to(masks, Layout(5, 4), meter=Meter.FREE).allowed()
    assert not allowed[: masks.vocabulary.han_ids.start].any()


def test_what_is_not_allowed_is_refused() -> None:
    guide = guide_to(lexicon(), Layout(5, 4))
    with pytest.raises(ValueError, match="line 1 cannot go on with '。'"):
        guide.advance(lexicon().vocabulary.full_stop_id)


def test_a_given_first_line_may_borrow_a_neighbouring_group() -> None:
    winter = Reading("平", "二冬")
    masks = made_up({EAST: 60, winter: 60, SORROW: 60, HOUSE: 120})
    east, winters, sorrow = (of_reading(masks, reading) for reading in (EAST, winter, SORROW))
    given = {(0, 4): winters[0], (1, 4): east[0]}
    for seed in range(8):
        guide = guide_to(masks, Layout(5, 4), given=given, seed=seed)
        proof = judge(write(guide, masks, seed), masks)
        assert proof.regulated
        assert (proof.rhyme, proof.checks["首句"].note) == ("一東", "邻韵")
    with pytest.raises(NoCharacterFits, match=r"line 2: .*十一尤.* does not rhyme"):
        guide_to(masks, Layout(5, 4), given={(0, 4): winters[0], (1, 4): sorrow[0]})


def test_a_given_first_line_rhymes_in_its_own_group_where_that_has_enough() -> None:
    winter = Reading("平", "二冬")
    for own, expected in ((60, "二冬"), (2, "一東")):
        masks = made_up({EAST: 60, winter: own, HOUSE: 120})
        given = {(0, 4): of_reading(masks, winter)[0]}
        guide = guide_to(masks, Layout(5, 4), given=given)
        proof = judge(write(guide, masks, 0), masks)
        assert (proof.regulated, proof.rhyme) == (True, expected)


def test_a_character_without_a_reading_has_no_place_in_strict_verse() -> None:
    masks = made_up({EAST: 60, HOUSE: 60})
    spare = next(c for c in "龘靐齉" if unify(c) == c)
    vocabulary = Vocabulary([*masks.vocabulary.characters, spare])
    silent = Lexicon(vocabulary, masks.rhymes)
    given = {(2, 0): vocabulary.id_of(spare)}
    with pytest.raises(NoCharacterFits, match=r"line 3: .*？"):
        guide_to(silent, Layout(5, 4), given=given)
    write(guide_to(silent, Layout(5, 4), meter=Meter.FREE, given=given), silent, 0)


def test_a_licence_is_taken_only_where_given_characters_need_it() -> None:
    masks = made_up({EAST: 100, HOUSE: 100})
    oblique = of_reading(masks, HOUSE)
    for seed in range(20):
        assert (
            "救"
            not in judge(write(guide_to(masks, Layout(7, 8), seed=seed), masks, seed), masks)
            .checks["拗救"]
            .note
        )
    given = give_opening([oblique[:5]], Layout(5, 4))
    proof = judge(write(guide_to(masks, Layout(5, 4), given=given), masks, 0), masks)
    assert proof.regulated
    assert "第1句对句救" in proof.checks["拗救"].note


def test_the_middle_couplets_of_eight_lines_stand_opposite_each_other() -> None:
    masks, layout = lexicon(), Layout(5, 8)
    guide, written, found = guide_to(masks, layout), list[int](), dict[int, int]()
    choose = random.Random(0)
    while not guide.finished:
        if guide.opposite:
            found[len(written)] = guide.opposite
        written.append(choose.choice(torch.nonzero(guide.allowed()).flatten().tolist()))
        guide.advance(written[-1])
    spots = [6 * line + character for line in (3, 5) for character in range(5)]
    assert found == {spot: written[spot - 6] for spot in spots}
    assert guide.opposite == 0


def test_nothing_stands_opposite_in_other_poems() -> None:
    for layout in (Layout(5, 4), Layout(5, 10)):
        guide = guide_to(lexicon(), layout, meter=Meter.RHYME)
        while not guide.finished:
            assert guide.opposite == 0
            guide.advance(int(torch.nonzero(guide.allowed()).flatten()[0]))
