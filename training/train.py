"""The command that trains: from the corpus's poems to a checkpoint."""

import importlib.metadata
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from model.checkpoint import Checkpoint, CheckpointError
from model.poetry_model import PoetryModel
from model.verse.script import is_han
from model.vocabulary import Vocabulary
from training.config import TrainConfig
from training.corpus import Poem, prolific_authors, read_poems
from training.ranks import Ranks, own_device
from training.state import StateError
from training.trainer import Trainer, TrainingDiverged

app = typer.Typer(help=__doc__, add_completion=False)


def keep_few_kernels() -> None:
    """Bound oneDNN's memory of kernels, before its first.

    It keeps one for each of the last 1,024 shapes, and hardly two batches have the same: memory
    would grow for hundreds of updates.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")


def build_vocabulary(poems: Sequence[Poem], min_count: int, min_poems: int) -> Vocabulary:
    """Return the vocabulary of a corpus.

    Args:
        poems: The training split.
        min_count: How often a character must stand in bodies to get a token.
        min_poems: How many poems an author must have to get one.
    """
    counts = Counter("".join(poem.text for poem in poems))
    characters = [c for c, count in counts.most_common() if is_han(c) and count >= min_count]
    return Vocabulary(characters, prolific_authors(poems, min_poems))


def start_from(checkpoint: Checkpoint, config: TrainConfig) -> PoetryModel:
    """Return a model to train on, with the weights of a checkpoint.

    A checkpoint without skip connections may get them: with weights of zero they change nothing.

    Raises:
        ValueError: If the run's sizes are not the checkpoint's.
    """
    wanted = config.model_config(checkpoint.vocabulary)
    before = replace(checkpoint.config, dropout=config.dropout)
    added = wanted.skip_connections and not before.skip_connections
    if replace(before, skip_connections=before.skip_connections or added) != wanted:
        raise ValueError(f"the checkpoint has {checkpoint.config}, the run wants {wanted}")
    model = PoetryModel(wanted)
    weights = dict(checkpoint.weights)
    if added:
        top = weights["projection.weight"]  # (E, H)
        below = top.new_zeros(len(top), model.projection.in_features - top.shape[1])
        weights["projection.weight"] = torch.cat((below, top), dim=1)
    model.load_state_dict(weights)
    return model


def export(trainer: Trainer, name: str, provenance: dict[str, Any]) -> Checkpoint:
    """Return the trained model as a checkpoint, its averaged weights rounded to bfloat16."""
    with trainer.state.averaged():
        weights = {key: w.bfloat16() for key, w in trainer.model.state_dict().items()}
    training = asdict(trainer.config) | {
        "step": trainer.state.step,
        "validation_bits": trainer.validation_bits(),
        "code_version": importlib.metadata.version("yin-poetry"),
        "torch": torch.__version__,
    }
    config, vocabulary = trainer.model.config, trainer.vocabulary
    return Checkpoint(name, config, vocabulary, weights, {**provenance, "training": training})


def already_exported(path: Path, trainer: Trainer) -> bool:
    """Return whether path is the checkpoint of this run as it stands."""
    if not path.exists():
        return False
    try:
        training = Checkpoint.load(path).provenance.get("training", {})
    except CheckpointError:
        return False
    wanted = asdict(trainer.config) | {"step": trainer.state.step}
    return bool(wanted.items() <= training.items())


def read_report(path: Path) -> Any:
    """Return what training.corpus told of the corpus.

    Raises:
        OSError: If there is no such file.
        ValueError: If it is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}; prepare the corpus again") from error


@app.command()
def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Folder of the run; one found there goes on.")] = Path(
        "runs/poetry"
    ),
    name: Annotated[str, typer.Option(help="What the model is called.")] = "yin",
    checkpoint: Annotated[
        Path | None, typer.Option(help="What to go on from, with its vocabulary.")
    ] = None,
    min_count: Annotated[int, typer.Option(help="Count that gives a character a token.")] = 15,
    min_poems: Annotated[int, typer.Option(help="Poems that give an author a token.")] = 100,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="A field of TrainConfig: steps=100.")
    ] = None,
) -> None:
    """Train on the corpus and write OUT/poetry.safetensors; a stopped run goes on where it was."""
    keep_few_kernels()
    device = own_device()
    try:
        config = TrainConfig.parse(options or [])
        provenance = {"corpus": read_report(corpus / "report.json")}
        poems = list(read_poems(corpus / "train.jsonl"))
        validation = list(read_poems(corpus / "validation.jsonl"))
        out.mkdir(parents=True, exist_ok=True)
        model, started_from = None, ""
        if checkpoint is None:
            vocabulary = build_vocabulary(poems, min_count, min_poems)
        else:
            before = Checkpoint.load(checkpoint)
            vocabulary, started_from = before.vocabulary, before.checksum
            model = start_from(before, config)
            provenance["started_from"] = {"checksum": started_from, **before.provenance}
        material = (config, vocabulary, poems, validation, out, device)
        with Ranks.joined(device) as ranks:
            trainer = Trainer(*material, ranks=ranks, model=model, started_from=started_from)
            trainer.run()
            exported = out / "poetry.safetensors"
            if ranks.rank == 0 and not trainer.stopped and not already_exported(exported, trainer):
                export(trainer, name, provenance).save(exported)
    except (OSError, ValueError, CheckpointError, StateError, TrainingDiverged) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if trainer.stopped:
        typer.echo(f"stopped and saved at step {trainer.state.step}; the same command goes on")
        ranks.finish(130)
        raise typer.Exit(130)
    if ranks.rank == 0:
        typer.echo(f"wrote {out / 'poetry.safetensors'}")
    ranks.finish()


if __name__ == "__main__":
    app()
