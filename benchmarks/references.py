"""Trains ours and its references in one loop for an equal time: which of them is ahead?

    python -m benchmarks.references --minutes 20

The references are torch.nn.LSTM and a Transformer of equal size; the n-gram has a command of its
own (benchmarks.kneser_ney).
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
import typer

from benchmarks.side_by_side import machine
from benchmarks.torch_lstm import torch_model
from benchmarks.transformer import transformer_model
from model.poetry_model import PoetryConfig, PoetryModel
from training.command import configured, reporting
from training.config import TrainConfig
from training.material import Material
from training.metrics import read_rows
from training.poem_dataset import PoemDataset
from training.train import keep_few_kernels
from training.trainer import Trainer, begin_at_frequencies

PROBE_ROUNDS = 2  # in which the contestants take turns, to learn how many updates fit into the time
PROBE_STEPS = 20
PROBE_PIECES = 4000  # enough for PROBE_STEPS
MEASURED = ("validation_bits", "training_bits")
WARM_UP = 0.2  # at most, of the steps


Contestant = Callable[[PoetryConfig], PoetryModel]


class Run(NamedTuple):
    """A model and how it is trained."""

    contestant: Contestant
    config: TrainConfig


CONTESTANTS: dict[str, Contestant] = {
    "model.lstm": PoetryModel,
    "torch.nn.LSTM": torch_model,
    "Transformer": transformer_model,
}


def train(
    contestant: Contestant, config: TrainConfig, material: Material
) -> tuple[PoetryModel, list[dict[str, float]]]:
    """Train from scratch; return the model and the rows of its metrics.

    Raises:
        KeyboardInterrupt: If it was asked to stop.
    """
    warmup_steps = min(config.warmup_steps, round(WARM_UP * config.steps))
    config = replace(config, warmup_steps=warmup_steps)
    torch.manual_seed(config.seed)
    model = contestant(config.model_config(material.vocabulary))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, material, Path(folder), model=model)
        begin_at_frequencies(model, material.dataset)
        trainer.run()
        if trainer.stopped:
            raise KeyboardInterrupt
        return model, read_rows(Path(folder) / "metrics.csv")


def seconds(rows: Sequence[dict[str, float]]) -> float:
    """Return how long the updates of some rows took."""
    return sum(row["tokens"] / row["tokens_per_s"] for row in rows)


def steps_in(minutes: float, runs: Mapping[str, Run], of: Material) -> dict[str, int]:
    """Return how many updates of each run fit into a time on this machine."""
    pieces = islice(of.dataset.pieces, PROBE_PIECES)
    few = Material(PoemDataset.from_pieces(pieces, of.vocabulary), validation=[])
    timed: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(PROBE_ROUNDS):
        for name, (contestant, config) in runs.items():
            probe = replace(config, steps=PROBE_STEPS, validate_every=PROBE_STEPS + 1)
            _, rows = train(contestant, probe, few)
            timed[name] += rows[PROBE_STEPS // 4 :]
    return {
        name: max(1, round(60 * minutes * len(rows) / seconds(rows)))
        for name, rows in timed.items()
    }


def figures(contestant: Contestant, config: TrainConfig, material: Material) -> dict[str, Any]:
    """Train one contestant and return what came of it."""
    model, rows = train(contestant, config, material)
    tokens = sum(int(row["tokens"]) for row in rows)
    return {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "learning_rate": config.learning_rate,
        "steps": config.steps,
        "tokens": tokens,
        "seconds": round(seconds(rows), 1),
        "tokens_per_s": round(tokens / seconds(rows)),
        **{name: round(rows[-1][name], 4) for name in MEASURED if name in rows[-1]},
    }


def _known(names: list[str] | None) -> list[str] | None:
    for name in names or ():
        if name not in CONTESTANTS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(CONTESTANTS)}")
    return names


def _write(result: dict[str, Any], out: Path | None) -> None:
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n")


@configured
def main(
    config: TrainConfig,
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    minutes: Annotated[
        float | None,
        typer.Option(help="Of training, each; without it, as many updates as --steps."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A contestant; else all.", callback=_known)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the figures as JSON.")] = None,
) -> None:
    """Train all in turn and print what came of it as JSON."""
    names = only or list(CONTESTANTS)
    result: dict[str, Any] = {"machine": machine(), "minutes": minutes}
    keep_few_kernels()
    with reporting(OSError, ValueError):
        if not config.validation_poems:
            raise ValueError("expected validation_poems to be at least 1: they are the comparison")
        _write(result, out)
        material = Material.read(corpus)
        steps = dict.fromkeys(names, config.steps)
        if minutes is not None:
            runs = {name: Run(CONTESTANTS[name], config) for name in names}
            steps = steps_in(minutes, runs, material)
        for name in names:
            result[name] = figures(CONTESTANTS[name], replace(config, steps=steps[name]), material)
            typer.echo(json.dumps({name: result[name]}, indent=1))
            _write(result, out)


if __name__ == "__main__":
    typer.run(main)
