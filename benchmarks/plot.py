"""Draws the picture of docs/performance.md from the raw results.

python -m benchmarks.plot
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

RESULTS, DOCS = Path("benchmarks/results/avx512-bf16"), Path("docs")


def phases(rows: list[dict[str, float]]) -> Figure:
    """Return where the time of a decode step goes, by the number of poems."""
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{row['batch']:.0f}" for row in rows]
    left = [0.0] * len(rows)
    for part in ("products", "pointwise", "output", "draw", "rest"):
        widths = [max(0.0, row[f"{part}_s"] * 1e3) for row in rows]
        axes.barh(names, widths, left=left, label=part)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_xlabel("ms per step")
    axes.set_ylabel("poems")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def load(name: str) -> Any:
    """Return a benchmark's raw results."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    """Draw it."""
    mpl.rcParams["svg.hashsalt"] = "yin"  # the same results give the same file
    figure = phases(load("engine")["rows"])
    figure.savefig(DOCS / "performance_step.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
