"""Which characters are mere forms of another: 邉 of 邊, 聼 of 聽; what is printed is that other.

The list of 異体字 that the package ja-itaiji 1.0.2 (MIT License) carries relates more forms than
Unihan and OpenCC do, but also words that differ. Of its pairs one counts if the poems use the two
alike, as training.tables.variants measures it, and they sound the same: in verse, and in Mandarin
unless they are used very much alike. A character that has a simplified form of its own is a word of
its own: 鵷, which is 鹓, is not 鴛.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from model.verse.script import unify
from training.tables.variants import LIKENESS, RARE, Usage

LENIENCE = 0.75  # of the likeness that forms of one character reach: a source relates the two
SURE = 1.15  # likewise, where Mandarin reads them differently or not at all

Families = Mapping[str, set[str]]  # the forms of each character


def read_families(path: Path) -> dict[str, set[str]]:
    """Return the other forms of each character, in the model's script, from ja-itaiji.json.

    Raises:
        ValueError: If the file is not of this kind.
    """
    families: dict[str, set[str]] = defaultdict(set)
    try:
        rows = json.loads(path.read_text(encoding="utf-8")).values()
        members = [{unify(form) for form in row} for row in rows]
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not the list of ja-itaiji") from error
    for family in members:
        for character in family:
            families[character] |= family - {character}
    return dict(families)


def mere_forms(
    families: Families,
    usage: Usage,
    mandarin: Mapping[str, str],
    sounds_alike: Callable[[str, str], bool],
) -> dict[str, str]:
    """Return the character that each is a mere form of, for those that are one.

    Args:
        families: The characters to look at, each with the standard ones that it may be one of.
        usage: How the poems use all of them.
        mandarin: How each is read in Mandarin.
        sounds_alike: Whether the second can stand for the first in verse.
    """
    found = dict[str, str]()
    for character, others in families.items():
        likeness = {
            other: usage.likeness(character, other)
            for other in others
            if usage.counts[character] and usage.counts[other] and sounds_alike(character, other)
        }
        best = max(sorted(likeness), key=likeness.__getitem__, default=None)
        if best is not None and likeness[best] >= _needed(character, best, usage, mandarin):
            found[character] = best
    return found


def _needed(character: str, other: str, usage: Usage, mandarin: Mapping[str, str]) -> float:
    """Return the likeness that the two need to be one."""
    uses = max(RARE, usage.counts[character])
    one = max(likeness for least, likeness in LIKENESS if uses >= least)
    same = character in mandarin and mandarin[character] == mandarin.get(other)
    return one * (LENIENCE if same else SURE)
