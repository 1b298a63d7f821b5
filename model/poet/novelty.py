"""Keeps a poem's lines from being copies of the corpus's."""

import numpy as np

from model.guide import NoCharacterFits
from model.poet.lexicon import Lexicon, Mask
from model.poet.line_filter import LineFilter


class Novelty:
    """Finds the characters that would complete a line of the corpus.

    Args:
        lexicon: The characters of the vocabulary.
        lines: The corpus's lines; None if copies may come.
        required: Whether to fail rather than write a copy where nothing else fits.
    """

    def __init__(self, lexicon: Lexicon, lines: LineFilter | None, *, required: bool) -> None:
        self._lexicon, self._lines, self._required = lexicon, lines, required

    def is_copy(self, line: str) -> bool:
        """Return whether a line, in the model's script, stands in the corpus."""
        return self._lines is not None and line in self._lines

    def without_copies(self, mask: Mask, written: str, rest: str, number: int) -> Mask:
        """Return a mask without the characters that would complete a line of the corpus.

        Args:
            mask: What else may come, (V,).
            written: What stands in the line already.
            rest: What is given of the line after the character.
            number: Of the line, from 1.

        Raises:
            NoCharacterFits: If none is left, and lines must be new.
        """
        if self._lines is None:
            return mask
        ids = np.flatnonzero(mask)
        copies = self._lines.completions(written, self._lexicon.code_points[ids], rest)
        if not copies.all():
            left = mask.copy()
            left[ids[copies]] = False
            return left
        if self._required:
            reason = f"every line that can follow {written} stands in the corpus"
            raise NoCharacterFits(number, reason, field="novel")
        return mask
