"""The command that trains: from the corpus's poems to a checkpoint."""

import importlib.metadata
import os
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from model.checkpoint import Checkpoint, CheckpointError
from model.poetry_model import PoetryModel
from model.vocabulary import Vocabulary
from training.command import MaxTunes, MinCount, MinPoems, configured, reporting
from training.config import TrainConfig
from training.material import MAX_TUNES, MIN_POEMS, Material
from training.ranks import Ranks, own_device
from training.run_folder import FolderInUse, owned
from training.state import StateError
from training.trainer import Trainer, TrainingDiverged

SMALL = 0.1  # of the embedding's spread: rows of tokens that say nothing yet
EXPORTED = "poetry.safetensors"  # in the folder of the run
REFUSALS = (OSError, ValueError, CheckpointError, StateError, FolderInUse, TrainingDiverged)

app = typer.Typer(help=__doc__, add_completion=False)


def keep_few_kernels() -> None:
    """Bound oneDNN's memory of kernels, before its first.

    It keeps one for each of the last 1,024 shapes, and hardly two batches have the same: memory
    would grow for hundreds of updates.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")


def start_from(
    checkpoint: Checkpoint, config: TrainConfig, vocabulary: Vocabulary | None = None
) -> PoetryModel:
    """Return a model to train on, with the weights of a checkpoint.

    A checkpoint without skip connections may get them: with weights of zero they change nothing.
    So may its vocabulary grow: the new tokens change next to nothing for the others.

    Args:
        checkpoint: Where the weights come from.
        config: The run's.
        vocabulary: The run's; if None, the checkpoint's.

    Raises:
        ValueError: If the run's sizes are not the checkpoint's, or its vocabulary lacks tokens.
    """
    vocabulary = vocabulary or checkpoint.vocabulary
    wanted = config.model_config(vocabulary)
    before = replace(checkpoint.config, dropout=config.dropout, vocab_size=len(vocabulary))
    added = wanted.skip_connections and not before.skip_connections
    if replace(before, skip_connections=before.skip_connections or added) != wanted:
        raise ValueError(f"the checkpoint has {checkpoint.config}, the run wants {wanted}")
    model = PoetryModel(wanted)
    weights = dict(checkpoint.weights)
    if added:
        top = weights["projection.weight"]  # (E, H)
        below = top.new_zeros(len(top), model.projection.in_features - top.shape[1])
        weights["projection.weight"] = torch.cat((below, top), dim=1)
    model.load_state_dict(weights | widened(checkpoint, vocabulary))
    return model


def widened(checkpoint: Checkpoint, vocabulary: Vocabulary) -> dict[str, Tensor]:
    """Return a checkpoint's embedding and output bias for a larger vocabulary.

    A new token starts as the mean of the characters of its name, small and random where the
    checkpoint knows none of them, and is as unlikely as the least likely one.

    Raises:
        ValueError: If the vocabulary lacks a token of the checkpoint's.
    """
    old = {token: index for index, token in enumerate(checkpoint.vocabulary.tokens)}
    lost = sorted(old.keys() - set(vocabulary.tokens))
    if lost:
        raise ValueError(
            f"the vocabulary lacks {len(lost)} tokens of the checkpoint's, such as {lost[0]}; "
            "pack the corpus with training.dataset --checkpoint"
        )
    embedding = checkpoint.weights["embedding.weight"].float()
    bias = checkpoint.weights["output_bias"].float()
    random = torch.Generator().manual_seed(0)
    small = SMALL * float(embedding.std())

    def row(token: str) -> Tensor:
        if token in old:
            return embedding[old[token]]
        parts = [old[character] for character in token.strip("<>") if character in old]
        if parts:
            return embedding[parts].mean(0)
        return small * torch.randn(embedding.shape[1], generator=random)

    rows = torch.stack([row(token) for token in vocabulary.tokens])
    biases = [bias[old[token]] if token in old else bias.min() for token in vocabulary.tokens]
    return {"embedding.weight": rows, "output_bias": torch.stack(biases)}


def export(trainer: Trainer, name: str, provenance: dict[str, Any]) -> Checkpoint:
    """Return the trained model as a checkpoint, its averaged weights rounded to bfloat16."""
    with trainer.state.averaged():
        weights = {key: w.bfloat16() for key, w in trainer.model.state_dict().items()}
    training = asdict(trainer.config) | {
        "step": trainer.state.step,
        "validation_bits": trainer.validation_bits(),
        "code_version": code_version(),
        "torch": torch.__version__,
    }
    config, vocabulary = trainer.model.config, trainer.material.vocabulary
    return Checkpoint(name, config, vocabulary, weights, {**provenance, "training": training})


def code_version() -> str:
    """Return the version of this code; empty where it runs without being installed."""
    try:
        return importlib.metadata.version("yin-poetry")
    except importlib.metadata.PackageNotFoundError:
        return ""


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


def announce(trainer: Trainer) -> None:
    """Print what is trained on, before the first step."""
    material = trainer.material
    typer.echo(
        f"{len(material.vocabulary):,} tokens cover {material.coverage:.1%} of the characters of "
        f"{len(material.dataset):,} sequences",
        err=True,
    )
    if not trainer.validation:
        typer.echo("there are no validation poems: bits per character are not measured", err=True)


def train(
    config: TrainConfig,
    material: Material,
    out: Path,
    name: str,
    before: Checkpoint | None = None,
    workers: int = 0,
) -> tuple[Trainer, Ranks]:
    """Train in a folder and write its checkpoint, unless asked to stop.

    Args:
        config: What to do.
        material: What to train and to measure on.
        out: The folder; a run found there is continued.
        name: What the model is called.
        before: The checkpoint whose weights the run starts from; None for random ones.
        workers: Processes that make batches ahead.
    """
    device = own_device()
    provenance: dict[str, Any] = {"corpus": material.provenance}
    model, started_from = None, ""
    if before is not None:
        model = start_from(before, config, material.vocabulary)
        started_from = before.checksum
        provenance["started_from"] = {"checksum": started_from, **before.provenance}
    with Ranks.joined(device) as ranks, owned(out) if ranks.rank == 0 else nullcontext():
        trainer = Trainer(
            config,
            material,
            out,
            device=device,
            ranks=ranks,
            model=model,
            started_from=started_from,
            workers=workers,
        )
        if ranks.rank == 0:
            announce(trainer)
        trainer.run()
        exported = out / EXPORTED
        if ranks.rank == 0 and not trainer.stopped and not already_exported(exported, trainer):
            export(trainer, name, provenance).save(exported)
    return trainer, ranks


@app.command()
@configured
def main(
    config: TrainConfig,
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    data: Annotated[
        Path | None, typer.Option(help="What training.dataset packed, instead of a corpus.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder of the run; a run found there is continued.")
    ] = Path("runs/poetry"),
    name: Annotated[str, typer.Option(help="What the model is called.")] = "yin",
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Start from its weights and vocabulary."),
    ] = None,
    min_count: MinCount = None,
    min_poems: MinPoems = MIN_POEMS,
    max_tunes: MaxTunes = MAX_TUNES,
    repeat_ci: Annotated[int, typer.Option(min=1, help="How many times an epoch has each ci.")] = 1,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that make batches ahead; a fast card needs them.")
    ] = 0,
) -> None:
    """Train on the corpus and write OUT/poetry.safetensors; a run that was stopped is continued."""
    keep_few_kernels()
    with reporting(*REFUSALS):
        before = Checkpoint.load(checkpoint) if checkpoint else None
        vocabulary = before.vocabulary if before else None
        material = (
            Material.read(corpus, vocabulary, min_count, min_poems, max_tunes)
            if data is None
            else Material.load(data)
        ).repeating_ci(repeat_ci)
        trainer, ranks = train(config, material, out, name, before, workers)
    if trainer.stopped:
        typer.echo(
            f"stopped; saved at step {trainer.state.step}. Run the same command to continue."
        )
        ranks.finish(130)
        raise typer.Exit(130)
    if ranks.rank == 0:
        typer.echo(f"wrote {out / EXPORTED}")
    ranks.finish()


if __name__ == "__main__":
    app()
