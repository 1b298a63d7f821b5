"""The only way to constrain a sequence: which token may come next, and when it is complete.

V is the size of the vocabulary.
"""

from typing import Protocol, Self, runtime_checkable

from torch import Tensor

from model.verse.cue import Cue
from model.wish import UnmetWish


class NoCharacterFits(UnmetWish):
    """No poem, or no character, meets all that is asked.

    Args:
        line: The line where it fails, counted from 1; 0 if no line is to blame.
        reason: What fails there.
        spot: The given character at fault, its line and character from 0; None if none is.
        field: The wish at fault, by its name in PoemSpec; empty until it is known.
    """

    def __init__(
        self,
        line: int,
        reason: str,
        *,
        spot: tuple[int, int] | None = None,
        field: str = "",
    ) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason, field=field)
        self.line = line
        self.reason = reason
        self.spot = spot


RHYME_WARMTH = 0.7  # times the temperature; docs/sense.md has the measurement


def warmth(cue: int) -> float:
    """Return what the temperature of a draw is multiplied by, given what verse asks of the token.

    A rhyme is drawn colder: among the few characters that rhyme, the unlikely ones are forced.
    """
    return RHYME_WARMTH if cue == Cue.RHYME else 1.0


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

    def vet(self, token: int) -> bool:
        """Return whether a drawn token may come; if not, it is taken out of what is allowed."""

    def advance(self, token: int) -> None:
        """Go on after a token."""


@runtime_checkable
class ForkableGuide(Guide, Protocol):
    """A guide that several particles of a sequence can have a copy of."""

    @property
    def at_break(self) -> bool:
        """Whether the next token ends a part of the verse: particles are resampled before it."""

    def copy(self) -> Self:
        """Return a guide that goes on from here on its own."""


@runtime_checkable
class PairingGuide(Guide, Protocol):
    """A guide that knows which tokens stand opposite each other."""

    @property
    def opposite(self) -> int:
        """The token that the next one stands opposite to; 0 if there is none."""


class Unguided:
    """Allows any token until the sequence ends itself or is long enough.

    Args:
        max_tokens: After how many tokens the sequence is complete.
        eos_id: The token that completes it earlier; None if no token does.
    """

    cue = Cue.FREE

    def __init__(self, max_tokens: int, eos_id: int | None = None) -> None:
        self._left, self._eos_id = max_tokens, eos_id

    @property
    def finished(self) -> bool:
        """Whether <eos> or the last token has come."""
        return self._left == 0

    def allowed(self) -> Tensor | None:
        """Return no mask: any token may come."""
        return None

    def vet(self, token: int) -> bool:  # noqa: ARG002
        """Let every token come."""
        return True

    def advance(self, token: int) -> None:
        """Count a token; <eos> is the last."""
        self._left = 0 if token == self._eos_id else self._left - 1
