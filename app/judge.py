"""The judge: judges the poems that callers send, only so many at a time, in turns."""

import math
from collections import Counter

from app.answers import MeterOut
from app.aside import Aside
from app.errors import QueueFull, TooMuchHeld, UnacceptableRequest
from app.metrics import Metrics
from model.verse.proof import check

MOST, MOST_OF_ONE = 64, 8  # poems that wait to be judged or are: in all, of one caller
CHARACTERS = 16  # that are judged in the time of a slot-step


def cost(text: str) -> int:
    """Return what it costs to judge a text, in slot-steps."""
    return math.ceil(len(text) / CHARACTERS)


class Judge:
    """Judges poems.

    Args:
        aside: Where that is done.
        metrics: What is counted.
    """

    def __init__(self, aside: Aside, metrics: Metrics) -> None:
        self._aside, self._metrics = aside, metrics
        self._taken = Counter[str]()  # that wait or are judged, by caller

    async def proof(self, text: str, caller: str) -> MeterOut:
        """Return how a poem keeps the rules.

        Raises:
            UnacceptableRequest: If it is no poem.
            TooMuchHeld: If too many that wait are the caller's.
            QueueFull: If too many wait.
        """
        self._require_place(caller)
        self._taken[caller] += 1
        try:
            proof = await self._aside.call(caller, check, text)
        except ValueError as error:
            raise UnacceptableRequest("text", str(error)) from error
        finally:
            self._taken[caller] -= 1
            self._taken += Counter()  # drops whoever has none
        return MeterOut.model_validate(proof.to_dict())

    def _require_place(self, caller: str) -> None:
        own, everybody_s = self._taken[caller], self._taken.total()
        if own >= MOST_OF_ONE:
            self._metrics.shed.labels("held").inc()
            message = f"{own} of your poems are waiting to be judged; try again in 1 s"
            raise TooMuchHeld(message, retry_after_s=1)
        if everybody_s >= MOST:
            self._metrics.shed.labels("queue").inc()
            message = f"{everybody_s} poems are waiting to be judged; try again in 1 s"
            raise QueueFull(message, retry_after_s=1)
