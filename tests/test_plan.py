import pytest

from model.guide import NoCharacterFits
from model.poet.given import give_opening
from model.poet.plan import find_plans
from model.poet.poem import Meter
from model.verse.form import Layout
from model.verse.pattern import templates
from tests.guides import EAST, HOUSE, REGULATED, SORROW, guide_to, lexicon, made_up, of_reading


@pytest.mark.parametrize("layout", REGULATED)
def test_all_four_templates_are_drawn(layout: Layout) -> None:
    drawn = {guide_to(lexicon(), layout, seed=seed).template for seed in range(100)}
    assert drawn == set(templates(layout))


def test_the_same_seed_draws_the_same_template() -> None:
    drawn = [[guide_to(lexicon(), Layout(5, 4), seed=s).template for s in range(20)] for _ in "ab"]
    assert drawn[0] == drawn[1]


def test_a_line_whose_tones_fit_no_pattern_is_named() -> None:
    masks = made_up({EAST: 100, HOUSE: 100})
    level, oblique = of_reading(masks, EAST), of_reading(masks, HOUSE)
    given = give_opening([[*level[:5]]], Layout(5, 4))
    with pytest.raises(NoCharacterFits, match=r"^line 1: no pattern .*平平平平平") as refusal:
        guide_to(masks, Layout(5, 4), given=given)
    assert refusal.value.line == 1
    given = {(0, 1): level[0], (1, 1): level[1]}
    with pytest.raises(NoCharacterFits, match=r"^line 2: no pattern"):
        guide_to(masks, Layout(5, 4), given=given)
    assert find_plans(masks, Layout(5, 4), Meter.STRICT, {(0, 1): level[0], (1, 1): oblique[0]})


def test_a_rhyme_that_does_not_rhyme_is_named() -> None:
    masks = made_up({EAST: 50, SORROW: 50, HOUSE: 100})
    east, sorrow = of_reading(masks, EAST), of_reading(masks, SORROW)
    with pytest.raises(NoCharacterFits, match=r"line 4: .*十一尤.* does not rhyme"):
        guide_to(masks, Layout(5, 4), given={(1, 4): east[0], (3, 4): sorrow[0]})
    with pytest.raises(NoCharacterFits, match=r"line 4: the rhyme character .* comes twice"):
        guide_to(masks, Layout(5, 4), given={(1, 4): east[0], (3, 4): east[0]})
    with pytest.raises(NoCharacterFits, match=r"line 2: "):
        guide_to(masks, Layout(5, 4), given={(1, 4): of_reading(masks, HOUSE)[0]})


def test_strict_meter_is_for_four_or_eight_lines() -> None:
    with pytest.raises(ValueError, match="regulated verse has 4 or 8 lines"):
        guide_to(lexicon(), Layout(5, 6))


def test_a_vocabulary_that_could_run_out_is_refused() -> None:
    with pytest.raises(NoCharacterFits, match=r"too few characters of tone"):
        guide_to(made_up({EAST: 200, HOUSE: 20}), Layout(5, 4))
    with pytest.raises(NoCharacterFits, match=r"the vocabulary has too few characters$"):
        guide_to(made_up({EAST: 20}), Layout(5, 4), meter=Meter.FREE)
