"""The authors that a model knows, and how many poems the corpus of Tang and Song has of each.

The counts are authors.tsv beside this file; training.tables.authors makes it.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple

from model.verse.script import as_simplified
from model.vocabulary import Era


class Author(NamedTuple):
    """An author.

    Args:
        name: In the model's script.
        poems: How many poems of each era the corpus has; empty for one that it does not know.
    """

    name: str
    poems: dict[Era, int]


def find_authors(names: Iterable[str], part: str = "") -> Iterator[Author]:
    """Yield the authors whose name has a part, in either script."""
    counts, wanted = _counts(), as_simplified(part)
    for name in names:
        if wanted in as_simplified(name):
            yield Author(name, counts.get(name, {}))


@cache
def _counts() -> dict[str, dict[Era, int]]:
    file = resources.files("model.poet").joinpath("authors.tsv")
    rows = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return {
        row[0]: {era: int(n) for era, n in zip(Era, row[1:], strict=True) if n != "0"}
        for row in rows
        if not row[0].startswith("#")
    }
