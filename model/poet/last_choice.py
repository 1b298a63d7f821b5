"""The last choice: which of several complete ways to write a poem is taken.

Each is drawn by its weight times how much more it is like people's poems than like ours, as a
logistic regression tells the two apart (the log of these odds, but for a constant):

    w . x       x the traits: bits and rhyme

What guidance and the leaning to parallels are asked to change is fitted, too, and has no say: it is
not to be taken back. training.tables.choice fits the weights, choice.json beside this file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import isfinite, log
from typing import Self

from model.verse.form import Layout

TRAITS = ("bits", "rhyme")


@dataclass(frozen=True)
class LastChoice:
    """What the traits weigh.

    Args:
        bits: Of a bit per character without the wishes.
        rhyme: Of a bit of the last characters of the even lines, without the wishes.

    Raises:
        ValueError: If a weight is not a finite number.
    """

    bits: float
    rhyme: float

    def __post_init__(self) -> None:
        for name in TRAITS:
            if not isfinite(getattr(self, name)):
                raise ValueError(f"expected a finite weight of {name}, got {getattr(self, name)}")

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> Self:
        """Return what traits weigh by their names.

        Raises:
            ValueError: If they are not exactly the weights of TRAITS.
        """
        if set(weights) != set(TRAITS):
            raise ValueError(f"expected weights of {', '.join(TRAITS)}, got {', '.join(weights)}")
        return cls(**weights)

    @classmethod
    @cache
    def load(cls) -> "LastChoice":
        """Return the packaged weights."""
        text = resources.files("model.poet").joinpath("choice.json").read_text(encoding="utf-8")
        return cls.of(json.loads(text))


class Judge:
    """Judges complete poems of one layout, by their tokens.

    Args:
        choice: What the traits weigh.
        layout: The measure of the poems.
    """

    def __init__(self, choice: LastChoice, layout: Layout) -> None:
        self._choice, self._layout = choice, layout

    def __call__(
        self,
        tokens: Sequence[int],
        _log_probabilities: Sequence[float],
        plain: Sequence[float],
    ) -> float:
        """Return the log of the odds that a poem is a person's, but for a constant.

        Args:
            tokens: Of the poem, marks included; those of one that failed are fewer.
            plain: Their log-probabilities without the wishes, in nats.
        """
        size, layout = self._layout.line_length + 1, self._layout
        if len(tokens) < size * layout.num_lines:
            return 0.0
        ends = [line * size + size - 2 for line in range(1, layout.num_lines, 2)]
        nats = layout.characters * log(2)
        return self._choice.bits * -sum(plain) / nats + self._choice.rhyme * -sum(
            plain[end] for end in ends
        ) / (len(ends) * log(2))
