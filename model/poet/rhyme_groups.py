"""The rhyme groups that a poem can rhyme in, by what is given of it and what is wanted."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from model.guide import NoCharacterFits
from model.poet.given import Given
from model.poet.lexicon import Lexicon
from model.verse.form import Layout
from model.verse.rhymes import LEVEL_GROUPS, Rhymes


def rhyme_groups(
    lexicon: Lexicon,
    layout: Layout,
    given: Given,
    rhyme_lines: Sequence[int],
    wanted: frozenset[str],
    *,
    level: bool,
) -> frozenset[str]:
    """Return the groups that the poem can rhyme in, of those wanted if there are any.

    Raises:
        NoCharacterFits: If the given rhymes do not rhyme, or too few characters rhyme with them.
    """
    last = layout.line_length - 1
    ends = {line: given[line, last] for line in rhyme_lines if (line, last) in given}
    needed = len(rhyme_lines) - len(ends)
    taken = set(given.values())
    choices = _wanted_groups(_common_groups(lexicon, ends, last, level=level), wanted)
    if not needed:
        return choices[0]
    for groups in choices:
        counts = lexicon.count_rhymes(groups & lexicon.by_group.keys(), taken)
        # A rhyme that is not given should leave the model a choice of common characters.
        roomy = {
            group
            for group, count in counts.items()
            if count >= needed and lexicon.common_in_group[group] >= 2 * needed + 8
        }
        possible = roomy or {group for group, count in counts.items() if count >= needed}
        if possible:
            return frozenset(possible)
    line = next(line for line in rhyme_lines if line not in ends)
    raise NoCharacterFits(
        line + 1,
        f"too few characters rhyme here (in {'、'.join(sorted(choices[0])) or 'any group'})",
        field="rhyme" if wanted else "",
    )


def _wanted_groups(choices: list[frozenset[str]], wanted: frozenset[str]) -> list[frozenset[str]]:
    """Return what is wanted of each choice of groups, without those that have none of it.

    Raises:
        NoCharacterFits: If none has.
    """
    if not wanted:
        return choices
    found = [choice & wanted for choice in choices if choice & wanted]
    if not found:
        rhymes, others = "、".join(sorted(wanted)), "、".join(sorted(choices[0]))
        reason = f"what is given does not rhyme in {rhymes}, but in {others}"
        raise NoCharacterFits(0, reason, field="rhyme")
    return found


def _common_groups(
    lexicon: Lexicon, ends: Mapping[int, int], last: int, *, level: bool
) -> list[frozenset[str]]:
    """Return the groups that all given rhymes share, every group if none is given.

    After them, if line 1 is given, those that it may borrow from (邻韵): the second choice.

    Args:
        lexicon: The readings.
        ends: The given rhymes by line.
        last: Index of a line's last character.
        level: Whether the rhyme has to be level.

    Raises:
        NoCharacterFits: If there is no such group, or one rhyme comes twice.
    """
    opening, groups = frozenset[str](), frozenset[str]()  # empty until a line is given
    seen = set[int]()
    for line, token in sorted(ends.items()):
        own = _of_level(lexicon.rhymes.groups(lexicon.character(token)), level=level)
        shown = f"{lexicon.character(token)} ({'、'.join(sorted(own)) or 'no level rhyme'})"
        fault = partial(NoCharacterFits, line + 1, spot=(line, last))
        if not seen.isdisjoint(lexicon.lookalikes_of(token)):
            raise fault(f"the rhyme character {shown} comes twice")
        if not own:
            raise fault(f"the line has to rhyme, and ends in {shown}")
        seen.add(token)
        if line == 0:
            opening = own
            continue
        groups = groups & own if groups else own
        if not groups or (opening and not _in_reach(opening, groups)):
            raise fault(f"{shown} does not rhyme with the lines before it")
    if not opening:
        every = lexicon.level_groups if level else frozenset(lexicon.by_group)
        return [groups or every]
    near = _in_reach(opening, groups or frozenset(LEVEL_GROUPS))
    return [choice for choice in (near & opening, near - opening) if choice]


def _in_reach(opening: frozenset[str], groups: frozenset[str]) -> frozenset[str]:
    """Return those of groups that a first line may rhyme with, its own ones or neighbours."""
    return frozenset(
        group
        for group in groups
        if group in opening or any(Rhymes.are_neighbours(own, group) for own in opening)
    )


def _of_level(groups: Iterable[str], *, level: bool) -> frozenset[str]:
    return frozenset(group for group in groups if not level or group in LEVEL_GROUPS)
