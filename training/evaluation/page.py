"""The page of an evaluation: its tables in Markdown, and its picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from model.verse.form import Form
from training.bits import Bits
from training.evaluation.fluency import Fluency
from training.evaluation.poems import FORMS, Figures, Lines, Score, punctuate
from training.evaluation.titles import TitleFigures

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
SAMPLES = 8
COLUMNS = (
    "form",
    "writer",
    "poems",
    "form %",
    "rhyme %",
    "tone %",
    "regulated %",
    "repetition %",
    "distinct-1",
    "distinct-2",
    "self-BLEU",
    "lines reported %",
    "lines copied %",
    "bits per character",
)
PANELS = (
    ("rhyme", "rhyme", 1.0),
    ("tone", "every tone right", 1.0),
    ("regulated", "every rule kept", 1.0),
    ("repetition", "repeated characters", None),
    ("distinct_2", "distinct-2", 1.0),
    ("bits", "bits per character", None),
)

Results = Mapping[str, Mapping[Form, Figures]]  # writer -> form -> figures


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 2) -> str:
    """Return a table, its first columns ranged left and the others right."""
    rule = ["---" if index < left else "---:" for index in range(len(columns))]
    lines = (f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))
    return "\n".join(lines)


def markdown_sections(sections: Mapping[str, str]) -> str:
    """Return texts under their titles as headings."""
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())


def bits_table(groups: Mapping[str, Bits]) -> str:
    """Return the table of what kinds of test poems cost."""
    rows = [
        [name, str(each.poems), str(each.characters), f"{each.bits_per_character:.3f}"]
        for name, each in groups.items()
    ]
    return markdown_table(("test poems", "poems", "characters", "bits per character"), rows, left=1)


def positions_table(positions: Mapping[int, Mapping[str, float]]) -> str:
    """Return the table of what a token costs at each position of lines of each length."""
    names = max(positions.values(), key=len)
    rows = [
        [f"{size} characters", *(f"{row[name]:.2f}" if name in row else "" for name in names)]
        for size, row in positions.items()
    ]
    return markdown_table(("lines of", *names), rows, left=1)


def poems_table(results: Results) -> str:
    """Return the table of all writers, form by form."""
    return markdown_table(
        COLUMNS,
        [[form, writer, *_cells(results[writer][form])] for form in FORMS for writer in results],
    )


def _cells(figures: Figures) -> list[str]:
    shares = (figures.form, figures.rhyme, figures.tone, figures.regulated)
    return [
        str(figures.poems),
        *(f"{100 * share:.0f}" for share in shares),
        f"{100 * figures.repetition:.1f}",
        f"{figures.distinct_1:.3f}",
        f"{figures.distinct_2:.3f}",
        f"{figures.self_bleu:.3f}",
        _percent(figures.reported),
        _percent(figures.copied),
        f"{figures.bits:.2f}",
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"


def fluency_table(rows: Sequence[Fluency]) -> str:
    """Return the table of what masks cost."""
    columns = ("condition", "poems", "bits per character", "cut off", "repetition %", "tone %")
    return markdown_table(
        columns,
        [
            [
                row.condition.name,
                str(row.poems),
                f"{row.bits:.2f} ± {row.error:.2f}",
                f"{row.cut:.2f}",
                f"{100 * row.repetition:.1f}",
                f"{100 * row.tone:.0f}",
            ]
            for row in rows
        ],
        left=1,
    )


def titles_table(figures: TitleFigures) -> str:
    """Return the table of what titles do."""
    shares = {
        "written to the title": figures.written_with,
        "written with the same seed to no title": figures.written_without,
        "people's own to the title": figures.by_people,
    }
    lifts = {
        "the title's characters": figures.lift,
        "their neighbours in the embedding": figures.neighbour_lift,
        "another poem's title's characters (control)": figures.other_lift,
    }
    bits = {
        "its title": figures.bits_with,
        "no title": figures.bits_without,
        "another poem's title (control)": figures.bits_other,
    }
    rows = [
        *([f"poems with a character of the title: {k}", f"{v:.0%}"] for k, v in shares.items()),
        *([f"gain per character after the title: {k}", f"{v:+.2f} bits"] for k, v in lifts.items()),
        *([f"bits per character of people's poems after {k}", f"{v:.2f}"] for k, v in bits.items()),
    ]
    return markdown_table(("measure", f"{figures.titles} titles"), rows, left=1)


def samples(poems: Mapping[Form, Sequence[Lines]]) -> str:
    """Return the poems of the first seeds, the forms taking turns: drawn, not chosen."""
    chosen = [(FORMS[seed % len(FORMS)], seed) for seed in range(SAMPLES)]
    return "\n\n".join(
        _sample(f"{form.value}, seed {seed}", poems[form][seed])
        for form, seed in chosen
        if seed < len(poems[form])
    )


def extremes(poems: Mapping[Form, Sequence[Lines]], score: Score) -> str:
    """Return of each form the poem that costs the fewest bits per character, and the most."""
    chosen = list[str]()
    for form in FORMS:
        bits = [score([punctuate(poem)]) for poem in poems[form]]
        for seed in (bits.index(min(bits)), bits.index(max(bits))):
            name = f"{form.value}, seed {seed}: {bits[seed]:.2f} bits per character"
            chosen.append(_sample(name, poems[form][seed]))
    return "\n\n".join(chosen)


def _sample(name: str, lines: Lines) -> str:
    return f"{name}\n\n```text\n{_couplets(lines)}\n```"


def _couplets(lines: Lines) -> str:
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return "\n".join(f"{odd}，{even}。" for odd, even in pairs)


def read_frame(path: Path) -> tuple[str, str]:
    """Return what stands before and after the tables of a page; a heading if there is no page.

    Raises:
        ValueError: If there is a page, and the marks of the tables are not in it.
    """
    if not path.exists():
        return "# Evaluation\n\n", "\n"
    page = path.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"expected {BEGIN} and then {END} once each in {path}")
    before, rest = page.split(BEGIN)
    return before, rest.split(END)[1]


def write_page(path: Path, frame: tuple[str, str], tables: str) -> None:
    """Write a page: its tables between their marks, within what read_frame() found."""
    before, after = frame
    path.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


def draw(results: Results, path: Path) -> None:
    """Draw a panel for each measure: bars of every writer, form by form."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "poems"}):
        figure = Figure(figsize=(10, 5.5), layout="constrained")
        for axes, (name, title, top) in zip(figure.subplots(2, 3).flat, PANELS, strict=True):
            width = 0.8 / len(results)
            for number, (writer, figures) in enumerate(results.items()):
                centres = [at + number * width - 0.4 + width / 2 for at in range(len(FORMS))]
                heights = [getattr(figures[form], name) for form in FORMS]
                axes.bar(centres, heights, width, label=writer)
            axes.set(title=title, xticks=range(len(FORMS)), xticklabels=[f.code for f in FORMS])
            axes.tick_params(axis="x", labelsize=8)
            axes.grid(axis="y", alpha=0.3)
            if top is not None:
                axes.set_ylim(0, top)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(results))
        figure.savefig(path, metadata={"Date": None})
