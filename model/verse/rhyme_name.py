"""The names of rhyme groups: 七陽, 七阳, 七阳韵, 阳韵, and the character 阳 alone."""

from collections.abc import Mapping
from functools import lru_cache

from model.verse.quotation import quoted
from model.verse.rhymes import LEVEL_GROUPS, Rhymes
from model.verse.script import Script, is_han, standard_forms, to_script

EXAMPLES = "a rhyme group of 平水韵 such as 七阳, or one character such as 花"


class UnknownRhyme(ValueError):
    """A name that is neither a group's nor a character's that has a known reading."""

    def __init__(self, name: str) -> None:
        unread = f"the reading of {name.strip()} is not known"
        super().__init__(
            unread if is_han(name.strip()) else f"must be {EXAMPLES}, not {quoted(name)}"
        )


def named_group(name: str, rhymes: Rhymes | None = None) -> str | None:
    """Return the group that has a name, in either script; None if there is none."""
    return _names(Rhymes.load() if rhymes is None else rhymes).get(name.strip())


def groups_asked(name: str, rhymes: Rhymes | None = None) -> frozenset[str]:
    """Return the groups that a poem may rhyme in that is to rhyme so.

    Args:
        name: Of a group, or a character to rhyme with; of a level group's own character that group.
        rhymes: The table; None for the packaged one.

    Raises:
        UnknownRhyme: If it is neither.
    """
    table = Rhymes.load() if rhymes is None else rhymes
    group = named_group(name, table)
    if group is not None:
        return frozenset([group])
    found = [table.groups(form, usual=True) for form in forms_of(name, table)]
    if not found:
        raise UnknownRhyme(name)
    return frozenset().union(*found)


def forms_of(name: str, rhymes: Rhymes) -> tuple[str, ...]:
    """Return the model's characters that one character may stand for, as far as readings go."""
    character = name.strip()
    if not is_han(character):
        return ()
    return tuple(form for form in standard_forms(character) if rhymes.readings(form))


def oblique(groups: frozenset[str]) -> bool:
    """Return whether none of some groups is level."""
    return groups.isdisjoint(LEVEL_GROUPS)


@lru_cache(4)
def _names(rhymes: Rhymes) -> Mapping[str, str]:
    """Return every name of every group."""
    names = dict[str, str]()
    for group in rhymes.all_groups():
        for script in Script:
            printed = to_script(group, script)
            for name in (group, printed):
                names |= {name: group, f"{name}韵": group, f"{name}韻": group}
                names |= {f"{name[-1]}韵": group, f"{name[-1]}韻": group}
    for group in LEVEL_GROUPS:  # an oblique group's character alone is a character
        names |= {to_script(group, script)[-1]: group for script in Script}
    return names
