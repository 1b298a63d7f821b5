"""The only way to constrain a sequence: which token may come next, and when it is complete."""

from typing import Protocol

from torch import Tensor

from model.verse.cue import Cue


class NoCharacterFits(ValueError):
    """No poem, or no character, meets all that is asked.

    Args:
        line: The line where it fails, counted from 1; 0 if no line is to blame.
        reason: What fails there.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


class Guide(Protocol):
    """The only way to constrain a sequence."""

    @property
    def finished(self) -> bool:
        """Whether the poem is complete."""

    @property
    def cue(self) -> Cue:
        """What the verse asks of the next token, for the model to hear."""

    def allowed(self) -> Tensor | None:
        """Return the mask (V,) of the tokens that may come, read-only; None if any may come."""

    def admits(self, token: int) -> bool:
        """Return whether a token that was drawn may come; one that may not is allowed no longer."""

    def advance(self, token: int) -> None:
        """Go on behind a token."""
