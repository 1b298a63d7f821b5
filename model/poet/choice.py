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
