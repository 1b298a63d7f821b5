"""What a run reports: a CSV with a row per step, a curve, a line of progress."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from model.replacement import replacing

COLUMNS = (
    "step",
    "epoch",
    "loss_bits",
    "grad_norm",
    "learning_rate",
    "tokens",
    "tokens_per_s",
    "validation_bits",
    "training_bits",
    "ci_bits",
)


class MetricsLog:
    """The rows of a run's CSV; those after first_step, from a killed run, are dropped.

    Raises:
        ValueError: If there is a CSV, and it is damaged.
    """

    def __init__(self, path: Path, first_step: int) -> None:
        self._path = path
        rows = read_rows(path) if path.exists() else []
        self._rows = [row for row in rows if row["step"] <= first_step]

    def add(self, row: dict[str, float]) -> None:
        """Remember the figures of one step, by the names of COLUMNS."""
        self._rows.append(row)

    def flush(self) -> None:
        """Write all rows.

        Raises:
            OSError: If they cannot be written; what stood there is still there.
        """
        with replacing(self._path) as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self._rows)

    def draw(self, path: Path) -> None:
        """Draw the loss and the validation bits over the steps; nothing without matplotlib.

        Raises:
            OSError: If the picture cannot be written; the one before is still there.
        """
        try:
            from matplotlib.figure import Figure
        except ModuleNotFoundError:
            return
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        steps = [row["step"] for row in self._rows]
        losses = [row["loss_bits"] for row in self._rows]
        smooth = _running_means(losses, window=max(1, len(losses) // 100))
        axes.plot(steps, losses, color="0.85", linewidth=0.5)
        axes.plot(steps, smooth, label="loss, bits per token")
        kinds = {"validation": "validation poems", "training": "training poems", "ci": "ci"}
        for kind, described in kinds.items():
            name = f"{kind}_bits"
            measured = [(row["step"], row[name]) for row in self._rows if name in row]
            if measured:
                label = f"{described}, bits per character"
                axes.plot(*zip(*measured, strict=True), marker=".", label=label)
        axes.set(xlabel="step", ylabel="bits")
        axes.grid(alpha=0.3)
        axes.legend()
        with replacing(path) as partial:
            figure.savefig(partial, format=path.suffix.removeprefix("."))


def _running_means(values: list[float], window: int) -> list[float]:
    """Return the mean of each value and those before it, window of them in all."""
    groups = (values[max(0, end - window) : end] for end in range(1, len(values) + 1))
    return [sum(group) / len(group) for group in groups]


def read_rows(path: Path) -> list[dict[str, float]]:
    """Return the rows of a metrics CSV; a figure that was not taken is left out.

    Raises:
        ValueError: If it is damaged.
    """
    with path.open("r", newline="", encoding="utf-8", errors="replace") as file:
        try:
            return [_figures(row) for row in csv.DictReader(file)]
        except (ValueError, csv.Error) as error:
            raise ValueError(
                f"{path} is damaged: {error}; remove it to continue the run with a new curve"
            ) from error


def _figures(row: dict[str | None, Any]) -> dict[str, float]:
    """Return the figures of a row of text.

    Raises:
        ValueError: If they are not COLUMNS, or no numbers.
    """
    if not row.get("step") or not set(row) <= set(COLUMNS):
        raise ValueError(f"expected the columns {', '.join(COLUMNS)}")
    return {
        str(name): int(value) if value.isdigit() else float(value)
        for name, value in row.items()
        if value
    }


class Progress:
    """A bar on a terminal, a line now and then elsewhere.

    Args:
        steps: How many there will be.
        first_step: How many are done.
        quiet: Whether nothing is shown: one of several ranks reports for all.
    """

    LINE_EVERY = 50

    def __init__(self, steps: int, first_step: int, quiet: bool = False) -> None:
        self._steps = steps
        self._console = Console(stderr=True, quiet=quiet)
        self._bar = RichProgress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("train", total=steps, completed=first_step, figures="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, row: dict[str, float]) -> None:
        """Show the figures of one step."""
        figures = f"loss {row['loss_bits']:.3f} bits, {row['tokens_per_s']:.0f} tokens/s"
        if "validation_bits" in row:
            figures += f", validation {row['validation_bits']:.3f} bits per character"
        if "training_bits" in row:
            figures += f" (training poems {row['training_bits']:.3f})"
        if "ci_bits" in row:
            figures += f", ci {row['ci_bits']:.3f}"
        self._bar.update(self._task, completed=row["step"], figures=figures)
        step = int(row["step"])
        if not self._console.is_terminal and (
            step % self.LINE_EVERY == 0 or "validation_bits" in row
        ):
            left = self._bar.tasks[0].time_remaining
            ending = "" if left is None else f", {left / 60:.0f} min left"
            line = f"step {step}/{self._steps}: {figures}{ending}"
            self._console.print(line, soft_wrap=True)
