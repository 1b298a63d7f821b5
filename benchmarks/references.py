"""Trains ours and its references in one loop for an equal time: which of them is ahead?

    python -m benchmarks.references --minutes 20

The references are torch.nn.LSTM and a Transformer of equal size; the n-gram has a command of its
own (benchmarks.kneser_ney). Each gets the learning rate that its kind wants.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Annotated, Any, NamedTuple

import torch
import typer

from benchmarks.side_by_side import machine
from benchmarks.torch_lstm import torch_model
from benchmarks.transformer import transformer_model
from model.poetry_model import PoetryConfig, PoetryModel
from model.vocabulary import Vocabulary
from training.config import TrainConfig
from training.corpus import Poem, read_poems
from training.metrics import read_rows
from training.train import Trainer, begin_at_frequencies, build_vocabulary

PROBE_STEPS = 20  # that tell how many updates fit into the time


class Contestant(NamedTuple):
    """A kind of model, and how its learning rate relates to the configured one."""

    build: Callable[[PoetryConfig], PoetryModel]
    rate: float


CONTESTANTS = {
    "model.lstm": Contestant(PoetryModel, 1.0),
    "torch.nn.LSTM": Contestant(torch_model, 1.0),
    "Transformer": Contestant(transformer_model, 1 / 3),
}


class Material(NamedTuple):
    """What all are trained and measured on."""

    vocabulary: Vocabulary
    poems: list[Poem]
    validation: list[Poem]


def train(
    contestant: Contestant, config: TrainConfig, material: Material
) -> tuple[PoetryModel, list[dict[str, float]]]:
    """Train from scratch; return the model and the rows of its metrics."""
    config = replace(config, learning_rate=config.learning_rate * contestant.rate)
    torch.manual_seed(config.seed)
    model = contestant.build(config.model_config(material.vocabulary))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, *material, Path(folder), model=model)
        begin_at_frequencies(model, trainer.dataset)
        trainer.run()
        return model, read_rows(Path(folder) / "metrics.csv")


def steps_in(minutes: float, contestant: Contestant, config: TrainConfig, of: Material) -> int:
    """Return how many updates fit into a time on this machine."""
    probe = replace(config, steps=PROBE_STEPS, validate_every=PROBE_STEPS + 1)
    _, rows = train(contestant, probe, of._replace(validation=[]))
    step_s = median(row["tokens"] / row["tokens_per_s"] for row in rows[PROBE_STEPS // 4 :])
    return max(1, round(60 * minutes / step_s))


def figures(
    contestant: Contestant, config: TrainConfig, material: Material, minutes: float | None
) -> dict[str, Any]:
    """Train one contestant and return what came of it."""
    if minutes is not None:
        config = replace(config, steps=steps_in(minutes, contestant, config, material))
    model, rows = train(contestant, config, material)
    return {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "steps": config.steps,
        "tokens": sum(int(row["tokens"]) for row in rows),
        "tokens_per_s": round(median(row["tokens_per_s"] for row in rows)),
        "validation_bits": round(rows[-1]["validation_bits"], 4),
    }


def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    minutes: Annotated[
        float | None, typer.Option(help="Of training, each; without it, the configured steps.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="A contestant; else all.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="A field of TrainConfig: steps=100.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the figures as JSON.")] = None,
) -> None:
    """Train all in turn and print what came of it as JSON."""
    config = TrainConfig.parse(options or [])
    poems = list(read_poems(corpus / "train.jsonl"))
    validation = list(read_poems(corpus / "validation.jsonl"))
    material = Material(build_vocabulary(poems, 15, 100), poems, validation)
    result: dict[str, Any] = {"machine": machine(), "minutes": minutes}
    for name in only or CONTESTANTS:
        result[name] = figures(CONTESTANTS[name], config, material, minutes)
        typer.echo(json.dumps({name: result[name]}, indent=1))
    if out is not None:
        out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
