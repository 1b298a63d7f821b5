"""A particle: one way to write a sequence, and how much of the model's probability it keeps.

A mask at each step does not draw from the model given the verse: it lets a line run to where no
good rhyme is left. What corrects it is the share of probability that each mask lets through: the
particles of a sequence weigh the product of these shares, and are drawn anew by it.

Sources: sequential Monte Carlo for constrained generation, Lew et al. (2023), Zhao et al. (2024).
"""

from dataclasses import dataclass, field
from math import inf
from typing import cast

from model.guide import ForkableGuide, Guide, NoCharacterFits, warmth
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
        plain: The same without the wishes that guidance is about.
        log_weight: Log of the probability that its masks let through since the last resampling.
        error: Why it cannot go on.
    """

    sequence: Sequence
    guide: Guide
    params: SamplingParams
    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    log_weight: float = 0.0
    error: NoCharacterFits | None = None

    @property
    def finished(self) -> bool:
        """Whether it is complete or has failed."""
        return self.error is not None or self.guide.finished

    @property
    def at_break(self) -> bool:
        """Whether its next token ends a part of the verse."""
        return not self.finished and cast("ForkableGuide", self.guide).at_break

    @property
    def guidance(self) -> float:
        """How strongly the wishes steer its next token."""
        return self.sequence.guidance_at(len(self.tokens))

    @property
    def draws_colder(self) -> bool:
        """Whether its next token is drawn colder than others."""
        return warmth(self.guide.cue) < 1

    @property
    def temperature(self) -> float:
        """That of its next token."""
        return self.params.temperature * warmth(self.guide.cue)

    def vet(self, token: int) -> bool:
        """Return whether it takes a drawn token; one that has failed takes any."""
        try:
            return self.error is not None or self.guide.vet(token)
        except NoCharacterFits as error:
            self.fail(error)
            return True

    def take(self, token: int, log_probability: float, plain: float) -> None:
        """Go on after a token.

        Args:
            token: What was drawn.
            log_probability: Its own, unmasked and unguided, in nats.
            plain: The same without the wishes.
        """
        self.tokens.append(token)
        self.log_probabilities.append(log_probability)
        self.plain.append(plain)
        self.guide.advance(token)

    def fail(self, error: NoCharacterFits) -> None:
        """End it: nothing fits."""
        self.error = self.error or error
        self.log_weight = -inf

    def become(self, other: "Particle") -> None:
        """Go on from where another particle is, with draws of its own."""
        self.guide, self.error = cast("ForkableGuide", other.guide).copy(), other.error
        self.tokens, self.plain = [*other.tokens], [*other.plain]
        self.log_probabilities = [*other.log_probabilities]
