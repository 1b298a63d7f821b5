import pytest

from app.step_time import Draw, StepTime, draw_of
from model.engine import Engine
from model.poetry_model import PoetryConfig, PoetryModel
from model.sampling import SamplingParams
from model.sequence import Sequence
from tests.test_admission import Clock
from tests.test_async_engine import sequence


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("params", "draw"),
    [
        (SamplingParams(), Draw.PLAIN),
        (SamplingParams(temperature=2), Draw.PLAIN),
        (SamplingParams(top_k=512), Draw.NARROW),
        (SamplingParams(top_k=512, top_p=0.999), Draw.NARROW),
        (SamplingParams(top_p=0.9), Draw.NARROW),
        (SamplingParams(top_k=513), Draw.WIDE),
        (SamplingParams(top_p=0.999), Draw.WIDE),
        (SamplingParams(top_p=0.9, temperature=1.5), Draw.WIDE),
        (SamplingParams(top_k=7000, top_p=0.5), Draw.WIDE),
    ],
)
def test_a_draw_costs_what_it_may_have_to_sort(params: SamplingParams, draw: Draw) -> None:
    assert draw_of(params) is draw


@pytest.mark.parametrize(
    ("rows", "seconds"), [(1, 1.0), (2, 1.0), (3, 2.0), (4, 3.0), (12, 5.0), (20, 7.0), (99, 7.0)]
)
def test_between_measured_sizes_time_is_linear(clock: Clock, rows: int, seconds: float) -> None:
    assert StepTime({2: 1.0, 4: 3.0, 20: 7.0}, clock=clock).base_s(rows) == seconds


def test_steps_correct_what_was_measured_at_start(clock: Clock) -> None:
    times = StepTime({1: 0.01, 10: 0.1}, clock=clock)
    for _ in range(200):
        times.observe(10, 0.0, 0.15)
    assert times.predict(10) == pytest.approx(0.15, rel=0.01)
    assert times.predict(1) == pytest.approx(0.015, rel=0.01)


def test_one_step_counts_at_most_four_times_the_median(clock: Clock) -> None:
    times = StepTime({1: 0.01}, clock=clock)
    for _ in range(50):
        times.observe(1, 0.0, 0.01)
    times.observe(1, 0.0, 35.0)
    assert times.predict(1) == pytest.approx(0.01 * (1 + 0.05 * 3))


def test_while_nothing_runs_the_correction_fades(clock: Clock) -> None:
    times = StepTime({1: 0.01}, clock=clock)
    for _ in range(200):
        times.observe(1, 0.0, 0.05)
    slow = times.predict(1)
    assert slow == pytest.approx(0.05, rel=0.01)
    clock.now += 10
    assert times.predict(1) == pytest.approx((slow + 0.01) / 2)
    clock.now += 100
    assert times.predict(1) == pytest.approx(0.01, rel=0.01)


def test_an_idle_engine_is_measured_and_left_idle() -> None:
    engine = Engine(PoetryModel(PoetryConfig(9, 4, 4, 1)).eval(), num_slots=8)
    asked = []

    def prepare(number: int, params: SamplingParams) -> list[Sequence]:
        asked.append((number, draw_of(params)))
        return [sequence(50, seed) for seed in range(number)]

    times = StepTime.measure(engine, prepare)
    assert asked == [
        (1, Draw.PLAIN),
        (2, Draw.PLAIN),
        (8, Draw.PLAIN),
        (8, Draw.NARROW),
        (8, Draw.WIDE),
    ]
    assert not engine.running
    assert not engine.waiting
    assert 0 < times.predict(1) < 1
    assert times.draw_s(SamplingParams()) == 0
    assert times.draw_s(SamplingParams(top_k=600)) >= 0
