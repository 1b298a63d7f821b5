"""Fits what the last choice weighs: model/poet/choice.json.

A logistic regression tells people's validation poems from those that the poet writes to the same
titles, choosing evenly; the titles that evaluations measure are left out. Its weights are divided
by the traits' deviations, so that they are of a bit, and rounded.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from model.checkpoint import Checkpoint, CheckpointError
from model.device import default_device
from model.poet.last_choice import TRAITS
from model.poet.poet import Poet
from model.replacement import replacing
from training.command import reporting
from training.corpus_poem import read_poems
from training.evaluation.classifier import fit, standardised
from training.evaluation.sense import write_to_titles
from training.evaluation.titles import characters_of, titled_poems
from training.evaluation.traits import NAMES, Titled, Traits, find_traits

FITTED = ("bits", "gain", "rhyme", "parallelism")  # those of TRAITS, and what wishes change
LEFT_OUT = 200  # titles that evaluations measure

app = typer.Typer(help=__doc__, add_completion=False)


def find_weights(people: Traits, ours: Traits) -> Mapping[str, float]:
    """Return what each trait weighs, by the traits of people's poems and ours, (N, 5) each."""
    columns = [NAMES.index(name) for name in FITTED]
    scaled, _, deviations = standardised(np.concatenate([people, ours])[:, columns])
    weights, _ = fit(scaled, np.arange(len(scaled)) < len(people))
    found = dict(zip(FITTED, (weights / deviations).round(3).tolist(), strict=True))
    return {name: found[name] for name in TRAITS}


@app.command()
def main(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    number: Annotated[int, typer.Option(min=20, help="Titles.")] = 400,
    guidance: Annotated[float, typer.Option(help="As in the API.")] = 3.5,
    candidates: Annotated[int, typer.Option(help="As in the API.")] = 4,
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = Path(
        "model/poet/choice.json"
    ),
) -> None:
    """Write the weights, and print them."""
    with reporting(CheckpointError, OSError, ValueError):
        loaded = Checkpoint.load(checkpoint)
        poet = Poet(loaded, device=default_device(), judging=False)
        validation = list(read_poems(corpus / "validation.jsonl"))
        poems = titled_poems(validation, poet.vocabulary, LEFT_OUT + number)[LEFT_OUT:]
        titles = [characters_of(poem.title) for poem in poems]
        model = loaded.build_model(torch.float32, default_device())
        own = write_to_titles(poet, poems, guidance, candidates)
        people, ours = (
            find_traits(model, poet.vocabulary, list(map(Titled, titles, lines)))
            for lines in ([tuple(poem.lines) for poem in poems], own)
        )
        weights = json.dumps(find_weights(people, ours), indent=1) + "\n"
        with replacing(out) as partial:
            partial.write_text(weights, encoding="utf-8")
    typer.echo(weights)


if __name__ == "__main__":
    app()
