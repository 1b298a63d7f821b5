"""What a caller chooses of the verse: its rhyme, and the tone pattern of its first line."""

from dataclasses import dataclass

from model.guide import NoCharacterFits
from model.poet.poem import Meter
from model.verse.pattern_name import Pattern
from model.verse.rhymes import LEVEL_GROUPS


@dataclass(frozen=True)
class Choice:
    """What a caller chose of the verse.

    Args:
        groups: The rhyme groups that it may rhyme in; empty for any.
        pattern: How line 1 runs; None for any way.
    """

    groups: frozenset[str] = frozenset()
    pattern: Pattern | None = None


ANY_CHOICE = Choice()


def require_choice(meter: Meter, choice: Choice) -> None:
    """See that a meter leaves what was chosen to choose.

    Raises:
        NoCharacterFits: If it does not.
    """
    if choice.pattern is not None and meter is not Meter.STRICT:
        reason = f"only verse of meter strict has a tone pattern, and this is {meter}"
        raise NoCharacterFits(0, reason, field="pattern")
    if choice.groups and meter is Meter.FREE:
        raise NoCharacterFits(0, "verse of meter free does not rhyme", field="rhyme")
    if choice.groups and meter is Meter.STRICT and choice.groups.isdisjoint(LEVEL_GROUPS):
        names = "、".join(sorted(choice.groups))
        reason = f"regulated verse rhymes in a level group, and {names} is oblique; try meter rhyme"
        raise NoCharacterFits(0, reason, field="rhyme")


def require_none_in_ci(choice: Choice) -> None:
    """See that nothing was chosen of a ci, which runs and rhymes as its tune does.

    Raises:
        NoCharacterFits: If something was.
    """
    if choice.pattern is not None:
        reason = "a ci runs as its tune does; a tone pattern is for jueju and lushi"
        raise NoCharacterFits(0, reason, field="pattern")
    if choice.groups:
        reason = "a ci rhymes in a part of 词林正韵; a group of 平水韵 is for the forms of shi"
        raise NoCharacterFits(0, reason, field="rhyme")
