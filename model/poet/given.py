"""The characters that are given, and the spellings that they can be read in.

A written character may stand for several of the model's: 后 for 後 and 后. Which it is, the rules
of verse may decide: where the preferred one fits no plan, another may.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TypeVar

from model.guide import NoCharacterFits
from model.verse.form import Measure

Item = TypeVar("Item")  # a token, or the tokens that a written character may stand for

Spot = tuple[int, int]  # line and character, both from 0
Given = Mapping[Spot, int]  # the token at each spot
Readings = Mapping[Spot, tuple[int, ...]]  # the tokens that each spot may take, the best first

MAX_SPELLINGS = 32  # that are tried before a request is refused


@dataclass(frozen=True)
class Choices:
    """What a request fixes of a poem.

    Args:
        readings: The tokens that each given spot may take, the best first.
        fields: The wish that fixes each, by its name in PoemSpec; of several the first.
    """

    readings: Readings
    fields: Mapping[Spot, str]

    @classmethod
    def of(cls, **wishes: Readings) -> "Choices":
        """Return what several wishes give together: at each spot, what all of them allow.

        Raises:
            NoCharacterFits: If two of them give different characters for one spot.
        """
        readings: dict[Spot, tuple[int, ...]] = {}
        fields: dict[Spot, str] = {}
        for field, wish in wishes.items():
            for spot, tokens in wish.items():
                common = tuple(token for token in readings.get(spot, tokens) if token in tokens)
                if not common:
                    reason = (
                        f"two different characters are given for character {spot[1] + 1}: "
                        f"{fields[spot]} and {field} must agree"
                    )
                    raise NoCharacterFits(spot[0] + 1, reason, spot=spot, field=field)
                readings[spot] = common
                fields.setdefault(spot, field)
        return cls(readings, fields)


def spellings(readings: Readings, sound: Callable[[int], Hashable]) -> Iterator[dict[Spot, int]]:
    """Yield the preferred spelling, then those that depart from it at ever more spots.

    Args:
        readings: What each spot may be.
        sound: What the rules of verse know of a token; of two that sound alike the first is kept.
    """
    preferred = {spot: tokens[0] for spot, tokens in readings.items()}
    others = [
        (spot, token)
        for spot, tokens in readings.items()
        for token in {sound(token): token for token in reversed(tokens)}.values()
        if sound(token) != sound(tokens[0])
    ]
    departures = (
        dict(changes)
        for count in range(len(readings) + 1)
        for changes in combinations(others, count)
        if len({spot for spot, _ in changes}) == count
    )
    for changes in islice(departures, MAX_SPELLINGS):
        yield preferred | changes


def give_start(line: Sequence[Item], layout: Measure) -> dict[Spot, Item]:
    """Return a poem's first characters as given, at most a line of them.

    Raises:
        NoCharacterFits: If there are more.
    """
    if len(line) > layout.lengths[0]:
        raise _wrong_length(1, len(line), layout, field="start")
    return {(0, character): item for character, item in enumerate(line)}


def give_opening(lines: Sequence[Sequence[Item]], layout: Measure) -> dict[Spot, Item]:
    """Return a poem's first lines as given, each of them whole.

    Raises:
        NoCharacterFits: If they leave no line to write, or one has not the right length.
    """
    for number, line in enumerate(lines[: layout.num_lines], 1):
        if len(line) != layout.lengths[number - 1]:
            raise _wrong_length(number, len(line), layout, field="opening")
    if len(lines) >= layout.num_lines:
        reason = (
            f"the poem has {layout.num_lines} lines, and the {len(lines)} given leave none to "
            f"write: give {layout.num_lines - 1} at most, or ask for a longer form"
        )
        raise NoCharacterFits(0, reason, field="opening")
    return {(i, j): item for i, line in enumerate(lines) for j, item in enumerate(line)}


def give_acrostic(items: Sequence[Item], layout: Measure) -> dict[Spot, Item]:
    """Return the first characters of every line, or of the first line of every couplet or sentence.

    Raises:
        NoCharacterFits: If their number is neither that of the lines nor that of these.
    """
    lines, heads = layout.num_lines, layout.heads
    if len(items) not in (lines, len(heads)):
        raise NoCharacterFits(
            0,
            f"an acrostic here takes {len(heads)} characters (one a {layout.unit}) or {lines} "
            f"(one a line), not {len(items)}",
            field="acrostic",
        )
    begun = range(lines) if len(items) == lines else heads
    return {(line, 0): item for line, item in zip(begun, items, strict=True)}


def _wrong_length(number: int, length: int, layout: Measure, *, field: str) -> NoCharacterFits:
    reason = f"a line has {layout.lengths[number - 1]} characters, not {length}"
    if len(set(layout.lengths)) > 1:
        reason = f"this {reason.removeprefix('a ')}"
    return NoCharacterFits(number, reason, field=field)
