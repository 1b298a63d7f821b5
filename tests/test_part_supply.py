from functools import cache

import numpy as np
import pytest

from model.poet.part_supply import PartSupply
from model.poet.parts import Parts
from model.verse.cilin import Part
from model.verse.rhymes import Tone
from tests.guides import lexicon

SMALL, LARGE = Part(13, Tone.PING), Part(7, Tone.PING)


@cache
def parts() -> Parts:
    """Return the masks of a vocabulary, in which SMALL has fewer characters than LARGE."""
    return Parts(lexicon())


def supply(needed: int, *numbers: int, others: int = 0) -> PartSupply:
    """Return the supply of a letter that has to find so many level rhymes yet."""
    return PartSupply(parts(), numbers, {Tone.PING: needed}, {Tone.PING: others}, ())


def alone(part: Part) -> list[int]:
    """Return characters that are in one part, as are those that are printed like them."""
    tokens = np.flatnonzero(parts().by_part[part]).tolist()
    return [token for token in tokens if parts().of_lookalikes(token) == {part}]


def test_a_part_goes_when_too_few_of_it_are_left() -> None:
    most = parts().count(())[SMALL]
    assert most < parts().count(())[LARGE]
    left = supply(most - 1, SMALL.number, LARGE.number)
    first, second = alone(SMALL)[:2]
    left.take(first)
    assert left.numbers == {SMALL.number, LARGE.number}
    left.take(second)
    assert left.numbers == {LARGE.number}
    mask = left.mask(Tone.PING)
    assert (mask == parts().by_part[LARGE]).all()


def test_a_character_that_may_come_again_counts_again() -> None:
    most = parts().count(())[SMALL]
    left = supply(most - 1, SMALL.number, LARGE.number)
    first, second = alone(SMALL)[:2]
    left.take(first)
    left.give_back(first)
    left.take(second)
    assert left.numbers == {SMALL.number, LARGE.number}


def test_a_rhyme_that_comes_settles_the_part() -> None:
    left = supply(2, SMALL.number, LARGE.number)
    twin = left.copy()
    left.choose(alone(LARGE)[0], Tone.PING)
    assert left.numbers == {LARGE.number}
    assert twin.numbers == {SMALL.number, LARGE.number}


def test_what_is_given_anywhere_does_not_count() -> None:
    first, most = alone(SMALL)[0], parts().count(())[SMALL]
    assert parts().count([first])[SMALL] == most - 1


@pytest.mark.parametrize(
    ("spare", "others", "is_kept"), [(0, 0, True), (1, 0, False), (1, 1, True), (2, 1, False)]
)
def test_the_last_characters_of_the_last_part_are_kept_for_its_rhymes(
    spare: int, others: int, is_kept: bool
) -> None:
    most = parts().count(())[SMALL]
    mask = parts().lexicon.han.copy()
    supply(most - spare, SMALL.number, others=others).spare(mask)
    assert mask[alone(SMALL)].any() != is_kept
    assert mask[alone(LARGE)].all()


def test_nothing_is_kept_where_another_part_has_enough_or_no_rhyme_is_due() -> None:
    most = parts().count(())[SMALL]
    for left in (supply(most, SMALL.number, LARGE.number), supply(0, SMALL.number)):
        mask = parts().lexicon.han.copy()
        left.spare(mask)
        assert (mask == parts().lexicon.han).all()


def test_parts_are_left_out_but_for_the_last() -> None:
    left = supply(1, SMALL.number, LARGE.number)
    left.leave_out([LARGE.number])
    assert left.numbers == {SMALL.number}
    left.leave_out([SMALL.number])
    assert left.numbers == {SMALL.number}
