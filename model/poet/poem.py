"""A poem: what is asked of it, and what is answered. This module needs no PyTorch."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from model.poet.keyword import Keyword
from model.sampling import SamplingParams
from model.verse.ci_proof import CiProof
from model.verse.form import Form, Layout
from model.verse.pattern_name import Pattern
from model.verse.proof import MeterProof
from model.verse.script import Script
from model.verse.tune import Tune, TuneVariant
from model.vocabulary import Era
from model.wish import UnmetWish

DEFAULT_LAYOUT = Layout(7, 4)
GUSHI_LINES = 12  # of an old-style poem whose length nobody asked for
PAIRING = 1.5  # of eight strict lines; docs/sense.md has the measurement
STRICT_LINES = 8  # of one that shall keep the rules of regulated verse


class Meter(StrEnum):
    """How much of the rules of verse a poem keeps."""

    STRICT = "strict"  # tone pattern and rhyme of regulated verse
    RHYME = "rhyme"  # the even lines rhyme in one group, level or oblique
    FREE = "free"  # the form alone


class NoFormFits(UnmetWish):
    """No form, or none that a meter has rules for, has the measure that is asked for."""


@dataclass(frozen=True)
class PoemSpec:
    """What is asked of one poem; None leaves a field to the poet.

    Args:
        start: The first characters, at most one line, in either script.
        length: Han characters, 10 to 200.
        form: The verse form; it decides the length of quatrains and eight-line poems. Or a tune:
            the poem is a ci to the commonest of its variants that fits, or to the variant given.
        meter: The rules to keep; None for strict in regulated forms and ci, rhyme in others.
        opening: The first lines, whole, without punctuation.
        acrostic: First characters of the lines or of the couplets.
        rhyme: The rhyme groups that it may rhyme in; empty for any.
        pattern: How line 1 runs; None for any way.
        title: What the poem is about.
        theme: The same in free words, which are read as words that the corpus knows.
        author: In whose manner.
        era: Tang or Song.
        guidance: How strongly title, theme, author and era steer, 0 (not at all) to 5; 1 draws as
            the model does.
        candidates: How many ways to write it go on together, of which one is answered.
        pairing: How strongly the middle couplets of eight strict lines lean to be parallel (对仗);
            0 for not at all.
        rare: Whether characters that common fonts lack may be drawn.
        novel: True for no line that stands in the corpus, None for none where another fits.
        params: How to draw; its seed decides everything that is left open.
        script: The script of the answer.
    """

    start: str | None = None
    length: int | None = None
    form: Form | Tune | TuneVariant | None = None
    meter: Meter | None = None
    opening: tuple[str, ...] = ()
    acrostic: str | None = None
    rhyme: frozenset[str] = frozenset()
    pattern: Pattern | None = None
    title: str | None = None
    theme: str | None = None
    author: str | None = None
    era: Era | None = None
    guidance: float = 1.0
    candidates: int = 1
    pairing: float = PAIRING
    rare: bool = False
    novel: bool | None = None
    params: SamplingParams = field(default_factory=SamplingParams)
    script: Script = Script.SIMPLIFIED


@dataclass(frozen=True)
class Poem:
    """What is answered, in the script asked for.

    Args:
        lines: The lines, without punctuation.
        written: The same in the model's script, as they were before they were printed.
        form: The verse form, or the variant of a tune.
        seed: What brings the same poem back, with the same wishes.
        candidates: How many ways to write it went on together.
        guidance: How strongly title, theme, author and era steered.
        bits_per_character: The model's own score, unguided: lower is more fluent.
        proof: Which rules of verse hold, and where they fail.
        copied_lines: Lines that stand in the corpus (one in a thousand by mistake).
        start: The characters that the start was read as, in the model's script; None without one.
        keywords: What the theme was read as, in the script asked for.
        unmapped: The words of the theme that nothing stands for.
    """

    lines: tuple[str, ...]
    written: tuple[str, ...]
    title: str | None
    form: Form | TuneVariant
    seed: int
    candidates: int
    guidance: float
    bits_per_character: float
    proof: MeterProof | CiProof
    copied_lines: tuple[str, ...]
    start: str | None
    keywords: tuple[Keyword, ...] = ()
    unmapped: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The poem with its punctuation, a couplet a line.

        Of a ci a sentence a line, and an empty line between stanzas.
        """
        if isinstance(self.form, TuneVariant):
            return self.form.set_out(self.lines)
        couplets = zip(self.lines[::2], self.lines[1::2], strict=True)
        return "\n".join(f"{odd}，{even}。" for odd, even in couplets)

    @property
    def stanzas(self) -> tuple[int, ...]:
        """How many lines each stanza has."""
        whole = (len(self.lines),)
        return self.form.stanzas if isinstance(self.form, TuneVariant) else whole

    @property
    def characters(self) -> int:
        """Han characters."""
        return sum(map(len, self.lines))


def choose_layout(spec: PoemSpec) -> Layout:
    """Return the measure of the poem that a spec asks for, if it is no ci.

    Raises:
        NoFormFits: If length is out of range, too short for the form, or not that of the form.
    """
    form = spec.form if isinstance(spec.form, Form) else None
    if form is not None and form.num_lines is not None:
        layout = Layout(form.line_length, form.num_lines)
        _require_length(layout, spec.length)
        return layout
    line_length = form.line_length if form else _line_length_of(spec)
    if spec.length is not None:
        try:
            return Layout.of_length(spec.length, line_length)
        except ValueError as error:
            raise NoFormFits(str(error), field="length") from error
    line_length = line_length or DEFAULT_LAYOUT.line_length
    if form is not None:
        usual = STRICT_LINES if spec.meter is Meter.STRICT else GUSHI_LINES
        return Layout(line_length, _lines_of(spec, usual))
    return Layout(line_length, _lines_of(spec, DEFAULT_LAYOUT.num_lines))


def choose_meter(spec: PoemSpec, layout: Layout | TuneVariant) -> Meter:
    """Return the rules that a poem of a layout is to keep: strict ones unless others are asked for.

    Forms whose length is open, 古詩, only rhyme.
    """
    if isinstance(layout, TuneVariant):
        return spec.meter or Meter.STRICT
    form = spec.form if isinstance(spec.form, Form) else layout.form
    return spec.meter or (Meter.RHYME if form.num_lines is None else Meter.STRICT)


def _require_length(layout: Layout, length: int | None) -> None:
    """See that a length is that of a form which has but one.

    Raises:
        NoFormFits: If it is not.
    """
    if length in (None, layout.characters):
        return
    sizes = {form: Layout(form.line_length, form.num_lines or 0).characters for form in Form}
    others = [form.code for form, size in sizes.items() if size == length]
    others = others or [f"gushi-{layout.line_length}"]
    raise NoFormFits(
        f"{layout.form.code} has {layout.characters} characters, not {length}: leave length out, "
        f"or ask for {others[0]}",
        field="length",
    )


def _line_length_of(spec: PoemSpec) -> int | None:
    """Return the line length that the given characters ask for; None if they fit any."""
    if spec.opening:
        return len(spec.opening[0]) if len(spec.opening[0]) in (5, 7) else None
    return 7 if spec.start and len(spec.start) > 5 else None


def _lines_of(spec: PoemSpec, usual: int) -> int:
    """Return how many lines the acrostic and the opening ask for, the usual number if they fit."""
    least = len(spec.opening) + len(spec.opening) % 2
    if spec.acrostic:
        size = len(spec.acrostic)
        usual = {2: 4, 4: 4, 8: 8}.get(size, size if size % 2 == 0 else min(2 * size, 28))
    if least <= usual:
        return usual
    return 8 if least <= 8 else least


def draw_seed(seed: int, number: int) -> int:
    """Return the seed of poem number of a request, the first being the request's own.

    Every poem's seed brings it back on its own, in a request of its own.
    """
    if number == 0:
        return seed
    digest = hashlib.sha256(f"{seed} {number}".encode()).digest()
    return int.from_bytes(digest[:6])
