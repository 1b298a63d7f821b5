"""The characters that are given, and the spellings that they can be read in.

A written character may stand for several of the model's: 后 for 後 and 后. Which it is, the rules
of verse may tell: where the preferred one fits no plan, another may.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import TypeVar

from model.guide import NoCharacterFits
from model.verse.form import Layout

Item = TypeVar("Item")  # a token, or the tokens that a written character may stand for

Given = Mapping[tuple[int, int], int]  # (line, character), both from 0 -> token
Choices = Mapping[tuple[int, int], tuple[int, ...]]  # (line, character) -> tokens, the best first

MAX_SPELLINGS = 32  # that are tried before a request is refused


def agree(*parts: Choices) -> dict[tuple[int, int], tuple[int, ...]]:
    """Return what several wishes give together: of each place, what all of them allow.

    Raises:
        NoCharacterFits: If two of them give different characters for one place.
    """
    choices: dict[tuple[int, int], tuple[int, ...]] = {}
    for part in parts:
        for place, tokens in part.items():
            common = tuple(token for token in choices.get(place, tokens) if token in tokens)
            if not common:
                line, character = place
                raise NoCharacterFits(
                    line + 1, f"two different characters are given for character {character + 1}"
                )
            choices[place] = common
    return choices


def spellings(
    choices: Choices, sound: Callable[[int], Hashable]
) -> Iterator[dict[tuple[int, int], int]]:
    """Yield the preferred spelling, then those that depart from it in ever more places.

    Args:
        choices: What each place may be.
        sound: What the rules of verse know of a token; of two that sound alike the first is kept.
    """
    preferred = {place: tokens[0] for place, tokens in choices.items()}
    others = [
        (place, token)
        for place, tokens in choices.items()
        for token in {sound(token): token for token in reversed(tokens)}.values()
        if sound(token) != sound(tokens[0])
    ]
    departures = (
        dict(changes)
        for count in range(len(choices) + 1)
        for changes in combinations(others, count)
        if len({place for place, _ in changes}) == count
    )
    for changes in islice(departures, MAX_SPELLINGS):
        yield preferred | changes


def give_lines(
    lines: Sequence[Sequence[Item]], layout: Layout, *, whole: bool = False
) -> dict[tuple[int, int], Item]:
    """Return a poem's first lines as given, the last of them perhaps only begun unless whole.

    Raises:
        NoCharacterFits: If there are too many lines, or one has not the right length.
    """
    for number, line in enumerate(lines, 1):
        if number > layout.num_lines:
            raise NoCharacterFits(number, f"the poem has only {layout.num_lines} lines")
        if len(line) > layout.line_length or (
            (whole or number < len(lines)) and len(line) < layout.line_length
        ):
            raise NoCharacterFits(
                number, f"a line has {layout.line_length} characters, not {len(line)}"
            )
    return {(i, j): token for i, line in enumerate(lines) for j, token in enumerate(line)}


def give_acrostic(tokens: Sequence[Item], layout: Layout) -> dict[tuple[int, int], Item]:
    """Return the first characters of every line, or of the first line of every couplet.

    Raises:
        NoCharacterFits: If their number is neither that of the lines nor that of the couplets.
    """
    lines, couplets = layout.num_lines, layout.num_lines // 2
    if len(tokens) not in (lines, couplets):
        raise NoCharacterFits(
            min(len(tokens), lines) + 1 if len(tokens) < lines else lines,
            f"an acrostic here takes {couplets} characters (one a couplet) or {lines} "
            f"(one a line), not {len(tokens)}",
        )
    step = lines // len(tokens)
    return {(step * index, 0): token for index, token in enumerate(tokens)}
