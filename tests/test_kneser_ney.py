import numpy as np
import pytest

from benchmarks.kneser_ney import KneserNey

V = 6
SEQUENCES = [[1, 2, 3, 1, 2, 4], [2, 3, 1, 5], [1, 2, 3, 3], [4, 4, 1]]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("history", [[], [1], [1, 2], [5, 5, 2], [4, 1, 2, 3]])
def test_probabilities_of_every_next_token_add_up_to_one(order: int, history: list[int]) -> None:
    model = KneserNey(SEQUENCES, V, order)
    nexts = [model.log2_probabilities([[*history, token]])[-1] for token in range(1, V)]
    # Token 0 is never counted: its share is what the uniform end of the interpolation gives it.
    assert 0.8 < np.exp2(nexts).sum() <= 1 + 1e-12


def test_bigrams_agree_with_the_formula_by_hand() -> None:
    model = KneserNey([[1, 2], [1, 2], [1, 3]], vocab_size=4, order=2)
    # Bigrams 01 x3, 12 x2, 13 x1: D = 1 / (1 + 2). Below, 1, 2 and 3 have one left neighbour each:
    # n1 = 3 and n2 = 0 give D = 1, which leaves the uniform 1/4.
    expected = (2 - 1 / 3) / 3 + (1 / 3) * 2 / 3 * (1 / 4)
    assert np.exp2(model.log2_probabilities([[1, 2]])[1]) == pytest.approx(expected)


def test_every_token_is_measured_once() -> None:
    model = KneserNey(SEQUENCES, V, 3)
    assert len(model.log2_probabilities([[1, 2, 3], [4]])) == 4


def test_a_higher_order_fits_its_own_text_better() -> None:
    totals = [KneserNey(SEQUENCES, V, n).log2_probabilities(SEQUENCES).sum() for n in (1, 2, 3)]
    assert totals[0] < totals[1] < totals[2]
