"""Makes the filter of the corpus's lines that is served beside the checkpoint."""

import random
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from model.line_filter import LineFilter
from training.corpus import SPLITS, read_poems

MADE_UP = 100_000  # lines that measure how often the filter is wrong


def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Where the filter goes.")] = Path("model/lines.bin"),
) -> None:
    """Write the filter, and print how large it is and how often it is wrong."""
    poems = (poem for split in SPLITS for poem in read_poems(corpus / f"{split}.jsonl"))
    lines = {line for poem in poems for line in poem.lines}
    filter_ = LineFilter.build(lines)
    filter_.save(out)
    chance = random.Random(0)
    common = [c for c, _ in Counter("".join(sorted(lines)[::10])).most_common(2000)]
    made_up = {"".join(chance.choices(common, k=chance.choice((5, 7)))) for _ in range(MADE_UP)}
    made_up -= lines
    wrong = sum(line in filter_ for line in made_up) / len(made_up)
    typer.echo(f"{len(filter_)} lines, {out.stat().st_size} bytes, wrong for {wrong:.3%}")


if __name__ == "__main__":
    typer.run(main)
