"""One poem in the making, as the engine sees it: token ids in, token ids out."""

import math
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field

from model.guide import Guide, NoCharacterFits
from model.sampling import SamplingParams


@dataclass(eq=False)
class Sequence:
    """One poem in the making.

    Args:
        header: Token ids from <bos> to <body>.
        guide: Says what may come next, and when the poem is complete.
        params: How tokens are drawn.
    """

    header: SequenceOf[int]
    guide: Guide
    params: SamplingParams
    tokens: list[int] = field(default_factory=list)  # of the body
    log_probabilities: list[float] = field(default_factory=list)  # of tokens, unmasked, in nats
    error: NoCharacterFits | None = None
    fed: int = 0  # tokens that the model has read

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: the poem is complete or has failed."""
        return self.error is not None or self.guide.finished

    @property
    def next_input(self) -> int:
        """The token that the model reads next."""
        return self.header[self.fed] if self.fed < len(self.header) else self.tokens[-1]

    @property
    def draws_next(self) -> bool:
        """Whether what follows the next input is a body token."""
        return self.fed + 1 >= len(self.header)

    @property
    def prefix(self) -> tuple[int, ...]:
        """The header but for its last token, which is read with the guide's first cue."""
        return tuple(self.header[:-1])

    @property
    def bits(self) -> float:
        """Bits of the body under the model, unmasked and at temperature 1."""
        return -sum(self.log_probabilities) / math.log(2)
