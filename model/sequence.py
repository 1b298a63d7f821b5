"""One poem in the making, as the engine sees it: token ids in, token ids out.

A sequence may be written by several particles at once, of which one is printed, and against a
second header that leaves its wishes out: what the wishes change is then strengthened.

    l = l_0 + g (l_w - l_0)       the logits that are drawn from: l_w with the wishes, l_0 without

What tokens lean to that stand opposite to others is added to that (model.pairing).

Sources: guidance without a classifier, Ho & Salimans (2022), for language models Sanchez et al.
(2023); particles, Lew et al. (2023).
"""

import math
from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from model.guide import ForkableGuide, Guide, NoCharacterFits, PairingGuide
from model.sampling import SamplingParams

Prefix = tuple[tuple[int, int], ...]  # tokens, each with the cue of the one after it
Judge = Callable[[SequenceOf[int], SequenceOf[float], SequenceOf[float]], float]

FIRST_GUIDANCE = 2.0  # at most, of the first token: else every fourth poem begins with its title


class Prompt(NamedTuple):
    """What is read before the first token is drawn.

    Args:
        prefix: All of it but for the last token.
        last: That token, which is read with the guide's first cue.
    """

    prefix: Prefix
    last: int

    @classmethod
    def of(cls, header: SequenceOf[int], body: SequenceOf[tuple[int, int]]) -> Self:
        """Return a header and a body in a row."""
        tokens = [*header, *(token for token, _ in body)]
        cues = [0] * (len(header) - 1) + [cue for _, cue in body]
        return cls(tuple(zip(tokens[:-1], cues, strict=True)), tokens[-1])

    @property
    def steps(self) -> int:
        """How many steps it takes to read the prefix."""
        return len(self.prefix)


@dataclass(eq=False)
class Sequence:
    """One poem in the making.

    Args:
        header: Token ids from <bos> to <body>.
        guide: Says what may come next, and when the poem is complete.
        params: How tokens are drawn.
        contrast: The header without the wishes; none for no guidance.
        guidance: How strongly the wishes steer: g; 1 draws as the model does.
        num_particles: K, how many ways to write it go on at once.
        judge: The log of how much rather one complete way to write it is taken than another, by its
            tokens and their log-probabilities, with the wishes and without; None for all the same.
        pairing: How strongly a token leans to the one that it stands opposite to.
        body: What of it is written already, tokens with the cue that each was written under; it is
            read after the headers, and tokens go on from there.
        num_ranked: How many of the likeliest first tokens are kept in ranked.

    Raises:
        ValueError: If num_particles is below 1.
        TypeError: If there are several particles and the guide cannot be copied, or tokens are
            paired and it does not say which stand opposite each other.
    """

    header: SequenceOf[int]
    guide: Guide
    params: SamplingParams
    contrast: SequenceOf[int] = ()
    guidance: float = 1.0
    num_particles: int = 1
    judge: Judge | None = None
    pairing: float = 0.0
    body: SequenceOf[tuple[int, int]] = ()
    num_ranked: int = 0
    ranked: list[tuple[int, float]] = field(default_factory=list)  # with log-probabilities, in nats
    tokens: list[int] = field(default_factory=list)  # of the body, those that all particles share
    log_probabilities: list[float] = field(default_factory=list)  # of tokens, unmasked, in nats
    error: NoCharacterFits | None = None
    finished: bool = False  # whether nothing more will come: the poem is complete or has failed

    def __post_init__(self) -> None:
        if self.num_particles < 1:
            raise ValueError(f"num_particles must be at least 1, got {self.num_particles}")
        if self.num_particles > 1 and not isinstance(self.guide, ForkableGuide):
            raise TypeError(f"{type(self.guide).__name__} cannot be copied for several particles")
        if self.pairing and not isinstance(self.guide, PairingGuide):
            raise TypeError(f"{type(self.guide).__name__} knows of no opposites to pair")
        self.finished = self.guide.finished

    @property
    def headers(self) -> tuple[SequenceOf[int], ...]:
        """What each particle is read after: its header, and the contrast if there is one."""
        return (self.header, self.contrast) if self.contrast else (self.header,)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The same with the cues, and the body that is written already."""
        return tuple(Prompt.of(header, self.body) for header in self.headers)

    @property
    def num_slots(self) -> int:
        """How many slots it takes."""
        return self.num_particles * len(self.headers)

    @property
    def bits(self) -> float:
        """Bits of the body under the model, unguided, unmasked and at temperature 1."""
        return -sum(self.log_probabilities) / math.log(2)

    def guidance_at(self, position: int) -> float:
        """Return g for the token at a position of the body."""
        return min(self.guidance, FIRST_GUIDANCE) if position == 0 else self.guidance
