"""Configurations of a run: ranges, and the learning rate that follows from them."""

import math

import pytest

from training.config import TrainConfig
from training.draw import Draw


def test_the_learning_rate_warms_up_and_falls_to_zero() -> None:
    config = TrainConfig(steps=100, warmup_steps=10, learning_rate=1.0, decay_share=1.0)
    rates = [config.learning_rate_at(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0)


def test_the_learning_rate_may_stay_at_its_height_before_it_falls() -> None:
    config = TrainConfig(steps=110, warmup_steps=10, learning_rate=1.0, decay_share=0.4)
    rates = [config.learning_rate_at(step) for step in range(111)]
    assert rates[0] == pytest.approx(0.1)
    assert set(rates[9:71]) == {1.0}
    assert rates[90] == pytest.approx(0.5)
    assert rates[110] == pytest.approx(0)


def test_what_is_drawn_follows_the_options() -> None:
    config = TrainConfig(cue_share=0.2, title_after=0.1, keywords=False, shi_share=0.4)
    assert config.draw == Draw(cues=0.2, title_after=0.1, keywords=False, shi=0.4)


def test_the_learning_rate_may_fall_as_a_line() -> None:
    config = TrainConfig(
        steps=110, warmup_steps=10, learning_rate=1.0, decay_share=0.8, linear_decay=True
    )
    rates = [config.learning_rate_at(step) for step in (29, 30, 50, 90, 110)]
    assert rates == pytest.approx([1.0, 1.0, 0.75, 0.25, 0.0])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("steps", 0, "steps must be at least 1, got 0"),
        ("batch_tokens", -1, "batch_tokens must be at least 1, got -1"),
        ("save_every", 0, "save_every must be at least 1, got 0"),
        ("validate_every", 0, "validate_every must be at least 1, got 0"),
        ("warmup_steps", -1, "warmup_steps must be at least 0, got -1"),
        ("validation_poems", -1, "validation_poems must be at least 0, got -1"),
        ("weight_decay", -0.1, "weight_decay must be at least 0, got -0.1"),
        ("seed", -1, "seed must be at least 0, got -1"),
        ("learning_rate", 0.0, "learning_rate must be above 0, got 0.0"),
        ("learning_rate", math.nan, "learning_rate must be above 0, got nan"),
        ("max_grad_norm", 0.0, "max_grad_norm must be above 0, got 0.0"),
        ("average_share", -0.1, r"average_share must be in \[0, 1\], got -0.1"),
        ("decay_share", 1.5, r"decay_share must be in \[0, 1\], got 1.5"),
        ("cue_share", 1.5, r"cue_share must be in \[0, 1\], got 1.5"),
        ("shi_share", -0.5, r"shi_share must be in \[0, 1\], got -0.5"),
        ("title_after", 0.6, r"title_after must be in \[0, 0.55\], got 0.6"),
        ("beta2", 1.0, r"beta2 must be in \(0, 1\), got 1.0"),
        ("beta2", 0.0, r"beta2 must be in \(0, 1\), got 0.0"),
    ],
)
def test_a_value_out_of_range_is_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainConfig(**{field: value})  # type: ignore[arg-type]
