"""How parallel a couplet is (对仗): how well the characters that stand opposite each other match.

parallels.bin beside this file holds a vector for each frequent character, twice, from two halves of
the corpus: characters that poets set opposite each other in the couplets amid eight lines have
vectors of a small angle. The first half's lead a poem that is written, the second half's judge it:
else it would be judged by what it was made after. training.tables.parallels derives both.

    likeness(a, b) = e_a . e_b / 127^2        the cosine, the vectors being in 127ths
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Self

from model.verse.table import pack, unpack

KIND = "yin-parallels 1"
UNIT = 127  # the length of a vector
MIDDLE = (2, 4)  # the first lines, from 0, of the couplets that are parallel in eight
EIGHT = 8  # lines

Vector = Sequence[int]  # D numbers from -127 to 127


@dataclass(frozen=True)
class Parallelism:
    """How parallel one couplet is.

    Args:
        lines: The numbers of its lines, from 1.
        likeness: The mean over its pairs of characters that have vectors.
        quartiles: Of people's couplets of this length, in poems that led to no vector.
    """

    lines: tuple[int, int]
    likeness: float
    quartiles: tuple[float, float, float]


@dataclass(frozen=True)
class Parallels:
    """The vectors of the characters.

    Args:
        characters: Those that have vectors.
        dimensions: D.
        leading: Their vectors from one half of the poems, one after the other, a byte a number.
        judging: The same from the other half.
        quartiles: Of people's couplets, by the length of a line.
    """

    characters: str
    dimensions: int
    leading: bytes
    judging: bytes
    quartiles: Mapping[int, tuple[float, float, float]]

    def leading_vector(self, character: str) -> Vector:
        """Return a character's vector that leads; nothing if it has none."""
        return self._vector(self.leading, character)

    def couplet(self, odd: str, even: str) -> float | None:
        """Return how parallel two lines are; None if no two characters can be compared."""
        table = self.judging
        pairs = [
            (self._vector(table, a), self._vector(table, b)) for a, b in zip(odd, even, strict=True)
        ]
        found = [likeness(a, b) for a, b in pairs if a and b]
        return sum(found) / len(found) if found else None

    def judge(self, lines: Sequence[str]) -> tuple[Parallelism, ...]:
        """Return how parallel the middle couplets of eight lines are, in the model's script.

        Nothing for other poems, and for couplets that cannot be compared.
        """
        if len(lines) != EIGHT or len({*map(len, lines)}) != 1:
            return ()
        quartiles = self.quartiles.get(len(lines[0]))
        found = ((at, self.couplet(lines[at], lines[at + 1])) for at in MIDDLE)
        return tuple(
            Parallelism((at + 1, at + 2), figure, quartiles)
            for at, figure in found
            if figure is not None and quartiles is not None
        )

    def to_bytes(self) -> bytes:
        """Return what from_bytes() reads."""
        head = {
            "characters": self.characters,
            "dimensions": self.dimensions,
            "quartiles": {str(size): list(each) for size, each in self.quartiles.items()},
        }
        return pack(KIND, head, self.leading + self.judging)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the table that to_bytes() wrote.

        Raises:
            TableError: If it is none, or damaged.
        """
        head, vectors = unpack(KIND, data)
        half = len(vectors) // 2
        return cls(
            head["characters"],
            head["dimensions"],
            vectors[:half],
            vectors[half:],
            {int(size): tuple(each) for size, each in head["quartiles"].items()},
        )

    @cached_property
    def _starts(self) -> dict[str, int]:
        """Where each character's vector starts."""
        return {c: n * self.dimensions for n, c in enumerate(self.characters)}

    def _vector(self, vectors: bytes, character: str) -> Vector:
        at = self._starts.get(character)
        return () if at is None else memoryview(vectors).cast("b")[at : at + self.dimensions]

    @classmethod
    @cache
    def load(cls) -> "Parallels":
        """Return the packaged table."""
        return cls.from_bytes(resources.files("model.verse").joinpath("parallels.bin").read_bytes())


def likeness(one: Vector, other: Vector) -> float:
    """Return the cosine of two vectors of length UNIT."""
    return sum(a * b for a, b in zip(one, other, strict=True)) / UNIT**2
