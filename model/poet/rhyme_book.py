"""The rhyme book: how a character is read, and what rhymes with it, the most used first."""

from dataclasses import dataclass

import numpy as np

from model.poet.lexicon import Lexicon
from model.verse.rhyme_name import UnknownRhyme, forms_of, named_group
from model.verse.rhymes import LEVEL_GROUPS, Reading, Rhymes
from model.verse.script import Script, form_shares, is_han, to_script


@dataclass(frozen=True)
class UsedReading:
    """A reading of a written character.

    Args:
        form: The model's character whose reading it is: 髮 of 发.
        reading: Its tone and group.
        percent: Of the written character's uses in regulated verse.
    """

    form: str
    reading: Reading
    percent: int


@dataclass(frozen=True)
class Group:
    """A rhyme group, printed.

    Args:
        name: Such as 七阳.
        is_level: Whether regulated verse rhymes in it.
        characters: Those that rhyme in it in a usual reading, the most used first.
        neighbours: Groups that a first line may borrow from.
    """

    name: str
    is_level: bool
    characters: str
    neighbours: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """What the book has under a name: a character's readings and groups, or one group alone."""

    character: str | None
    readings: tuple[UsedReading, ...]
    groups: tuple[Group, ...]


class RhymeBook:
    """Looks up how characters rhyme.

    Args:
        lexicon: Whose characters are listed.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon, self._rhymes = lexicon, lexicon.rhymes

    def look_up(self, name: str, script: Script) -> Entry:
        """Return what there is under a name.

        Args:
            name: One character, or a rhyme group, in either script.
            script: What to print groups and characters in.

        Raises:
            UnknownRhyme: If it is neither, or the character's readings are not known.
        """
        name = name.strip()
        if is_han(name):
            readings = self._readings(name)
            groups = dict.fromkeys(each.reading.group for each in readings if each.reading.group)
            if not readings:
                raise UnknownRhyme(name)
            return Entry(name, readings, tuple(self._group(group, script) for group in groups))
        named = named_group(name, self._rhymes)
        if named is None:
            raise UnknownRhyme(name)
        return Entry(None, (), (self._group(named, script),))

    def _readings(self, character: str) -> tuple[UsedReading, ...]:
        """Return the readings of all that a character may stand for, the commonest first."""
        shares = form_shares(character)
        found = [
            UsedReading(form, reading, round(shares.get(form, 1.0) * self._percent(form, reading)))
            for form in forms_of(character, self._rhymes)
            for reading in self._rhymes.readings(form)
        ]
        return tuple(sorted(found, key=lambda each: -each.percent))

    def _percent(self, form: str, reading: Reading) -> int:
        return self._rhymes.percent(form, reading)

    def _group(self, group: str, script: Script) -> Group:
        mask = self._lexicon.by_group.get(group)
        ids = [] if mask is None else np.flatnonzero(mask).tolist()
        characters = [to_script(self._lexicon.character(token), script) for token in ids]
        near = [other for other in LEVEL_GROUPS if Rhymes.are_neighbours(group, other)]
        return Group(
            to_script(group, script),
            group in LEVEL_GROUPS,
            "".join(dict.fromkeys(characters)),
            tuple(to_script(other, script) for other in near if other != group),
        )
