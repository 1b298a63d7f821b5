"""Whether a reader would find a poem's own title again among others: a scorer of its own.

The scorer knows nothing of the model. It has counted in the training poems which characters stand
in the bodies of poems whose titles hold a character, and asks of each title how much likelier it
makes the characters of a body (naive Bayes, a title's characters mixed evenly).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.verse.script import is_han
from training.corpus_poem import CorpusPoem

PRIOR = 500.0  # characters of the whole corpus that each title character's counts begin with
FEWEST = 20  # characters after which a title's character counts as known

Scores = NDArray[np.float64]  # (poems, titles)


class TitleScorer:
    """Scores bodies against titles.

    Args:
        poems: The training poems.
        titles: The titles that will be scored: only their characters are counted.
    """

    def __init__(self, poems: Iterable[CorpusPoem], titles: Sequence[str]) -> None:
        self._titles = [sorted(set(filter(is_han, title))) for title in titles]
        rows = sorted({c for title in self._titles for c in title})
        self._rows = {character: row for row, character in enumerate(rows)}
        self._columns: dict[str, int] = {}
        counts = self._count(poems)
        total = counts[-1] + 1e-9
        self._background = total / total.sum()  # (V,)
        given = counts[:-1] + PRIOR * self._background
        self._given = given / given.sum(1, keepdims=True)  # (title characters, V)
        self._known = counts[:-1].sum(1) >= FEWEST

    def _count(self, poems: Iterable[CorpusPoem]) -> NDArray[np.float64]:
        """Return counts of body characters by title character; all of them in the last row."""
        counts = np.zeros((len(self._rows) + 1, 1 << 14))
        for poem in poems:
            body = [self._column(c) for c in set(poem.text) if is_han(c)]
            counts[-1, body] += 1
            for character in self._rows.keys() & set(poem.title):
                counts[self._rows[character], body] += 1
        return counts[:, : len(self._columns)]

    def _column(self, character: str) -> int:
        return self._columns.setdefault(character, len(self._columns))

    def scores(self, bodies: Sequence[str]) -> Scores:
        """Return log2 of how much likelier each title makes the characters of each body."""
        found = np.zeros((len(bodies), len(self._background)))
        for row, body in enumerate(bodies):
            found[row, [self._columns[c] for c in set(body) if c in self._columns]] = 1
        lifts = [np.log2(self._mixture(title) / self._background) for title in self._titles]
        scores: Scores = found @ np.array(lifts).T
        return scores

    def _mixture(self, title: Sequence[str]) -> NDArray[np.float64]:
        rows = [self._rows[c] for c in title if self._known[self._rows[c]]]
        mixture: NDArray[np.float64] = self._given[rows].mean(0) if rows else self._background
        return mixture


def found_among(scores: Scores, own: Sequence[int], rank: int, groups: int, seed: int = 0) -> float:
    """Return the share of poems whose own title is among the best.

    Args:
        scores: Of all titles.
        own: Each poem's own title.
        rank: How far down the own title may be: 1 is the first.
        groups: How many titles there are to choose from, the own one and others drawn by seed.
    """
    rng, hits = np.random.default_rng(seed), 0
    for row, title in zip(scores, own, strict=True):
        others = rng.permutation(np.delete(np.arange(len(row)), title))[: groups - 1]
        hits += int((row[others] >= row[title]).sum() < rank)
    return hits / len(own)


@dataclass(frozen=True)
class Found:
    """How often a poem's own title is found again; shares are in [0, 1].

    Args:
        first_of_20: It is the first of 20 titles.
        first: It is the first of 100, or of all where they are fewer.
        in_ten: It is among the first ten of these.
        character: A character of the title stands in the poem.
        opening: The poem begins with a character of the title.
    """

    first_of_20: float
    first: float
    in_ten: float
    character: float
    opening: float


def find_titles(scorer: TitleScorer, titles: Sequence[str], bodies: Sequence[str]) -> Found:
    """Return how often the title of each body, at the same index, is found among all."""
    scores, own = scorer.scores(bodies), range(len(titles))
    pairs = list(zip(titles, bodies, strict=True))
    return Found(
        first_of_20=float(np.mean([found_among(scores, own, 1, 20, seed) for seed in range(5)])),
        first=found_among(scores, own, 1, min(100, len(titles))),
        in_ten=found_among(scores, own, 10, min(100, len(titles))),
        character=float(np.mean([any(c in body for c in title) for title, body in pairs])),
        opening=float(np.mean([body[0] in title for title, body in pairs])),
    )
