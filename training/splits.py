"""How poems are divided: poems that share a line stay together, a share of them is held out.

Poems that share a line form a cluster, and a cluster goes to one split as a whole: a line of the
validation or test poems never stands in the training poems. The split follows from the content
alone, not from any order.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from training.corpus_poem import CorpusPoem

SPLITS = ("train", "validation", "test")
HELD_OUT_SHARE = 0.01  # of the poems, for each of validation and test
MIN_SHARED_LINE = 5  # characters of a line that makes two poems one cluster
STOCK_LINE = 40  # a line in more poems than this is a formula: it ties nothing together
MAX_HELD_OUT = 200  # poems of a cluster that may be held out; a larger one is for training

Splits = dict[str, list[CorpusPoem]]


def find_clusters(poems: Sequence[CorpusPoem]) -> list[int]:
    """Return for each poem the number of its cluster: poems tied by shared lines."""
    parents = list(range(len(poems)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    homes: dict[str, list[int]] = {}
    for index, poem in enumerate(poems):
        for line in set(poem.lines):
            if len(line) >= MIN_SHARED_LINE:
                homes.setdefault(line, []).append(index)
    for members in homes.values():
        if len(members) <= STOCK_LINE:
            for member in members[1:]:
                parents[root(member)] = root(members[0])
    return [root(index) for index in range(len(poems))]


def divide(poems: Sequence[CorpusPoem], clusters: Sequence[int]) -> Splits:
    """Return the poems of each split, by the clusters that find_clusters() found."""
    splits: Splits = {name: [] for name in SPLITS}
    for poem, name in zip(poems, _names(poems, clusters), strict=True):
        splits[name].append(poem)
    return splits


def _names(poems: Sequence[CorpusPoem], clusters: Sequence[int]) -> Iterator[str]:
    """Yield each poem's split, drawn by the hash of its cluster's smallest text."""
    keys: dict[int, str] = {}
    for poem, cluster in zip(poems, clusters, strict=True):
        keys[cluster] = min(keys.get(cluster, poem.text), poem.text)
    sizes = Counter(clusters)
    drawn = {
        cluster: uniform(text) if sizes[cluster] <= MAX_HELD_OUT else 1.0
        for cluster, text in keys.items()
    }
    for cluster in clusters:
        if drawn[cluster] < HELD_OUT_SHARE:
            yield "test"
        elif drawn[cluster] < 2 * HELD_OUT_SHARE:
            yield "validation"
        else:
            yield "train"


def uniform(text: str) -> float:
    """Return a number in [0, 1) that follows from text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def drop_leaks(splits: Splits, others: Splits | None = None, least: int = 1) -> int:
    """Drop poems that share a line with another split after all (stock lines).

    Args:
        splits: Those that are held out are dropped, rather than those to train on.
        others: Splits that stay as they are; a poem to train on that shares a line with one held
            out there is dropped too.
        least: Characters of a line that counts.

    Returns:
        How many poems were dropped.
    """
    others = others or {}
    before = sum(map(len, splits.values()))

    def lines(of: Splits, *names: str) -> set[str]:
        poems = (poem for name in names for poem in of.get(name, ()))
        return {line for poem in poems for line in poem.lines if len(line) >= least}

    foreign = lines(others, "validation", "test")
    splits["train"] = [poem for poem in splits["train"] if foreign.isdisjoint(poem.lines)]
    seen = lines(splits, "train") | lines(others, "train")
    for name, other in (("validation", "test"), ("test", "validation")):
        foreign = seen | lines(others, other)
        splits[name] = [poem for poem in splits[name] if foreign.isdisjoint(poem.lines)]
        seen |= lines(splits, name)
    return before - sum(map(len, splits.values()))
