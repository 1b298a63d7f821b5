"""What a number format costs: bits per character of poems under the engine's own step.

    python -m benchmarks.precision --poems corpus/test.jsonl --limit 400

Every poem is read token by token, as the engine reads what it writes, after an empty header. The
count is that of training.bits: minus log2 of the probability of every token of the body and of its
end, by Han characters.
"""

from collections.abc import Iterator
from itertools import islice
from math import log
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from benchmarks.side_by_side import keep, machine
from model.checkpoint import Checkpoint
from model.packed_model import PackedModel
from model.precision import Precision
from model.verse.script import is_han
from training.corpus_poem import CorpusPoem, read_poems

SLOTS = 128
IGNORED = -100  # a target that does not count


def bits_per_character(
    checkpoint: Checkpoint, poems: list[CorpusPoem], precision: Precision
) -> float:
    """Return what poems cost in a format."""
    vocabulary, header = checkpoint.vocabulary, checkpoint.vocabulary.header()
    bodies = [[*vocabulary.encode(poem.text), vocabulary.eos_id] for poem in poems]
    packed = PackedModel(checkpoint.build_model(precision.dtype), SLOTS, precision)
    nats = sum(cost(packed, header, group) for group in groups(sorted(bodies, key=len)))
    return nats / log(2) / sum(is_han(character) for poem in poems for character in poem.text)


def groups(bodies: list[list[int]]) -> Iterator[list[list[int]]]:
    """Yield bodies by as many as there are slots."""
    for start in range(0, len(bodies), SLOTS):
        yield bodies[start : start + SLOTS]


@torch.inference_mode()
def cost(packed: PackedModel, header: list[int], bodies: list[list[int]]) -> float:
    """Return the nats of some bodies, one a slot."""
    rows, longest = packed.rows_for(len(bodies)), len(header) + len(bodies[-1])
    inputs = torch.zeros(longest, rows, dtype=torch.long)
    targets = torch.full((longest, rows), IGNORED)
    for row, body in enumerate(bodies):
        packed.clear(row)
        whole = torch.tensor([*header, *body])
        inputs[: len(whole), row] = whole
        targets[len(header) - 1 : len(whole) - 1, row] = whole[len(header) :]
    total = torch.zeros((), dtype=torch.float64)
    for tokens, expected in zip(inputs, targets, strict=True):
        features = packed.step(tokens, torch.zeros_like(tokens))
        if (expected != IGNORED).any():
            total += F.cross_entropy(packed.logits(features), expected, reduction="sum")
    return float(total)


def main(
    poems: Annotated[Path, typer.Option(help="JSON lines with upstream's fields, a poem a line.")],
    checkpoint: Annotated[Path, typer.Option(help="The model.")] = Path("model/poetry.safetensors"),
    limit: Annotated[int, typer.Option(help="How many poems; 0 for all.")] = 400,
    formats: Annotated[str, typer.Option(help="With commas.")] = "float32,bfloat16,int8",
    save: Annotated[bool, typer.Option(help="Keep the figures in benchmarks/results.")] = False,
) -> None:
    """Print bits per character by format."""
    loaded, those = Checkpoint.load(checkpoint), list(islice(read_poems(poems), limit or None))
    bits = {name: bits_per_character(loaded, those, Precision(name)) for name in formats.split(",")}
    table = Table("format", "bits per character", "more than the first")
    for name, each in bits.items():
        table.add_row(name, f"{each:.4f}", f"{each - next(iter(bits.values())):+.4f}")
    Console().print(table)
    if save:
        figures = {"machine": machine(), "model": loaded.name, "poems": len(those), "bits": bits}
        keep(f"precision_{loaded.name}", figures)


if __name__ == "__main__":
    typer.run(main)
