import numpy as np
import pytest

from training.evaluation.classifier import area, auc_of_pairs, fit, hashed_runs, standardised


def test_the_fit_is_where_the_gradient_is_zero() -> None:
    rng = np.random.default_rng(0)
    x, people = rng.normal(size=(60, 3)), rng.random(60) < 0.5
    weights, bias = fit(x, people, decay=0.1)
    residual = 1 / (1 + np.exp(-(x @ weights + bias))) - people
    assert (x * residual[:, None]).mean(0) + 0.1 * weights == pytest.approx([0, 0, 0], abs=1e-4)
    assert residual.mean() == pytest.approx(0, abs=1e-4)


def test_what_differs_is_told_apart_and_what_does_not_is_not() -> None:
    rng = np.random.default_rng(1)
    people, ours = rng.normal(size=(100, 2)), rng.normal(size=(100, 2))
    assert auc_of_pairs(people, ours) == pytest.approx(0.5, abs=0.12)
    assert auc_of_pairs(people + np.array([3, 0]), ours) > 0.95


def test_the_area_counts_how_often_one_is_above_the_other() -> None:
    higher, lower = np.array([3.0, 1.0]), np.array([2.0, 1.0])
    assert area(higher, lower) == (1 + 1 + 0 + 0.5) / 4


def test_features_are_made_comparable() -> None:
    features, mean, deviation = standardised(np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert features.tolist() == [[-1, 0], [1, 0]]
    assert mean.tolist() == [2, 5]
    assert deviation[0] == 1


def test_texts_are_alike_by_the_characters_and_pairs_they_share() -> None:
    rows = hashed_runs(["日月山", "日月水", "一二三", ""])
    products = rows @ rows.T
    assert products[0, 0] == pytest.approx(1)
    assert products[0, 1] == pytest.approx(3 / 5)
    assert products[0, 2] < 0.3
    assert products[3, 3] == 0


def test_what_is_judged_has_not_been_seen() -> None:
    rng = np.random.default_rng(2)
    people, ours = rng.normal(size=(40, 300)), rng.normal(size=(40, 300))  # anything can be fitted
    assert auc_of_pairs(people, ours) == pytest.approx(0.5, abs=0.2)
