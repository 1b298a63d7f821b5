"""A poem that stands, and what is open in it: its tokens, and what the verse asks of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from model.poet.given import Spot
from model.poet.revision import RevisionSpec, choose_spots, read_poem
from model.poet.revision_guide import Step
from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.pattern import LineType, Template
from model.verse.proof import MeterProof
from model.verse.script import Script, is_traditional, standard_forms, unify
from model.vocabulary import Vocabulary

MARKS = "，。"  # after odd lines and even ones
LATER_LINES = 2  # after a line, that weigh in what is drawn for it


@dataclass(frozen=True)
class StandingPoem:
    """A poem as it was read, and what is to be replaced in it.

    Args:
        spec: What was asked, its seed drawn.
        lines: The poem as it was written.
        written: The same in the model's script.
        spots: What is replaced, in order.
        script: Of what is suggested.
    """

    spec: RevisionSpec
    lines: tuple[str, ...]
    written: tuple[str, ...]
    spots: tuple[Spot, ...]
    script: Script

    @classmethod
    def read(cls, spec: RevisionSpec) -> Self:
        """Return the poem of a spec.

        Raises:
            UnmetWish: If there is none, it is too long, or what is to be replaced is not there.
        """
        lines = read_poem(spec.text)
        spots = choose_spots(spec, lines)
        own = Script.TRADITIONAL if is_traditional("".join(lines)) else Script.SIMPLIFIED
        written = tuple(_as_written(line, own) for line in lines)
        return cls(spec, lines, written, spots, spec.script or own)

    @property
    def is_single(self) -> bool:
        """Whether one spot is open."""
        return len(self.spots) == 1

    @property
    def size_before(self) -> int:
        """Tokens before the first spot, marks included."""
        line, character = self.spots[0]
        return sum(len(each) + 1 for each in self.lines[:line]) + character

    @property
    def size_after(self) -> int:
        """Tokens from the first spot on that are weighed."""
        last = self.spots[-1][0]
        if self.spec.line is not None:
            last = min(last + LATER_LINES, len(self.lines) - 1)
        end = sum(len(each) + 1 for each in self.lines[: last + 1])
        return end - 1 - self.size_before  # without the last mark


def steps_of(poem: StandingPoem, vocabulary: Vocabulary, cues: Sequence[Cue]) -> Iterator[Step]:
    """Yield the tokens of a poem, from its first; those at its spots are open."""
    asked = iter(cues)
    for number, line in enumerate(poem.written):
        text = line + MARKS[number % 2]
        for character, token in enumerate(vocabulary.encode(text)):
            is_open = (number, character) in poem.spots
            known = None if is_open else token
            written = "" if is_open else text[character]
            yield Step(known, written, next(asked), number, character, len(line))


def _as_written(line: str, script: Script) -> str:
    """Return a line in the model's script, each ambiguous character as its commonest form."""
    if script is Script.TRADITIONAL:
        return unify(line)
    return "".join(standard_forms(character)[0] for character in line)


def cues_of(proof: MeterProof) -> Sequence[Cue]:
    """Return what the verse asks of each token of a poem, marks included."""
    if proof.pattern is not None:
        types = tuple(map(LineType, proof.line_types))
        return template_cues(Template(types, len(proof.lines[0])))
    sizes = [len(line) for line in proof.lines]
    if proof.rhyme is not None:
        return rhyme_cues(sizes)
    return [Cue.FREE] * (sum(sizes) + len(sizes))
