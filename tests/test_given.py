import pytest

from model.guide import NoCharacterFits
from model.poet.given import (
    MAX_SPELLINGS,
    Choices,
    give_acrostic,
    give_opening,
    give_start,
    spellings,
)
from model.verse.form import Layout


def test_wishes_agree_on_what_all_of_them_allow() -> None:
    choices = Choices.of(start={(0, 0): (1, 2)}, acrostic={(0, 0): (2, 1, 3), (1, 0): (4,)})
    assert choices.readings == {(0, 0): (1, 2), (1, 0): (4,)}
    assert choices.fields == {(0, 0): "start", (1, 0): "acrostic"}
    assert Choices.of(start={(0, 0): (1, 2)}, opening={(0, 0): (2,)}).readings == {(0, 0): (2,)}


def test_two_wishes_for_one_spot_are_refused() -> None:
    with pytest.raises(NoCharacterFits, match=r"line 2: two different .* character 1") as caught:
        Choices.of(opening={(1, 0): (1,)}, acrostic={(1, 0): (2, 3)})
    assert str(caught.value).endswith("opening and acrostic must agree")
    assert caught.value.field == "acrostic"
    assert caught.value.spot == (1, 0)


def test_spellings_depart_from_the_preferred_one_at_ever_more_spots() -> None:
    choices = {(0, 0): (1, 2), (0, 1): (5,), (0, 2): (7, 8, 9)}
    found = [tuple(given.values()) for given in spellings(choices, lambda token: token)]
    assert found[0] == (1, 5, 7)
    assert set(found[1:4]) == {(2, 5, 7), (1, 5, 8), (1, 5, 9)}
    assert set(found[4:]) == {(2, 5, 8), (2, 5, 9)}


def test_spellings_that_sound_alike_are_tried_once() -> None:
    choices = {(0, 0): (2, 4, 3, 5)}
    found = [given[0, 0] for given in spellings(choices, lambda token: token % 2)]
    assert found == [2, 3]


def test_spellings_come_to_an_end() -> None:
    choices = {(line, 0): (1, 2) for line in range(40)}
    assert len(list(spellings(choices, lambda token: token))) == MAX_SPELLINGS


def test_an_acrostic_takes_a_character_a_line_or_a_couplet() -> None:
    layout = Layout(5, 4)
    assert give_acrostic([9, 8, 7, 6], layout) == {(0, 0): 9, (1, 0): 8, (2, 0): 7, (3, 0): 6}
    assert give_acrostic([9, 8], layout) == {(0, 0): 9, (2, 0): 8}
    for count in (1, 3, 5):
        with pytest.raises(
            NoCharacterFits, match=r"^an acrostic here takes 2 characters \(one a couplet\) or 4"
        ) as refusal:
            give_acrostic(range(count), layout)
        assert refusal.value.line == 0  # no line is to blame


def test_a_start_is_at_most_a_line() -> None:
    assert give_start([6, 7], Layout(5, 2)) == {(0, 0): 6, (0, 1): 7}
    with pytest.raises(NoCharacterFits, match="line 1: a line has 5 characters, not 6") as caught:
        give_start([1] * 6, Layout(5, 2))
    assert caught.value.field == "start"


def test_opening_lines_have_to_be_whole() -> None:
    layout = Layout(5, 4)
    assert give_opening([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], layout)[1, 0] == 6
    with pytest.raises(NoCharacterFits, match="line 1: a line has 5 characters, not 4"):
        give_opening([[1, 2, 3, 4], [5]], layout)
    with pytest.raises(NoCharacterFits, match="line 2: a line has 5 characters, not 1"):
        give_opening([[1, 2, 3, 4, 5], [6]], layout)


@pytest.mark.parametrize("count", [4, 5])
def test_an_opening_leaves_a_line_to_write(count: int) -> None:
    assert len(give_opening([[1] * 5] * 3, Layout(5, 4))) == 15
    expected = f"the poem has 4 lines, and the {count} given leave none to write: give 3 at most"
    with pytest.raises(NoCharacterFits, match=expected) as caught:
        give_opening([[1] * 5] * count, Layout(5, 4))
    assert (caught.value.field, caught.value.line) == ("opening", 0)
