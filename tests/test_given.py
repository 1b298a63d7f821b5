import pytest

from model.guide import NoCharacterFits
from model.poet.given import MAX_SPELLINGS, agree, spellings


def test_wishes_agree_on_what_all_of_them_allow() -> None:
    assert agree({(0, 0): (1, 2)}, {(0, 0): (2, 1, 3), (1, 0): (4,)}) == {
        (0, 0): (1, 2),
        (1, 0): (4,),
    }
    assert agree({(0, 0): (1, 2)}, {(0, 0): (2,)}) == {(0, 0): (2,)}


def test_two_wishes_for_one_place_are_refused() -> None:
    with pytest.raises(NoCharacterFits, match=r"line 2: two different characters .* character 1"):
        agree({(1, 0): (1,)}, {(1, 0): (2, 3)})


def test_spellings_depart_from_the_preferred_one_in_ever_more_places() -> None:
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
