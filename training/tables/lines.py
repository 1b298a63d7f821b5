"""Makes the filter of the corpus's lines that is served beside the checkpoint."""

import json
import random
from collections import Counter
from collections.abc import Set
from pathlib import Path
from typing import Annotated

import typer

from model.poet.line_filter import LineFilter
from training.command import reporting
from training.corpus_poem import read_poems
from training.splits import SPLITS

MADE_UP = 100_000  # lines that measure how often the filter is wrong
COMMON = 2000  # characters that they are made of

app = typer.Typer(help=__doc__, add_completion=False)


def read_lines(corpus: Path) -> set[str]:
    """Return the different lines of all splits.

    Raises:
        OSError: If a split is not there.
        ValueError: If a split is damaged.
    """
    poems = (poem for split in SPLITS for poem in read_poems(corpus / f"{split}.jsonl"))
    return {line for poem in poems for line in poem.lines}


def read_commit(corpus: Path) -> str:
    """Return upstream's commit that a corpus was made from.

    Raises:
        OSError: If the corpus has no report.
        ValueError: If its report does not name a commit.
    """
    path = corpus / "report.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["commit"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} does not name upstream's commit") from error


def false_positives(line_filter: LineFilter, lines: Set[str], number: int = MADE_UP) -> float:
    """Return the share of made-up lines that a filter takes for lines of the corpus.

    Args:
        line_filter: The filter of lines.
        lines: The lines that stand in the corpus; at least one.
        number: How many lines to make up, of five or seven common characters.
    """
    counts = Counter(character for line in lines for character in line)
    common = sorted(counts, key=lambda character: (-counts[character], character))[:COMMON]
    chance = random.Random(0)
    made_up = {"".join(chance.choices(common, k=chance.choice((5, 7)))) for _ in range(number)}
    strangers = made_up - lines
    return len(line_filter.known(strangers)) / max(1, len(strangers))


@app.command()
def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Where the filter goes.")] = Path(
        "model/poet/lines.bin"
    ),
) -> None:
    """Write the filter, and print how large it is and how often it is wrong."""
    with reporting(OSError, ValueError):
        lines = read_lines(corpus)
        line_filter = LineFilter.build(lines, read_commit(corpus))
        line_filter.save(out)
    wrong = false_positives(line_filter, lines) if lines else 0.0
    size = out.stat().st_size
    typer.echo(f"{len(line_filter):,} lines, {size:,} bytes, false positives {wrong:.3%}")


if __name__ == "__main__":
    app()
