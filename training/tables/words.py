"""Makes the list of the words that the corpus knows: model/poet/words.bin.

Known are the characters that stand in the training poems 100 times at least, and the pairs of
neighbours in a line, or in a title, that belong together: that come oftener than chance would have
them by a factor of e^2 in lines and e^1.5 in titles.

What a word says of the poem below it is measured where it stands in a title, the divergence of the
characters q of these poems from those p of all, both smoothed towards p:

    D(q || p) = sum q log q / p

Source: the divergence, Kullback & Leibler (1951).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import log
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from model.poet.words import Word, Words
from model.replacement import replacing
from model.verse.script import is_han, unify
from training.command import reporting
from training.corpus_poem import CorpusPoem, read_poems

LEAST_CHARACTER, LEAST_PAIR, LEAST_IN_TITLES = 100, 40, 30
COHESION, COHESION_IN_TITLES = 2.0, 1.5  # of a pair's characters, in nats
CHARACTERS = 4500  # the commonest, that poems are compared by
SMOOTHING = 2000.0  # characters of poems at large, added to those below a word
MAX_LINES = 16  # of a poem that is read for what its title says

app = typer.Typer(help=__doc__, add_completion=False)

Counts = NDArray[np.float64]


def pairs_of(text: str) -> list[str]:
    """Return the pairs of neighbours in a text."""
    return [text[at : at + 2] for at in range(len(text) - 1)]


def title_of(poem: CorpusPoem) -> str:
    """Return the characters of a poem's title, in the model's script."""
    return unify("".join(filter(is_han, poem.title)))


def cohesive(
    pairs: Counter[str], characters: Counter[str], least: int, cohesion: float
) -> set[str]:
    """Return the pairs that come often enough, and oftener than chance by e^cohesion."""
    every, of_pairs = characters.total(), pairs.total()
    return {
        pair
        for pair, count in pairs.items()
        if count >= least
        and log(count / of_pairs * every**2 / (characters[pair[0]] * characters[pair[1]]))
        > cohesion
    }


def find_words(poems: Sequence[CorpusPoem], scale: float = 1.0) -> Words:
    """Return the words of poems.

    Args:
        poems: Those to read.
        scale: Times the counts that a word needs: less for a small corpus.
    """
    characters, pairs = Counter[str](), Counter[str]()
    in_titles, pairs_in_titles = Counter[str](), Counter[str]()
    for poem in poems:
        for line in poem.lines:
            characters.update(line)
            pairs.update(pairs_of(line))
        in_titles.update({*title_of(poem)})
        pairs_in_titles.update({*pairs_of(title_of(poem))})
    known = {c for c, count in characters.items() if count >= scale * LEAST_CHARACTER and is_han(c)}
    chosen = cohesive(pairs, characters, int(scale * LEAST_PAIR), COHESION) | cohesive(
        pairs_in_titles, in_titles, int(scale * LEAST_IN_TITLES), COHESION_IN_TITLES
    )
    chosen = {pair for pair in chosen if known.issuperset(pair)}
    counts = {
        word: max(1, (pairs if len(word) == 2 else characters)[word]) for word in known | chosen
    }
    says = sense_of_words(poems, counts.keys(), characters)
    return Words({word: Word(count, says[word]) for word, count in counts.items()})


def sense_of_words(
    poems: Iterable[CorpusPoem], words: Iterable[str], characters: Counter[str]
) -> dict[str, float]:
    """Return how much each word in a title says of the poem below it, in nats."""
    rows = {word: number for number, word in enumerate(words)}
    columns = {c: number for number, (c, _) in enumerate(characters.most_common(CHARACTERS))}
    counts = np.zeros((len(rows), len(columns)))
    for poem in poems:
        title = title_of(poem)
        own = {rows[word] for word in (*title, *pairs_of(title)) if word in rows}
        if own and len(poem.lines) <= MAX_LINES:
            known = [columns[c] for line in poem.lines for c in line if c in columns]
            found = np.array(known, dtype=np.int64)
            np.add.at(counts, (np.repeat([*own], len(found)), np.tile(found, len(own))), 1)
    every = np.array([characters[c] for c in columns], dtype=np.float64)
    says = divergences(counts, every / every.sum())
    return {word: float(says[number]) for word, number in rows.items()}


def divergences(counts: Counts, p: Counts) -> Counts:
    """Return the divergence of each row of counts (N, C) from p (C,), in nats: (N,)."""
    total = counts.sum(1, keepdims=True)
    q = (counts + SMOOTHING * p) / (total + SMOOTHING)
    found: Counts = (q * np.log(q / p)).sum(1)
    return found


@app.command()
def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Where the words go.")] = Path("model/poet/words.bin"),
) -> None:
    """Write the words; print how many there are."""
    with reporting(OSError, ValueError):
        words = find_words(list(read_poems(corpus / "train.jsonl")))
        with replacing(out) as partial:
            partial.write_bytes(words.to_bytes())
    typer.echo(f"{len(words):,} words, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    app()
