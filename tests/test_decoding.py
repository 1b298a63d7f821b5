import math

import pytest
import torch

from model.decoding import (
    draw,
    find_uniforms,
    forbid,
    invert_cdf,
    keep_top_k,
    keep_top_p,
    temper,
)
from model.sampling import SamplingParams, uniform

PROBABILITIES = torch.tensor([[0.1, 0.4, 0.2, 0.3]])
EVERY = torch.ones(1, 4, dtype=torch.bool)


@pytest.mark.parametrize(
    ("number", "token"),
    [(0.0, 0), (0.09, 0), (0.11, 1), (0.49, 1), (0.51, 2), (0.71, 3), (0.999, 3)],
)
def test_a_uniform_falls_on_the_token_whose_share_it_is_in(number: float, token: int) -> None:
    assert invert_cdf(PROBABILITIES, torch.tensor([number])).tolist() == [token]


@pytest.mark.parametrize("number", [0.0, 0.25, 0.5, 0.75, 1 - 2**-24, 1.0])
def test_a_token_without_probability_is_never_drawn(number: float) -> None:
    weights = torch.tensor([[0.0, 0.5, 0.0, 0.0, 0.5, 0.0]])
    assert invert_cdf(weights, torch.tensor([number])).item() in (1, 4)


@pytest.mark.parametrize(("k", "kept"), [(0, 4), (1, 1), (2, 2), (4, 4), (9, 4)])
def test_top_k_keeps_the_k_likeliest(k: int, kept: int) -> None:
    probabilities = keep_top_k(PROBABILITIES, [k])
    order = PROBABILITIES[0].argsort(descending=True)[:kept].tolist()
    assert probabilities[0].nonzero().flatten().tolist() == sorted(order)


@pytest.mark.parametrize(
    ("p", "expected"),
    [(1.0, [0, 1, 2, 3]), (0.95, [0, 1, 2, 3]), (0.85, [1, 2, 3]), (0.65, [1, 3]), (1e-9, [1])],
)
def test_top_p_keeps_the_fewest_that_hold_the_share(p: float, expected: list[int]) -> None:
    kept = keep_top_p(PROBABILITIES, [p])
    assert kept[0].nonzero().flatten().tolist() == expected


def test_top_p_looks_beyond_the_first_tokens_if_they_hold_too_little() -> None:
    torch.manual_seed(0)
    probabilities = torch.randn(40, 100).softmax(-1)
    shares = [0.02 * (row + 1) for row in range(40)]
    whole = keep_top_p(probabilities, shares, first=100)
    parts = keep_top_p(probabilities / 4, shares, first=100)  # of a fourth that a mask lets through
    assert torch.equal(parts * 4, whole)
    ordered = probabilities.sort(-1, descending=True).values.cumsum(-1)
    for row, share in enumerate(shares):
        assert (whole[row] > 0).sum() == (ordered[row] < share).sum() + 1
    for first in (1, 7, 30, 200):
        assert torch.equal(keep_top_p(probabilities, shares, first), whole)


def test_forbidden_tokens_have_no_probability_and_the_others_stay_as_they_are() -> None:
    logits = torch.tensor([[3.0, -80.0, 5.0], [1.0, 2.0, 3.0]])
    allowed = torch.tensor([[False, True, False], [True, True, True]])
    masked = forbid(logits, allowed)
    assert torch.equal(masked[allowed], logits[allowed])
    assert masked.softmax(-1)[0].tolist() == [0.0, 1.0, 0.0]
    for temperature in (0.0, 1e-300, 0.8, 2.0):
        for top_k, top_p in ((0, 1.0), (2, 0.5)):
            params = SamplingParams(temperature, top_k, top_p, seed=4)
            assert draw(logits[:1], allowed[:1], [params], [0])[0].tolist() == [1]


def test_rows_that_keep_everything_are_untouched_beside_rows_that_do_not() -> None:
    both = PROBABILITIES.expand(2, -1)
    assert torch.equal(keep_top_p(both, [1.0, 0.3])[0], both[0])
    assert torch.equal(keep_top_k(both, [0, 1])[0], both[0])


def test_what_a_mask_lets_through_is_its_probability() -> None:
    torch.manual_seed(0)
    logits, allowed = torch.randn(5, 50), torch.rand(5, 50) > 0.4
    temperatures = [0.5, 0.8, 1.0, 1.5, 2.0]
    kept, log_shares = temper(logits, allowed, temperatures)
    for n, temperature in enumerate(temperatures):
        probabilities = (logits[n] / temperature).softmax(-1) * allowed[n]
        torch.testing.assert_close(kept[n], probabilities)
        assert log_shares[n].exp() == pytest.approx(float(probabilities.sum()), abs=1e-6)


@pytest.mark.parametrize("temperature", [0.0, 0.1, 1.0])
def test_a_mask_may_let_hardly_anything_through(temperature: float) -> None:
    """100 nats below the likeliest is nothing in float32, and yet one in three against another."""
    logits = torch.tensor([[150.0, 50.0, 50.0 + math.log(2), 150.0], [1.0, 2.0, 3.0, 4.0]])
    allowed = torch.tensor([[False, True, True, False], [True, True, True, True]])
    kept, log_shares = temper(logits, allowed, [temperature, 1.0])
    colder = max(temperature, 1e-6)
    expected = torch.tensor([1.0, 2 ** (1 / colder) if temperature else math.inf])
    ratio = kept[0, 2] / kept[0, 1]
    torch.testing.assert_close(ratio, expected[1], rtol=1e-3, atol=0)
    whole = (math.log(2) / colder - 100 / colder) + math.log1p(2 ** (-1 / colder)) - math.log(2)
    assert log_shares[0].item() == pytest.approx(whole, rel=1e-4)
    assert log_shares[1].item() == pytest.approx(0, abs=1e-6)


def test_a_row_draws_the_same_beside_one_that_lets_hardly_anything_through() -> None:
    torch.manual_seed(0)
    logits, allowed = torch.randn(3, 100), torch.rand(3, 100) > 0.5
    logits[1, 4], allowed[1, 4] = 200.0, False
    params = [SamplingParams(seed=seed) for seed in range(3)]
    tokens, log_shares = draw(logits, allowed, params, [0, 1, 2])
    for row in range(3):
        one = slice(row, row + 1)
        token, log_share = draw(logits[one], allowed[one], params[one], [row])
        assert (token, log_share) == (tokens[one], log_shares[one])
        assert allowed[row, int(token)]


def test_temperature_zero_takes_the_likeliest_that_is_allowed() -> None:
    logits = PROBABILITIES.log().expand(2, -1).clone()
    logits[1, 1] = -torch.inf
    params = [SamplingParams(temperature=0, seed=seed) for seed in (1, 2)]
    assert draw(logits, EVERY.expand(2, -1), params, [0, 0])[0].tolist() == [1, 3]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_draws_follow_the_tempered_distribution(temperature: float) -> None:
    expected = (PROBABILITIES.log() / temperature).softmax(-1)[0]
    count = 20_000
    params = [SamplingParams(temperature=temperature, seed=7)] * count
    logits, allowed = PROBABILITIES.log().expand(count, -1), EVERY.expand(count, -1).contiguous()
    tokens, _ = draw(logits, allowed, params, range(count))
    shares = torch.bincount(tokens, minlength=4) / count
    # Four standard deviations of a share are at most 4 * sqrt(0.25 / count).
    torch.testing.assert_close(shares, expected, atol=4 * math.sqrt(0.25 / count), rtol=0)


def test_a_draw_depends_on_its_own_seed_and_position_alone() -> None:
    torch.manual_seed(0)
    logits, allowed = torch.randn(5, 100), torch.ones(5, 100, dtype=torch.bool)
    params = [SamplingParams(seed=seed) for seed in range(5)]
    together, _ = draw(logits, allowed, params, [3, 1, 4, 1, 5])
    for row, at in enumerate([3, 1, 4, 1, 5]):
        alone, _ = draw(logits[row : row + 1], allowed[:1], [params[row]], [at])
        assert alone.item() == together[row].item()


def test_to_compute_in_given_memory_changes_nothing() -> None:
    torch.manual_seed(0)
    logits, allowed = torch.randn(9, 700), torch.rand(9, 700) < 0.5
    params = [
        SamplingParams(0.1 * row, top_k=row % 3 * 40, top_p=1 - row % 2 * 0.3, seed=row)
        for row in range(9)
    ]
    expected = draw(logits, allowed, params, range(9))
    scratch = torch.empty(2, 9, 700)
    drawn = draw(logits, allowed, params, range(9), (scratch[0], scratch[1]))
    assert torch.equal(drawn[0], expected[0])
    assert torch.equal(drawn[1], expected[1])


def test_uniforms_of_many_rows_are_those_of_each() -> None:
    seeds = [0, 1, 2**63 - 1, *range(10**9, 10**9 + 200)]
    positions = [number * 7 % 300 for number in range(len(seeds))]
    expected = torch.tensor([uniform(*each) for each in zip(seeds, positions, strict=True)])
    for rows in (1, 3, 8, 100, len(seeds)):
        assert torch.equal(find_uniforms(seeds[-rows:], positions[-rows:]), expected[-rows:])
    assert expected.max() < 1


def test_uniforms_are_spread_evenly_over_seeds_and_positions() -> None:
    for numbers in (
        [uniform(seed, 0) for seed in range(4000)],
        [uniform(0, position) for position in range(4000)],
        [uniform(2**63 - 1 - seed, seed) for seed in range(4000)],
    ):
        assert 0 <= min(numbers) <= max(numbers) < 1
        counts = torch.histc(torch.tensor(numbers), bins=10, min=0, max=1)
        # Chi-squared with nine degrees of freedom exceeds 33 once in ten thousand.
        assert ((counts - 400) ** 2 / 400).sum() < 33


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": -1.0}, "temperature must be 0 to 2.0, got -1.0"),
        ({"temperature": 3.0}, "temperature must be 0 to 2.0, got 3.0"),
        ({"temperature": math.nan}, "temperature must be 0 to 2.0, got nan"),
        ({"top_k": -1}, "top_k must be 0"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"top_p": 1.1}, "top_p must be above 0"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"seed": 2**63}, "seed must be 0 to"),
    ],
)
def test_params_out_of_range_are_refused(fields: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SamplingParams(**fields)  # type: ignore[arg-type]
