"""Trains one choice of how to train and the baseline, for an equal budget: does the choice pay?

    python -m benchmarks.choices batch --data corpus/packed --minutes 12

Two runs of the same choice differ by about 0.02 bits: `--runs` makes several, with other seeds.
The other options are the baseline's, those of training.train.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer

from benchmarks.references import MEASURED, Run, figures, steps_in
from benchmarks.side_by_side import machine
from model.poetry_model import PoetryModel
from training.command import configured, reporting
from training.config import TrainConfig
from training.material import Material
from training.train import keep_few_kernels

BASELINE = "baseline"
MINUTES = 12.0

# Each with what it changes of the baseline.
CHOICES: dict[str, dict[str, Any]] = {
    "batch": {"batch_tokens": 2048, "beta2": 0.99},
    "decay": {"decay_share": 1.0, "linear_decay": True},
    "cosine": {"decay_share": 1.0},
    "no-average": {"average_share": 0.0},
    "dropout": {"dropout": 0.1, "weight_decay": 0.1},
    "cues": {"cue_share": 0.2},
    "no-keywords": {"keywords": False},
    "no-titles": {"title_after": 0.0},
    "no-skips": {"skip_connections": False},
    "rate": {"learning_rate": 5e-3},
}


def budgeted(
    configs: Mapping[str, TrainConfig],
    material: Material,
    *,
    minutes: float | None,
    tokens: int | None,
) -> dict[str, TrainConfig]:
    """Return configurations with as many updates as a time or a number of tokens has room for.

    Without either they keep theirs.
    """
    if minutes is not None:
        runs = {name: Run(PoetryModel, config) for name, config in configs.items()}
        steps = steps_in(minutes, runs, material)
    elif tokens is not None:
        steps = {name: max(1, tokens // c.batch_tokens) for name, c in configs.items()}
    else:
        return dict(configs)
    return {name: replace(config, steps=steps[name]) for name, config in configs.items()}


def compare(
    name: str,
    config: TrainConfig,
    material: Material,
    *,
    minutes: float | None = None,
    tokens: int | None = None,
    runs: int = 1,
) -> dict[str, Any]:
    """Train the baseline and a choice in turn, each with so many seeds.

    Returns:
        For each the figures of its runs and the means of MEASURED; and "gain": how many bits per
        validation character the choice saves.
    """
    configs = {BASELINE: config, name: replace(config, **CHOICES[name])}
    configs = budgeted(configs, material, minutes=minutes, tokens=tokens)
    rows: dict[str, list[dict[str, Any]]] = {each: [] for each in configs}
    for run in range(runs):
        for each, chosen in configs.items():
            seeded = replace(chosen, seed=config.seed + run)
            rows[each].append(figures(PoetryModel, seeded, material))
    found: dict[str, Any] = {
        each: {"runs": own} | {bits: round(mean(row[bits] for row in own), 4) for bits in MEASURED}
        for each, own in rows.items()
    }
    gain = found[BASELINE]["validation_bits"] - found[name]["validation_bits"]
    return found | {"gain": round(gain, 4)}


def _known(name: str) -> str:
    if name not in CHOICES:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(CHOICES)}")
    return name


@configured
def main(
    config: TrainConfig,
    name: Annotated[str, typer.Argument(help="The choice.", callback=_known)],
    data: Annotated[Path, typer.Option(help="What training.dataset packed.")] = Path(
        "corpus/packed"
    ),
    minutes: Annotated[
        float | None, typer.Option(help="Of training, each; 12 without --tokens and --updates.")
    ] = None,
    tokens: Annotated[int | None, typer.Option(help="To train on, each, with padding.")] = None,
    updates: Annotated[bool, typer.Option(help="As many as --steps, each.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="Of each, with different seeds.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Where to write the figures as JSON.")] = None,
) -> None:
    """Print what came of the baseline and of the choice, as JSON."""
    if sum((minutes is not None, tokens is not None, updates)) > 1:
        raise typer.BadParameter("give one of --minutes, --tokens and --updates")
    if minutes is tokens is None and not updates:
        minutes = MINUTES
    keep_few_kernels()
    with reporting(OSError, ValueError):
        material = Material.load(data)
        if not (material.validation and material.sample and config.validation_poems):
            raise ValueError("expected validation poems and some for training to measure")
        result = compare(name, config, material, minutes=minutes, tokens=tokens, runs=runs)
        shown = json.dumps({"machine": machine(), "minutes": minutes} | result, indent=1)
        if out is not None:
            out.write_text(shown + "\n", encoding="utf-8")
    typer.echo(shown)


if __name__ == "__main__":
    typer.run(main)
