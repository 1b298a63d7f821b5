"""How good a model is: bits a character.

The one yardstick of the language model: minus log2 of the probability of every token of a poem's
body, punctuation and end included, behind an empty header, divided by the number of Han characters.
A character outside the vocabulary costs its <unk> probability and UNKNOWN_BITS more.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch.nn import functional as F

from model.checkpoint import Checkpoint, CheckpointError
from model.poetry_model import PoetryModel
from model.precision import compute_dtype
from model.script import is_han
from model.vocabulary import Vocabulary
from training.corpus import Poem, read_poems
from training.dataset import IGNORED, Batch, Example, collate

UNKNOWN_BITS = 14.36  # one of 21,000 characters
BATCH_TOKENS = 8192

app = typer.Typer(help=__doc__, no_args_is_help=True)


@dataclass(frozen=True)
class Bits:
    """What the poems of a file cost."""

    bits_per_character: float
    poems: int
    characters: int


def bits(
    model: PoetryModel,
    vocabulary: Vocabulary,
    poems: Sequence[Poem],
    dtype: torch.dtype | None = None,
) -> Bits:
    """Measure a model on poems, each read whole from the zero state behind an empty header.

    Raises:
        ValueError: If the poems hold no Han character.
    """
    characters = sum(map(is_han, "".join(poem.text for poem in poems)))
    if characters == 0:
        raise ValueError("expected poems with at least one Han character")
    bodies = [vocabulary.encode(poem.text) for poem in poems]
    unknown = sum(body.count(vocabulary.unk_id) for body in bodies)
    nats = sum(_nats(model, batch, dtype) for batch in _batches(bodies, vocabulary))
    total = nats / log(2) + unknown * UNKNOWN_BITS
    return Bits(total / characters, len(poems), characters)


def _batches(bodies: list[list[int]], vocabulary: Vocabulary) -> Iterator[Batch]:
    """Yield the poems in batches, shortest first, each behind an empty header."""
    header = np.array(vocabulary.header())
    group: list[Example] = []
    for ids in sorted(bodies, key=len):
        if group and (len(group) + 1) * (len(header) + len(ids)) > BATCH_TOKENS:
            yield collate(group)
            group = []
        body = np.array([*ids, vocabulary.eos_id])
        group.append(Example(header, body, np.zeros_like(body)))
    yield collate(group)


@torch.inference_mode()
def _nats(model: PoetryModel, batch: Batch, dtype: torch.dtype | None) -> float:
    device = model.embedding.weight.device
    features, _ = model.features(batch.tokens.to(device), dtype=dtype)
    counted = (batch.targets != IGNORED).to(device)
    weight = model.embedding.weight.to(features.dtype)
    logits = F.linear(features[counted], weight).float() + model.output_bias.float()
    targets = batch.targets.to(device)[counted]
    return float(F.cross_entropy(logits, targets, reduction="sum"))


@app.callback()
def main() -> None:
    """Measure a checkpoint."""


@app.command("bits")
def bits_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    poems: Annotated[Path, typer.Option(help="JSON lines with upstream's fields, a poem a line.")],
) -> None:
    """Print bits a character as a JSON object."""
    try:
        loaded = Checkpoint.load(checkpoint)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = loaded.build_model(compute_dtype(device), device)
        result = bits(model, loaded.vocabulary, list(read_poems(poems)))
    except (CheckpointError, OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(asdict(result)))


if __name__ == "__main__":
    app()
