"""How good a model is: bits a character, and the poems that it writes.

The one yardstick of the language model is bits a character: minus log2 of the probability of every
token of a poem's body, punctuation and end included, behind an empty header, divided by the number
of Han characters. A character outside the vocabulary costs its <unk> probability and UNKNOWN_BITS
more. Poems are judged by training.poems, training.fluency and training.titles.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch.nn import functional as F

from model.checkpoint import Checkpoint, CheckpointError
from model.engine import Engine
from model.form import Form
from model.lexicon import Lexicon
from model.line_filter import LineFilter, LineFilterError
from model.plan import Meter
from model.poet import Poet
from model.poetry_model import PoetryModel
from model.precision import compute_dtype
from model.script import is_han
from model.vocabulary import Vocabulary
from training.corpus import Poem, read_poems
from training.dataset import IGNORED, Batch, Example, collate
from training.fluency import CONDITIONS, fluency
from training.page import (
    Results,
    draw,
    fluency_table,
    poems_table,
    read_frame,
    samples,
    titles_table,
    write_page,
)
from training.poems import FORMS, Copies, Figures, Lines, Score, judge, people, write_poems
from training.titles import follow_titles, titled_poems

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


@app.command("poems")
def poems_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    lines: Annotated[Path, typer.Option(help="What training.lines wrote.")] = Path(
        "model/lines.bin"
    ),
    out: Annotated[Path, typer.Option(help="Where the page and its picture go.")] = Path("docs"),
    number: Annotated[int, typer.Option(min=2, help="Poems of each form.")] = 100,
) -> None:
    """Judge poems the model writes, and people's; print the tables, put them into a page."""
    page = out / "evaluation.md"
    try:
        out.mkdir(parents=True, exist_ok=True)
        frame = read_frame(page)
        tables, results = measure_poems(
            Checkpoint.load(checkpoint), corpus, LineFilter.load(lines), number
        )
        write_page(page, frame, tables)
        draw(results, out / "evaluation.svg")
    except (CheckpointError, LineFilterError, OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(tables)


def measure_poems(
    checkpoint: Checkpoint, corpus: Path, line_filter: LineFilter, number: int
) -> tuple[str, Results]:
    """Measure a checkpoint's poems.

    Args:
        checkpoint: The model that writes.
        corpus: Where validation.jsonl has people's poems.
        line_filter: The corpus's lines.
        number: Poems of each form, for each writer and in each condition of fluency; there are
            as many titles as poems.

    Returns:
        The tables in Markdown, and the figures of the first.

    Raises:
        ValueError: If people wrote too few poems.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = checkpoint.build_model(compute_dtype(device), device)
    score = _score(model, checkpoint.vocabulary)
    poet = Poet(checkpoint, device=device)
    validation = list(read_poems(corpus / "validation.jsonl"))
    own = {
        f"the model, {meter}": write_poems(poet, meter, number)
        for meter in (Meter.STRICT, Meter.FREE)
    }
    lines = [
        line
        for forms in own.values()
        for poems in forms.values()
        for each in poems
        for line in each
    ]
    copies = Copies.of(lines, line_filter, corpus)
    results = {name: _judge_forms(forms, score, copies) for name, forms in own.items()}
    results["people"] = _judge_forms(people(validation, number), score, None)
    lexicon = Lexicon(checkpoint.vocabulary)
    engine = Engine(model)
    costs = [fluency(engine, model, lexicon, score, each, number) for each in CONDITIONS]
    titled = titled_poems(validation, checkpoint.vocabulary, number * len(FORMS))
    titles = follow_titles(poet, model, titled)
    parts = {
        "Poems": poems_table(results),
        "Fluency under the mask": fluency_table(costs),
        "Titles": titles_table(titles),
        "Poems of the first seeds, strict, drawn and not chosen": samples(
            own[f"the model, {Meter.STRICT}"]
        ),
    }
    sections = [f"## {title}\n\n{text}" for title, text in parts.items()]
    written_by = f"Written by {checkpoint.name}, checkpoint {checkpoint.checksum[:12]}."
    return "\n\n".join([written_by, *sections]), results


def _judge_forms(
    forms: Mapping[Form, Sequence[Lines]], score: Score, copies: Copies | None
) -> dict[Form, Figures]:
    return {form: judge(poems, form, score, copies) for form, poems in forms.items()}


def _score(model: PoetryModel, vocabulary: Vocabulary) -> Score:
    """Return what measures the bits a character of texts."""

    def score(texts: Sequence[str]) -> float:
        poems = [Poem("", "", (text,)) for text in texts]
        return bits(model, vocabulary, poems).bits_per_character

    return score


if __name__ == "__main__":
    app()
