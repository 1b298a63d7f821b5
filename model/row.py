"""A row: what one slot of the engine reads for one particle of a sequence."""

from dataclasses import dataclass

from model.packed_model import State
from model.particle import Particle
from model.sequence import Prefix, Prompt


@dataclass(eq=False)
class Row:
    """A prompt, and after it the tokens of a particle.

    The rows of a sequence reach its body in the same step: those that have less to read begin
    later, and are fed nothing of meaning until then.

    Args:
        particle: Whose tokens are read.
        prompt: What is read before them.
        waits: Steps until it begins.
        fed: Tokens of the prompt that the state it begins in has read.
        state: What it begins in; None for zeros, or where there is a source.
        source: The row whose state it begins in, when that has read the same prompt.
        contrast: Of a guided particle's first row, the one that reads without the wishes.
    """

    particle: Particle
    prompt: Prompt
    waits: int = 0
    fed: int = 0
    state: State | None = None
    source: "Row | None" = None
    contrast: "Row | None" = None
    slot: int = -1  # none yet
    started: bool = False

    leads: bool = True  # and not the contrast of another

    @property
    def starts_now(self) -> bool:
        """Whether it begins with the next step."""
        return not self.started and self.waits == 0

    @property
    def next_input(self) -> int:
        """The token that it reads next; 0 while it has none."""
        if not self.started:
            return 0
        if self.fed < self.prompt.steps:
            return self.prompt.prefix[self.fed][0]
        if self.fed == self.prompt.steps:
            return self.prompt.last
        return self.particle.tokens[-1] if self.particle.tokens else 0

    @property
    def draws_next(self) -> bool:
        """Whether what follows the next input is a body token."""
        return self.started and self.fed >= self.prompt.steps and not self.particle.finished

    @property
    def cue(self) -> int:
        """What the verse asks of the token after the next input."""
        if self.started and self.fed < self.prompt.steps:
            return self.prompt.prefix[self.fed][1]
        return self.particle.guide.cue if self.draws_next else 0

    @property
    def prefix(self) -> Prefix:
        """The prompt but for its last token, which is read with the guide's first cue."""
        return self.prompt.prefix

    def go_on(self) -> bool:
        """Count a step; return whether the prefix has now been read, and nothing more."""
        if not self.started:
            self.waits -= 1
            return False
        self.fed += 1
        return self.fed == self.prompt.steps
