"""The forms of classical verse: how many lines, and how many characters a line has."""

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Protocol, Self

from model.verse.quotation import quoted

MIN_LENGTH, MAX_LENGTH = 10, 200  # Han characters of a poem that can be asked for

GENRES = {
    **dict.fromkeys(("绝句", "絕句", "jueju"), "绝"),
    **dict.fromkeys(("律诗", "律詩", "lushi"), "律"),
    **dict.fromkeys(("古诗", "古詩", "古体", "古體", "古风", "古風", "gushi"), "古"),
}


class Form(StrEnum):
    """A verse form; the value is its Chinese name.

    The quatrains 絕句 and the eight-line poems 律詩 have a fixed length; 古詩 is any other number
    of equal lines.
    """

    WUJUE = "五绝"
    QIJUE = "七绝"
    WULV = "五律"
    QILV = "七律"
    WUGU = "五古"
    QIGU = "七古"

    @property
    def code(self) -> str:
        """The name in the JSON contract, jueju-5 for 五绝."""
        genre = {"绝": "jueju", "律": "lushi", "古": "gushi"}[self.value[1]]
        return f"{genre}-{self.line_length}"

    @property
    def line_length(self) -> int:
        """Characters a line."""
        return {"五": 5, "七": 7}[self.value[0]]

    @property
    def num_lines(self) -> int | None:
        """Lines of a poem; None where the form leaves it open."""
        return {"绝": 4, "律": 8, "古": None}[self.value[1]]

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the form called name: its code or its Chinese name, in either script.

        Raises:
            ValueError: If there is no such form; the message names those there are, or those of
                the genre that it names.
        """
        for form in cls:
            if name in (form.code, form.value, form.value.replace("绝", "絕")):
                return form
        meant = " or ".join(f"{form.code} ({form.value})" for form in cls.of_genre(name))
        if meant:
            raise ValueError(f"{name!r} leaves the length of its lines open: ask for {meant}")
        known = ", ".join(f"{form.code} ({form.value})" for form in cls)
        raise ValueError(f"no form is called {quoted(name)}; the forms are {known}")

    @classmethod
    def of_genre(cls, name: str) -> tuple[Self, ...]:
        """Return the forms of a genre, such as 律诗, 律詩 or lushi; none of any other name."""
        genre = GENRES.get(name)
        return tuple(form for form in cls if genre is not None and form.value[1] == genre)

    @classmethod
    @lru_cache
    def of_layout(cls, line_length: int, num_lines: int) -> Self | None:
        """Return the form of num_lines lines of line_length characters; None if it has no name."""
        candidates = {form.num_lines: form for form in cls if form.line_length == line_length}
        return candidates.get(num_lines, candidates.get(None))

    @classmethod
    def of_lines(cls, lines: Sequence[str]) -> Self | None:
        """Return the form of a poem from its lines (without punctuation); None if they differ."""
        lengths = {len(line) for line in lines}
        return cls.of_layout(lengths.pop(), len(lines)) if len(lengths) == 1 else None


class Measure(Protocol):
    """The measure of one poem to write, of equal lines or of a tune's."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Characters of each line."""

    @property
    def characters(self) -> int:
        """Han characters of the whole poem."""

    @property
    def num_lines(self) -> int:
        """Lines of the whole poem."""

    @property
    def num_tokens(self) -> int:
        """Characters and marks of the whole poem."""

    @property
    def line_tokens(self) -> tuple[int, ...]:
        """Characters and marks of each line."""

    @property
    def heads(self) -> tuple[int, ...]:
        """The lines that begin a couplet or a sentence, counted from 0."""

    @property
    def unit(self) -> str:
        """What begins at the heads, for a refusal: couplet or sentence."""


class Layout(NamedTuple):
    """The measure of one poem to write: equal lines, in couplets."""

    line_length: int
    num_lines: int

    @property
    def characters(self) -> int:
        """Han characters of the whole poem."""
        return self.line_length * self.num_lines

    @property
    def lengths(self) -> tuple[int, ...]:
        """Characters of each line."""
        return (self.line_length,) * self.num_lines

    @property
    def num_tokens(self) -> int:
        """Characters and marks of the whole poem."""
        return self.characters + self.num_lines

    @property
    def line_tokens(self) -> tuple[int, ...]:
        """Characters and marks of each line."""
        return (self.line_length + 1,) * self.num_lines

    @property
    def heads(self) -> tuple[int, ...]:
        """The lines that begin a couplet, counted from 0."""
        return tuple(range(0, self.num_lines, 2))

    @property
    def unit(self) -> str:
        """What begins at the heads."""
        return "couplet"

    @property
    def form(self) -> Form:
        """The form that a poem of this layout has."""
        form = Form.of_layout(self.line_length, self.num_lines)
        if form is None:
            raise AssertionError(f"no form has lines of {self.line_length} characters")
        return form

    @classmethod
    def of_length(cls, length: int, line_length: int | None = None) -> Self:
        """Return as many whole couplets as fit into length.

        Args:
            length: Han characters, 10 to 200.
            line_length: 5 or 7; None for the one that comes nearer to length (7 on a tie).

        Raises:
            ValueError: If length is out of range, or too short for one couplet.
        """
        if not MIN_LENGTH <= length <= MAX_LENGTH:
            raise ValueError(f"length must be {MIN_LENGTH} to {MAX_LENGTH}, got {length}")
        sizes = (5, 7) if line_length is None else (line_length,)
        layouts = [cls(size, 2 * (length // (2 * size))) for size in sizes]
        best = max(layouts, key=lambda layout: (layout.characters, layout.line_length))
        if best.num_lines == 0:
            raise ValueError(
                f"a couplet of {best.line_length}-character lines needs a length of "
                f"at least {2 * best.line_length}, got {length}"
            )
        return best
