"""The judge: judges the poems that callers send."""

import math

from app.answers import CheckedOut
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

    async def proof(self, text: str, caller: str) -> CheckedOut:
        """Return how a poem keeps the rules.

        Raises:
            UnacceptableRequest: If it is no poem.
            TooMuchHeld: If too many that wait are the caller's.
            QueueFull: If too many wait.
        """
        try:
            proof = await self._aside.read(caller, judge, text)
        except ValueError as error:
            raise UnacceptableRequest("text", str(error)) from error
        return CheckedOut(lines=list(proof.lines), **proof.to_dict())
