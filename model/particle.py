"""A particle: one way to write a sequence, and how much of the model's probability it keeps.

A mask at each step does not draw from the model given the verse: it lets a line run to where no
good rhyme is left. What corrects it is the share of probability that each mask lets through: the
particles of a sequence weigh the product of these shares, and are drawn anew by it.

Sources: sequential Monte Carlo for constrained generation, Lew et al. (2023), Zhao et al. (2024).
"""

from dataclasses import dataclass, field
from math import inf
from typing import cast

from model.guide import ForkableGuide, Guide, NoCharacterFits
from model.sampling import SamplingParams
from model.sequence import Sequence


@dataclass(eq=False)
class Particle:
    """One way to write a sequence.

    Args:
        sequence: What it writes.
        guide: Its own; a ForkableGuide where there are several particles (see Sequence).
        params: How it draws; each particle has a seed of its own.
        tokens: Of the body.
        log_probabilities: Of tokens, unmasked and unguided, in nats.
        log_weight: Log of the probability that its masks let through since the last resampling.
        error: Why it cannot go on.
    """

    sequence: Sequence
    guide: Guide
    params: SamplingParams
    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    log_weight: float = 0.0
    error: NoCharacterFits | None = None

    @property
    def finished(self) -> bool:
        """Whether it is complete or has failed."""
        return self.error is not None or self.guide.finished

    @property
    def rests(self) -> bool:
        """Whether it waits for the others: a part of the verse has ended, or all of it."""
        return self.finished or cast("ForkableGuide", self.guide).at_break

    @property
    def guidance(self) -> float:
        """How strongly the wishes steer its next token."""
        return self.sequence.guidance_at(len(self.tokens))

    def vet(self, token: int) -> bool:
        """Return whether it takes a drawn token; one that has failed takes any."""
        try:
            return self.error is not None or self.guide.vet(token)
        except NoCharacterFits as error:
            self.fail(error)
            return True

    def take(self, token: int, log_probability: float, log_share: float) -> None:
        """Go on after a token.

        Args:
            token: What was drawn.
            log_probability: Its own, unmasked and unguided, in nats.
            log_share: Log of the probability that its mask let through.
        """
        self.log_weight += log_share
        self.tokens.append(token)
        self.log_probabilities.append(log_probability)
        self.guide.advance(token)

    def fail(self, error: NoCharacterFits) -> None:
        """End it: nothing fits."""
        self.error = self.error or error
        self.log_weight = -inf

    def become(self, other: "Particle") -> None:
        """Go on from where another particle is, with draws of its own."""
        self.guide, self.error = cast("ForkableGuide", other.guide).copy(), other.error
        self.tokens, self.log_probabilities = [*other.tokens], [*other.log_probabilities]
