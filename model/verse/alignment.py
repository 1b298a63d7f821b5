"""Puts the pieces of a ci, which is cut at pauses too, together to lines of given lengths."""

from collections.abc import Sequence
from itertools import accumulate

MOST_PIECES = 4  # of a line
OTHER_LENGTH = 10  # is what a line of another length costs, in characters too many or too few
BEYOND = 6  # is what a piece after the last line costs


def aligned(pieces: Sequence[str], lengths: Sequence[int]) -> tuple[str, ...]:
    """Return the lines of a text that has too few or too many characters for some lengths.

    Each line has one piece or more, and as few lines as possible have another length than they
    should: 载不动 and 许多愁 are one line where five characters should be. Pieces beyond the last
    line are lines of their own.

    Args:
        pieces: What stands between marks of any kind.
        lengths: Characters of each line.
    """
    ends = [0, *accumulate(map(len, pieces))]
    # The least cost of the first lines and pieces, and how many pieces the last of them has.
    found: list[dict[int, tuple[int, int]]] = [{0: (0, 0)}]
    for length in lengths[: len(pieces)]:
        nexts = dict[int, tuple[int, int]]()
        for at, (cost, _) in found[-1].items():
            for end in range(at + 1, min(at + MOST_PIECES, len(pieces)) + 1):
                amiss = abs(ends[end] - ends[at] - length)
                whole = cost + amiss + OTHER_LENGTH * (amiss > 0)
                nexts[end] = min(nexts.get(end, (whole, end - at)), (whole, end - at))
        found.append(nexts)
    end = min(found[-1], key=lambda at: found[-1][at][0] + BEYOND * (len(pieces) - at))
    lines = list(pieces[end:])
    for choices in reversed(found[1:]):
        size = choices[end][1]
        lines.insert(0, "".join(pieces[end - size : end]))
        end -= size
    return tuple(lines)
