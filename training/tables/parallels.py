"""Makes the vectors by which couplets are parallel: model/verse/parallels.bin.

Counted is which characters stand opposite each other in the couplets amid eight lines of the
training poems. A character's vector is its row of the positive pointwise mutual information, in
the D dimensions of its largest eigenvalues; one set from each half of the poems.

    PMI(a, b) = log P(a, b) / (P(a) P'(b)),  P'(b) ~ count(b)^0.75

Sources: PMI as vectors, Levy & Goldberg (2014); the smoothed P', Levy et al. (2015).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from model.replacement import replacing
from model.verse.parallels import EIGHT, MIDDLE, UNIT, Parallels
from training.command import reporting
from training.corpus_poem import CorpusPoem, read_poems
from training.splits import uniform

CHARACTERS = 4000  # the commonest of the couplets
DIMENSIONS = 48
SMOOTHING = 0.75

Couplet = tuple[str, str]
Matrix = NDArray[np.float32]

app = typer.Typer(help=__doc__, add_completion=False)


def middle_couplets(poem: CorpusPoem) -> list[Couplet]:
    """Return the couplets of a poem that are to be parallel; none if it has not eight lines."""
    lines = poem.lines
    if len(lines) != EIGHT or {*map(len, lines)} not in ({5}, {7}):
        return []
    return [(lines[at], lines[at + 1]) for at in MIDDLE]


def count_pairs(couplets: Iterable[Couplet], characters: str) -> Matrix:
    """Return how often two characters stand opposite each other, whichever is above: (C, C)."""
    indices = {character: index for index, character in enumerate(characters)}
    above, below = list[int](), list[int]()
    for odd, even in couplets:
        for a, b in zip(odd, even, strict=True):
            if a in indices and b in indices:
                above.append(indices[a])
                below.append(indices[b])
    counts = np.zeros((len(characters), len(characters)), dtype=np.float32)
    np.add.at(counts, (above, below), 1)
    return counts + counts.T


def find_vectors(counts: Matrix, dimensions: int) -> NDArray[np.int8]:
    """Return a vector of length UNIT, or of zeros, for each character of counts: (C, D)."""
    rows = counts.sum(1)
    context = rows**SMOOTHING / (rows**SMOOTHING).sum()
    expected = rows[:, None] * context[None]
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=counts > 0)
    information = np.maximum(np.log(ratio), 0)
    values, vectors = np.linalg.eigh((information + information.T) / 2)
    largest = np.argsort(-values)[:dimensions]
    scaled = vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0))
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    unit = np.divide(scaled, lengths, out=np.zeros_like(scaled), where=lengths > 1e-6)
    rounded: NDArray[np.int8] = np.rint(UNIT * unit).astype(np.int8)
    return rounded


def find_parallels(
    poems: Iterable[CorpusPoem], size: int = CHARACTERS, dimensions: int = DIMENSIONS
) -> Parallels:
    """Return the table of poems, without quartiles.

    Raises:
        ValueError: If none of the poems has couplets that are to be parallel.
    """
    halves: list[list[Couplet]] = [[], []]
    for poem in poems:
        halves[uniform(poem.text) < 0.5] += middle_couplets(poem)
    counts = Counter(c for half in halves for couplet in half for line in couplet for c in line)
    if not all(halves):
        raise ValueError("expected poems of eight lines in both halves of the poems")
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    characters = "".join(ranked[:size])
    vectors = [find_vectors(count_pairs(half, characters), dimensions) for half in halves]
    leading, judging = (each.tobytes() for each in vectors)
    return Parallels(characters, vectors[0].shape[1], leading, judging, {})


def quartiles(
    table: Parallels, poems: Iterable[CorpusPoem]
) -> Iterator[tuple[int, tuple[float, float, float]]]:
    """Yield for each length of line the quartiles of people's likeness."""
    figures: dict[int, list[float]] = {5: [], 7: []}
    for poem in poems:
        for odd, even in middle_couplets(poem):
            figure = table.couplet(odd, even)
            if figure is not None:
                figures[len(odd)].append(figure)
    for size, found in figures.items():
        if found:
            first, second, third = np.percentile(found, [25, 50, 75]).round(3).tolist()
            yield size, (first, second, third)


def build(train: Iterable[CorpusPoem], people: Sequence[CorpusPoem]) -> Parallels:
    """Return the table of training poems, with the quartiles of other people's."""
    table = find_parallels(train)
    return replace(table, quartiles=dict(quartiles(table, people)))


@app.command()
def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Where the table goes.")] = Path(
        "model/verse/parallels.bin"
    ),
) -> None:
    """Write the table; print its size and people's quartiles."""
    with reporting(OSError, ValueError):
        people = list(read_poems(corpus / "validation.jsonl"))
        table = build(read_poems(corpus / "train.jsonl"), people)
        with replacing(out) as partial:
            partial.write_bytes(table.to_bytes())
    typer.echo(f"{len(table.characters)} characters, {out.stat().st_size:,} bytes")
    for size, found in table.quartiles.items():
        typer.echo(f"people's quartiles, lines of {size}: {', '.join(map(str, found))}")


if __name__ == "__main__":
    app()
