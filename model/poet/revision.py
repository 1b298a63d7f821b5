"""Revising: what is asked, and what is suggested. This module needs no PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from model.sampling import SamplingParams
from model.verse.ci_proof import CiProof
from model.verse.form import MAX_LENGTH
from model.verse.judge import judge
from model.verse.scansion import punctuate
from model.verse.script import Script
from model.verse.text import UNREADABLE, find_poem
from model.verse.tune import Spot
from model.vocabulary import Era
from model.wish import UnmetWish

MOST_SPOTS = 7  # that are replaced at once, unless they are a whole line
MOST_LINES = 4  # in a row that they stand in
MOST_SUGGESTIONS = 16


class NoSuchSpot(UnmetWish):
    """What is to be replaced is not there, or too much."""


@dataclass(frozen=True)
class RevisionSpec:
    """What is asked; None leaves a field to the poet.

    Args:
        text: The poem, in either script, perhaps with title and notes around it.
        spots: What to replace, line and character from 0.
        line: The line to replace whole, from 0; without it and spots, every □ is.
        number: Suggestions wanted at most.
        title: What the poem is about.
        author: In whose manner.
        era: Tang or Song.
        guidance: How strongly these steer what is drawn.
        rare: Whether characters that common fonts lack may be suggested.
        novel: Whether to suggest nothing that makes a line of the corpus, unless it was one.
        params: How to draw where several characters are open.
        script: Of what is suggested; None for that of the text.
    """

    text: str
    spots: tuple[Spot, ...] = ()
    line: int | None = None
    number: int = MOST_SUGGESTIONS
    title: str | None = None
    author: str | None = None
    era: Era | None = None
    guidance: float = 1.0
    rare: bool = False
    novel: bool = True
    params: SamplingParams = field(default_factory=SamplingParams)
    script: Script | None = None

    @property
    def marked_by(self) -> str:
        """The field that says what to replace."""
        if self.line is not None:
            return "line"
        return "spots" if self.spots else "text"


@dataclass(frozen=True)
class Suggestion:
    """One way to replace what was asked.

    Args:
        characters: What stands at the spots, in order.
        lines: The poem with it.
        bits: Minus log2 of the probability that it was ranked by.
        regulated: Whether the poem with it is regulated verse.
    """

    characters: str
    lines: tuple[str, ...]
    bits: float
    regulated: bool

    @property
    def text(self) -> str:
        """The poem with punctuation, a couplet a line."""
        couplets = (self.lines[at : at + 2] for at in range(0, len(self.lines), 2))
        return "\n".join(map(punctuate, couplets))


def read_poem(text: str) -> tuple[str, ...]:
    """Return the lines of the poem of a text.

    Raises:
        UnmetWish: If there is none, it is too long, or it is a ci: its tune's rules would break.
    """
    lines = find_poem(text).lines
    if not any(character != UNREADABLE for line in lines for character in line):
        raise UnmetWish("there are no Chinese characters in it", field="text")
    size = sum(map(len, lines))
    if size > MAX_LENGTH:
        raise UnmetWish(f"must be at most {MAX_LENGTH} characters, got {size}", field="text")
    proof = judge(text)
    if isinstance(proof, CiProof):
        raise UnmetWish(
            f"must be a shi, and this is a ci, {proof.pattern}, whose rules are not kept here yet; "
            f"it can be written on from its first lines: form {proof.variant.code} with opening",
            field="text",
        )
    return lines


def choose_spots(spec: RevisionSpec, lines: Sequence[str]) -> tuple[Spot, ...]:
    """Return what a spec asks to replace in a poem, in order.

    Raises:
        NoSuchSpot: If it is not there, or too much.
    """
    if spec.line is not None:
        if spec.line >= len(lines):
            reason = f"the poem has {len(lines)} lines, and no line {spec.line + 1}"
            raise NoSuchSpot(reason, field="line")
        return tuple((spec.line, character) for character in range(len(lines[spec.line])))
    spots = tuple(sorted(set(spec.spots))) or _holes(lines)
    for line, character in spots:
        if line >= len(lines) or character >= len(lines[line]):
            raise NoSuchSpot(_not_there(line, character, lines), field="spots")
    whole_line = len({line for line, _ in spots}) == 1 and len(spots) == len(lines[spots[0][0]])
    if len(spots) > MOST_SPOTS and not whole_line:
        reason = f"at most {MOST_SPOTS} characters, or one line, at a time, not {len(spots)}"
        raise NoSuchSpot(reason, field=spec.marked_by)
    if spots[-1][0] - spots[0][0] >= MOST_LINES:
        reason = f"must stand within {MOST_LINES} lines in a row"
        raise NoSuchSpot(reason, field=spec.marked_by)
    return spots


def _holes(lines: Sequence[str]) -> tuple[Spot, ...]:
    """Return every □ of a poem.

    Raises:
        NoSuchSpot: If there is none.
    """
    spots = tuple(
        (number, index)
        for number, line in enumerate(lines)
        for index, character in enumerate(line)
        if character == UNREADABLE
    )
    if not spots:
        reason = "name what to replace: spots as [[line, character]], or line, or □ in the text"
        raise NoSuchSpot(reason, field="spots")
    return spots


def _not_there(line: int, character: int, lines: Sequence[str]) -> str:
    if line >= len(lines):
        return f"the poem has {len(lines)} lines, and no line {line + 1}"
    return f"line {line + 1} has {len(lines[line])} characters, and no character {character + 1}"
