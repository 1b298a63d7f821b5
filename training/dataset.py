"""The command that packs what a run learns from into one file.

A machine that trains needs that file (`training.train --data`), and neither the corpus nor what
reads it.
"""

from pathlib import Path
from typing import Annotated

import typer

from model.checkpoint import Checkpoint, CheckpointError
from training.command import MaxTunes, MinCount, MinPoems, reporting
from training.material import MAX_TUNES, MIN_POEMS, Material

app = typer.Typer(help=__doc__, add_completion=False)


@app.command()
def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("corpus/packed"),
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Take the vocabulary of this checkpoint."),
    ] = None,
    min_count: MinCount = None,
    min_poems: MinPoems = MIN_POEMS,
    max_tunes: MaxTunes = MAX_TUNES,
) -> None:
    """Write the training poems as token ids, with the vocabulary and the validation poems."""
    with reporting(OSError, ValueError, CheckpointError):
        vocabulary = Checkpoint.load(checkpoint).vocabulary if checkpoint else None
        material = Material.read(corpus, vocabulary, min_count, min_poems, max_tunes)
        material.save(out)
    typer.echo(
        f"{len(material.dataset):,} sequences, {len(material.dataset.bodies):,} targets, "
        f"{len(material.vocabulary):,} tokens, which cover {material.coverage:.1%}; "
        f"{out.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    app()
