"""A draft: a poem in the making, and what will be said of it when it is done."""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, replace

from model.poet.keyword import Keyword
from model.poet.poem import PoemSpec
from model.poet.theme import MAX_CHARACTERS, Theme
from model.sequence import Sequence
from model.verse.ci_proof import CiProof, check_ci
from model.verse.form import Form, Layout
from model.verse.proof import MeterProof, check
from model.verse.script import to_script
from model.verse.tune import TuneVariant


@dataclass(frozen=True)
class Draft:
    """A poem in the making.

    Args:
        spec: What was asked, its seed drawn.
        layout: The measure it will have: a variant of a tune if it is a ci.
        sequence: What the engine runs.
        start: What the start was read as, in the model's script; None without one.
        theme: What the theme was read as; None without one.
    """

    spec: PoemSpec
    layout: Layout | TuneVariant
    sequence: Sequence
    start: str | None
    theme: Theme | None

    @property
    def form(self) -> Form | TuneVariant:
        """The form that the poem is said to have."""
        if isinstance(self.layout, TuneVariant):
            return self.layout
        return self.spec.form if isinstance(self.spec.form, Form) else self.layout.form

    @property
    def keywords(self) -> tuple[Keyword, ...]:
        """What the theme was read as, in the script asked for."""
        found = self.theme.keywords if self.theme else ()
        return tuple(Keyword(to_script(each.word, self.spec.script), each.of) for each in found)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """The words of the theme that nothing stands for."""
        return self.theme.unmapped if self.theme else ()

    def prove(self, lines: SequenceOf[str]) -> MeterProof | CiProof:
        """Return how the poem's lines, in the model's script, keep its rules."""
        if isinstance(self.layout, TuneVariant):
            return check_ci(lines, self.layout, exact=True)
        return check(lines)


def add_to_title(spec: PoemSpec, keywords: str) -> PoemSpec:
    """Return a spec with keywords at the end of its title."""
    return replace(spec, title=(spec.title or "") + keywords or None)


def reckoned(spec: PoemSpec) -> PoemSpec:
    """Return a spec with a title of as many characters as it may get from its theme."""
    return add_to_title(spec, "月" * MAX_CHARACTERS) if spec.theme else spec
