from collections import Counter
from math import ceil, floor, inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.resampling import effective_number, pick, resample

WEIGHTS = st.lists(st.floats(0, 10), min_size=1, max_size=20).filter(lambda each: max(each) > 0.01)


def logs(weights: list[float]) -> list[float]:
    return [log(weight) if weight else -inf for weight in weights]


@given(WEIGHTS, st.floats(0, 1, exclude_max=True))
def test_each_is_drawn_as_often_as_its_share_up_or_down_to_a_whole_number(
    weights: list[float], number: float
) -> None:
    drawn = resample(logs(weights), number)
    assert len(drawn) == len(weights)
    counts = Counter(drawn)
    for k, weight in enumerate(weights):
        share = len(weights) * weight / sum(weights)
        assert floor(share - 1e-6) <= counts[k] <= ceil(share + 1e-6)


@given(WEIGHTS, st.floats(0, 1, exclude_max=True))
def test_one_that_goes_on_stays_itself(weights: list[float], number: float) -> None:
    drawn = resample(logs(weights), number)
    assert all(drawn[k] == k for k in set(drawn))


def test_equal_weights_change_nothing() -> None:
    assert resample([-3.0] * 8, 0.7) == [*range(8)]


def test_on_average_each_is_drawn_as_its_weight_asks() -> None:
    weights, rounds = [0.5, 0.1, 0.4, 0.0], 1000
    counts = Counter(k for n in range(rounds) for k in resample(logs(weights), n / rounds))
    for k, weight in enumerate(weights):
        assert counts[k] / rounds == pytest.approx(4 * weight, abs=0.01)


def test_one_is_picked_as_its_weight_asks() -> None:
    picked = Counter(pick(logs([1.0, 0.0, 3.0]), n / 400) for n in range(400))
    assert picked == {0: 100, 2: 300}
    assert pick([-inf, 0.0], 1 - 2**-53) == 1


def test_even_weights_count_in_full_and_one_alone_as_one() -> None:
    assert effective_number([-3.0] * 5) == pytest.approx(5)
    assert effective_number([0.0, -inf, -inf]) == 1
    assert effective_number([log(1.0), log(3.0)]) == pytest.approx(16 / 10)
