"""Counts the poems of each prolific author: model/poet/authors.tsv.

python -m training.tables.authors --corpus corpus --out model/poet/authors.tsv

Source: the corpus that training.corpus writes, ci included.
"""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from model.verse.script import unify
from model.vocabulary import Era
from training.command import reporting
from training.corpus_poem import read_poems
from training.material import COLLECTIVE
from training.splits import SPLITS

HEADER = """\
# Authors with {least} poems or more in the corpus of chinese-poetry at 99ebbef (MIT License), in
# the model's script: author; poems of Tang; poems of Song. Made by training.tables.authors.
"""
LEAST = 20  # poems of an author who is listed

app = typer.Typer(add_completion=False)


def count_poems(corpus: Path) -> dict[str, Counter[Era]]:
    """Return how many poems of each era the corpus has of each author, the most prolific first."""
    counts: dict[str, Counter[Era]] = {}
    files = [corpus / f"{kind}{split}.jsonl" for kind in ("", "ci-") for split in SPLITS]
    for path in filter(Path.exists, files):
        for poem in read_poems(path):
            if poem.era is not None:
                counts.setdefault(unify(poem.author), Counter())[poem.era] += 1
    named = {name: count for name, count in counts.items() if name and name not in COLLECTIVE}
    return dict(sorted(named.items(), key=lambda item: (-item[1].total(), item[0])))


@app.command()
def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Where the table goes.")] = Path(
        "model/poet/authors.tsv"
    ),
) -> None:
    """Count the poems of each author."""
    with reporting(OSError, ValueError):
        counts = count_poems(corpus)
        rows = [
            "\t".join((name, *(str(count[era]) for era in Era)))
            for name, count in counts.items()
            if count.total() >= LEAST
        ]
        text = HEADER.format(least=LEAST) + "".join(f"{row}\n" for row in rows)
        out.write_text(text, encoding="utf-8")
    typer.echo(f"{len(rows)} of {len(counts)} authors")


if __name__ == "__main__":
    app()
