"""A way to fill what is open in a poem, and how good it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.poet.given import Spot


@dataclass(frozen=True)
class Way:
    """One way to fill the spots.

    Args:
        lines: The poem with it, in the model's script.
        spots: What is filled.
        log_probability: Of what follows the first spot, in nats.
        title: What the poem is about; None if it is not known.
    """

    lines: Sequence[str]
    spots: Sequence[Spot]
    log_probability: float
    title: str | None


def likelihood(way: Way) -> float:
    """Return how good a way is by the model alone."""
    return way.log_probability
