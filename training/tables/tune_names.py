"""What is typed of the tunes: tune_names.tsv beside this file, whose head names its sources."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from model.verse.script import unify

NAMES = Path(__file__).with_name("tune_names.tsv")


class Name(NamedTuple):
    """What is typed of a tune.

    Args:
        name: In the model's script.
        pinyin: Without tones and spaces.
        others: Other names.
        breaks: Where stanzas end, by a variant's characters.
    """

    name: str
    pinyin: str
    others: tuple[str, ...]
    breaks: Mapping[int, tuple[int, ...]]


def read_names(path: Path = NAMES) -> dict[str, Name]:
    """Return what is typed of each tune.

    Raises:
        ValueError: If a line is not of this kind, or a name or a spelling comes twice.
    """
    names = dict[str, Name]()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 4 or not fields[1].isascii() or not fields[1].isalpha():
            raise ValueError(f"expected name, pinyin, other names and breaks, got {line!r}")
        name, pinyin, others, breaks = fields
        ends = (each.split(":") for each in breaks.split())
        found = Name(
            unify(name),
            pinyin,
            tuple(map(unify, others.split())),
            {int(size): tuple(map(int, at.split(","))) for size, at in ends},
        )
        if found.name in names or pinyin in {other.pinyin for other in names.values()}:
            raise ValueError(f"{name} ({pinyin}) comes twice")
        names[found.name] = found
    return names
