"""A keyword: a word of the corpus, and the part of a theme that it stands for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keyword:
    """A word that the corpus knows.

    Args:
        word: In the model's script, or as it is printed.
        of: The part of the theme that it stands for, as it was written.
    """

    word: str
    of: str
