"""The judge: judges the poems that callers send."""

import math
from collections.abc import Iterable

from app.answers import CheckedOut, PoemOut
from app.aside import Aside
from app.errors import UnacceptableRequest
from model.verse.judge import judge

CHARACTERS = 16  # that are judged in the time of a slot-step


def cost(text: str) -> int:
    """Return what it costs to judge a text, in slot-steps."""
    return math.ceil(len(text) / CHARACTERS)


class Judge:
    """Judges poems.

    Args:
        aside: Where that is done.
    """

    def __init__(self, aside: Aside) -> None:
        self._aside = aside

    async def proof(self, text: str, caller: str, *, pinyin: bool = False) -> CheckedOut:
        """Return how a poem keeps the rules, perhaps with its pinyin.

        Raises:
            UnacceptableRequest: If it is no poem.
            TooMuchHeld: If too many that wait are the caller's.
            QueueFull: If too many wait.
        """
        try:
            return await self._aside.read(caller, judged, text, pinyin=pinyin)
        except ValueError as error:
            raise UnacceptableRequest("text", str(error)) from error


def judged(text: str, *, pinyin: bool = False) -> CheckedOut:
    """Return the same, now.

    Raises:
        ValueError: If it is no poem.
    """
    proof = judge(text)
    found = CheckedOut(lines=list(proof.lines), **proof.to_dict())
    return found.with_pinyin(proof.lines) if pinyin else found


def spoken(poems: Iterable[PoemOut]) -> list[PoemOut]:
    """Return poems with their pinyin."""
    return [poem.with_pinyin() for poem in poems]
