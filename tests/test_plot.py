"""The picture of docs/performance.md."""

import pytest
from matplotlib.patches import Rectangle

from benchmarks.plot import load, phases


def test_bars_are_as_long_as_the_parts_of_a_step_take() -> None:
    rows = [{"batch": 1.0, "products_s": 0.002, "pointwise_s": 0.001, "output_s": 0.0005,
             "draw_s": 0.0, "rest_s": -0.0001}]  # fmt: skip
    (axes,) = phases(rows).axes
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar.get_width() for bar in bars] == pytest.approx([2.0, 1.0, 0.5, 0.0, 0.0])
    assert [bar.get_x() for bar in bars] == pytest.approx([0.0, 2.0, 3.0, 3.5, 3.5])


def test_the_raw_results_have_what_is_drawn() -> None:
    assert len(phases(load("engine")["rows"]).axes) == 1
