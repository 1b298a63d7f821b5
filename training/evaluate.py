"""How good a model is: bits per character (training.bits), and the poems that it writes.

Poems are judged by the modules of training.evaluation; its page makes tables of it all.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from model.checkpoint import Checkpoint, CheckpointError
from model.device import default_device
from model.engine import Engine
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter, LineFilterError
from model.poet.poem import Meter
from model.poet.poet import Poet
from model.poetry_model import PoetryModel
from model.precision import compute_dtype
from model.verse.form import Form
from model.vocabulary import Vocabulary
from training.bits import bits, by_position, costs, total, totals
from training.command import reporting
from training.corpus_poem import CorpusPoem, read_poems
from training.evaluation.fluency import CONDITIONS, fluency
from training.evaluation.page import (
    Results,
    bits_table,
    draw,
    extremes,
    fluency_table,
    markdown_sections,
    poems_table,
    positions_table,
    read_frame,
    samples,
    titles_table,
    write_page,
)
from training.evaluation.poems import (
    FORMS,
    Copies,
    Figures,
    Lines,
    Score,
    judge,
    people,
    write_poems,
)
from training.evaluation.retrieval import TitleScorer, find_titles
from training.evaluation.revising import revising_command
from training.evaluation.sense import SenseFigures, measure_sense, sense_table
from training.evaluation.starts import quotation, starts_section, write_starts
from training.evaluation.themes import write_themes
from training.evaluation.titles import follow_titles, titled_poems

GUIDANCE, CANDIDATES = 3.5, 4  # the API's defaults
TITLES = 200  # that sense is measured on
REFUSALS = (CheckpointError, LineFilterError, OSError, ValueError)

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.callback()
def main() -> None:
    """Measure a checkpoint."""


@app.command("bits")
def bits_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    poems: Annotated[Path, typer.Option(help="JSON lines with upstream's fields, a poem a line.")],
) -> None:
    """Print bits per character as a JSON object."""
    with reporting(*REFUSALS):
        loaded = Checkpoint.load(checkpoint)
        result = bits(build_model(loaded), loaded.vocabulary, list(read_poems(poems)))
    typer.echo(json.dumps(asdict(result)))


Corpus = Annotated[Path, typer.Option(help="What training.corpus wrote.")]
LineFilterPath = Annotated[Path, typer.Option(help="What training.tables.lines wrote.")]
Guidance = Annotated[float, typer.Option(help="As in the API.")]
Candidates = Annotated[int, typer.Option(help="As in the API.")]
Number = Annotated[int, typer.Option(min=2, help="Poems of each form.")]


@app.command("poems")
def poems_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    corpus: Corpus = Path("corpus"),
    lines: LineFilterPath = Path("model/poet/lines.bin"),
    number: Number = 100,
) -> None:
    """Judge poems the model writes, and people's; print the tables."""
    with reporting(*REFUSALS):
        sections, _ = measure_poems(
            Checkpoint.load(checkpoint), corpus, LineFilter.load(lines), number
        )
    typer.echo(markdown_sections(sections))


@app.command("report")
def report_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    corpus: Corpus = Path("corpus"),
    lines: LineFilterPath = Path("model/poet/lines.bin"),
    out: Annotated[Path, typer.Option(help="Where the page and its picture go.")] = Path("docs"),
    number: Number = 100,
) -> None:
    """Measure everything; write the tables and the picture of docs/evaluation.md."""
    page = out / "evaluation.md"
    with reporting(*REFUSALS):
        out.mkdir(parents=True, exist_ok=True)
        frame = read_frame(page)
        loaded = Checkpoint.load(checkpoint)
        sections, results = measure_poems(loaded, corpus, LineFilter.load(lines), number)
        figures = measure_titles(loaded, corpus, 2 * number, GUIDANCE, CANDIDATES)
        sections["Title, rhyme, parallels"] = sense_table(figures)
        tables = markdown_sections(measure_bits(loaded, corpus) | sections)
        written_by = f"Measured on {loaded.name}, checkpoint {loaded.checksum[:12]}."
        write_page(page, frame, f"{written_by}\n\n{tables}")
        draw(results, out / "evaluation.svg")
    typer.echo(tables)


@app.command("retrieval")
def retrieval_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    corpus: Corpus = Path("corpus"),
    number: Annotated[int, typer.Option(min=20, help="Titles.")] = TITLES,
    guidance: Guidance = GUIDANCE,
    candidates: Candidates = CANDIDATES,
) -> None:
    """Print how well titles are kept to, the model's and people's, and what else sense shows in."""
    with reporting(*REFUSALS):
        loaded = Checkpoint.load(checkpoint)
        figures = measure_titles(loaded, corpus, number, guidance, candidates)
    typer.echo(json.dumps({writer: asdict(each) for writer, each in figures.items()}))


@app.command("themes")
def themes_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    corpus: Corpus = Path("corpus"),
    guidance: Guidance = GUIDANCE,
    candidates: Candidates = CANDIDATES,
) -> None:
    """Write on a hundred modern nouns; print what they were read as, and how often it is found."""
    with reporting(*REFUSALS):
        poet = Poet(Checkpoint.load(checkpoint), device=default_device())
        found = write_themes(poet, guidance, candidates)
        written = [(each.noun, "".join(each.keywords), each.poem) for each in found if each.poem]
        titles = [keywords for _, keywords, _ in written]
        scorer = TitleScorer(read_poems(corpus / "train.jsonl"), titles)
        figures = find_titles(scorer, titles, ["".join(poem.written) for _, _, poem in written])
    for each in found:
        lines = " ".join(each.poem.written) if each.poem else "–"
        typer.echo(f"{each.noun}\t{'、'.join(each.keywords) or '–'}\t{lines}")
    typer.echo(json.dumps({"written": len(written), **asdict(figures)}))


app.command("revising")(revising_command)


@app.command("starts")
def starts_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    lines: LineFilterPath = Path("model/poet/lines.bin"),
) -> None:
    """Write a poem for each start of the README; print them, in Markdown."""
    with reporting(*REFUSALS):
        device = default_device()
        poet = Poet(Checkpoint.load(checkpoint), LineFilter.load(lines), device=device)
        poems = write_starts(poet)
    typer.echo(f"{quotation(poems[0])}\n\n{starts_section(poems, poet.engine.dtype)}")


def measure_titles(
    checkpoint: Checkpoint, corpus: Path, number: int, guidance: float, candidates: int
) -> dict[str, SenseFigures]:
    """Measure how well the titles of people's validation poems are kept to.

    Raises:
        ValueError: If there are fewer such poems than number.
    """
    poet, judged = (Poet(checkpoint, device=default_device(), judging=j) for j in (False, True))
    validation = list(read_poems(corpus / "validation.jsonl"))
    poems = titled_poems(validation, poet.vocabulary, number)
    train, model = read_poems(corpus / "train.jsonl"), build_model(checkpoint)
    return measure_sense(poet, judged, model, poems, train, guidance, candidates)


def build_model(checkpoint: Checkpoint) -> PoetryModel:
    """Return a checkpoint's model on the default device, in the dtype that suits it."""
    device = default_device()
    return checkpoint.build_model(compute_dtype(device), device)


def measure_bits(checkpoint: Checkpoint, corpus: Path) -> dict[str, str]:
    """Measure bits per character on the test poems: in all, and where they go.

    Returns:
        Sections of a page by their titles.

    Raises:
        ValueError: If there are no test poems.
    """
    model = build_model(checkpoint)
    found = costs(model, checkpoint.vocabulary, list(read_poems(corpus / "test.jsonl")))
    groups = {
        "all": total(found),
        **totals(found, lambda poem: poem.era.value if poem.era else "unknown era"),
        **totals(found, lambda poem: poem.form.value if poem.form else "other"),
    }
    positions = {size: by_position(found, size) for size in (5, 7)}
    return {
        "Bits per character": bits_table(groups),
        "Bits per token, by its position in the line": positions_table(positions),
    }


def measure_poems(
    checkpoint: Checkpoint, corpus: Path, line_filter: LineFilter, number: int
) -> tuple[dict[str, str], Results]:
    """Measure a checkpoint's poems.

    Args:
        checkpoint: The model that writes.
        corpus: Where validation.jsonl has people's poems.
        line_filter: The corpus's lines.
        number: Poems of each form, for each writer and in each condition of fluency; there are
            as many titles as poems.

    Returns:
        Sections of a page by their titles, and the figures of the first.

    Raises:
        ValueError: If people wrote too few poems.
    """
    model = build_model(checkpoint)
    score = _score(model, checkpoint.vocabulary)
    poet = Poet(checkpoint, line_filter, device=default_device())
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
    costs_of_masks = [fluency(engine, model, lexicon, score, each, number) for each in CONDITIONS]
    titled = titled_poems(validation, checkpoint.vocabulary, number * len(FORMS))
    titles = follow_titles(poet, model, titled)
    sections = {
        "Poems": poems_table(results),
        "Fluency under the mask": fluency_table(costs_of_masks),
        "Titles": titles_table(titles),
        "Poems of the first seeds, strict, drawn and not chosen": samples(
            own[f"the model, {Meter.STRICT}"]
        ),
        "Of all strict poems of a form, the likeliest and the least likely": extremes(
            own[f"the model, {Meter.STRICT}"], score
        ),
    }
    return sections, results


def _judge_forms(
    forms: Mapping[Form, Sequence[Lines]], score: Score, copies: Copies | None
) -> dict[Form, Figures]:
    return {form: judge(poems, form, score, copies) for form, poems in forms.items()}


def _score(model: PoetryModel, vocabulary: Vocabulary) -> Score:
    """Return what measures the bits per character of texts."""

    def score(texts: Sequence[str]) -> float:
        poems = [CorpusPoem("", "", (text,)) for text in texts]
        return bits(model, vocabulary, poems).bits_per_character

    return score


if __name__ == "__main__":
    app()
