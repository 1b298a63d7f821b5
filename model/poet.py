"""The poet: from what is asked of a poem to sequences for the engine, and from those to the poem.

This is where text ends: everything behind it knows token ids only. The service, the command line
and the evaluation share it.
"""

import dataclasses
import hashlib
from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

import torch

from model.checkpoint import Checkpoint
from model.decoding import SamplingParams
from model.engine import Engine, Sequence
from model.form import Form, Layout
from model.guide import VerseGuide
from model.lexicon import Lexicon
from model.line_filter import LineFilter
from model.plan import Given, Meter, NoCharacterFits, give_acrostic, give_lines
from model.poetry_model import PoetryModel
from model.precision import compute_dtype
from model.prosody import MeterProof, check
from model.rhymes import Reading
from model.script import Script, is_han, standard_forms, to_script, unify
from model.spelling import Choices, agree, spellings
from model.vocabulary import Era, UnknownCharacter, Vocabulary

DEFAULT_LAYOUT = Layout(7, 4)
GUSHI_LINES = 12  # of an old-style poem whose length nobody asked for
STRICT_LINES = 8  # of one that shall keep the rules of regulated verse
READINGS_KEPT = 1024  # starts whose reading is remembered: every draft of a request asks again
MAX_WEIGHED = 16  # ways to read a start that are weighed against each other


@dataclass(frozen=True)
class PoemSpec:
    """What is asked of one poem; None leaves a field to the poet.

    Args:
        start: The first characters, at most one line, in either script.
        length: Han characters, 10 to 200.
        form: The verse form; it decides the length of quatrains and eight-line poems.
        meter: The rules to keep; None for strict in regulated forms, rhyme in others.
        opening: The first lines, whole, without punctuation.
        acrostic: First characters of the lines or of the couplets.
        title: What the poem is about.
        author: In whose manner.
        era: Tang or Song.
        novel: True for no line that stands in the corpus, None for none where another fits.
        params: How to draw; its seed decides everything that is left open.
        script: The script of the answer.
    """

    start: str | None = None
    length: int | None = None
    form: Form | None = None
    meter: Meter | None = None
    opening: tuple[str, ...] = ()
    acrostic: str | None = None
    title: str | None = None
    author: str | None = None
    era: Era | None = None
    novel: bool | None = None
    params: SamplingParams = field(default_factory=SamplingParams)
    script: Script = Script.SIMPLIFIED

    def with_seed(self, seed: int) -> "PoemSpec":
        """Return the same wishes under another seed."""
        return dataclasses.replace(self, params=dataclasses.replace(self.params, seed=seed))


@dataclass(frozen=True)
class Poem:
    """What is answered, in the script asked for.

    Args:
        lines: The lines, without punctuation.
        form: The verse form.
        seed: What brings the same poem back.
        bits_per_character: The model's own score, unguided: lower is more fluent.
        proof: Which rules of verse hold, and where they fail.
        copied_lines: Lines that stand in the corpus (one in a thousand by mistake).
        start: The characters that the start was read as, in the model's script; None without one.
    """

    lines: tuple[str, ...]
    title: str | None
    form: Form
    seed: int
    bits_per_character: float
    proof: MeterProof
    copied_lines: tuple[str, ...]
    start: str | None

    @property
    def text(self) -> str:
        """The poem with its punctuation, a couplet a line."""
        couplets = zip(self.lines[::2], self.lines[1::2], strict=True)
        return "\n".join(f"{odd}，{even}。" for odd, even in couplets)

    @property
    def characters(self) -> int:
        """Han characters."""
        return sum(map(len, self.lines))


@dataclass(frozen=True)
class Draft:
    """A poem in the making.

    Args:
        spec: What was asked, its seed drawn.
        layout: The measure it will have.
        sequence: What the engine runs.
        start: What the start was read as.
    """

    spec: PoemSpec
    layout: Layout
    sequence: Sequence
    start: str | None


class Poet:
    """Writes poems with one checkpoint.

    Args:
        checkpoint: The model to write with.
        line_filter: The corpus's lines; None if copying is not to be looked for.
        device: Where to compute.
        dtype: What to compute in; None for the fastest that device has.
        num_slots: How many poems run at once.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        line_filter: LineFilter | None = None,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
        num_slots: int = 128,
    ) -> None:
        self.checkpoint = checkpoint
        self.vocabulary: Vocabulary = checkpoint.vocabulary
        self._model: PoetryModel = checkpoint.build_model(dtype or compute_dtype(device), device)
        self.engine = Engine(self._model, num_slots)
        self._lexicon = Lexicon(self.vocabulary)
        self._line_filter = line_filter
        self._best_spelling = lru_cache(READINGS_KEPT)(self._find_best_spelling)

    def prepare(self, spec: PoemSpec) -> Draft:
        """Return a poem that is ready for the engine.

        Raises:
            UnknownCharacter: If a character is none that the model knows.
            UnknownAuthor: If the author is none that the model knows.
            NoCharacterFits: If no poem meets everything asked; it names the line.
            ValueError: If fields contradict each other or are out of range.
        """
        layout = choose_layout(spec)
        form = spec.form or layout.form
        regulated = form.num_lines is not None
        meter = spec.meter or (Meter.STRICT if regulated else Meter.RHYME)
        header = self.vocabulary.header(
            form=layout.form,
            regulated=meter is Meter.STRICT,
            era=spec.era,
            author=spec.author,
            title=spec.title and "".join(filter(is_han, spec.title)),
        )
        given, guide = self._guide(spec, layout, meter, self._choices(spec, layout, header))
        start = [self._lexicon.character(given[0, at]) for at in range(len(spec.start or ""))]
        return Draft(spec, layout, Sequence(header, guide, spec.params), "".join(start) or None)

    def finish(self, draft: Draft) -> Poem:
        """Return the poem of a draft that the engine has completed.

        Raises:
            NoCharacterFits: If the engine could not complete it.
        """
        sequence, spec = draft.sequence, draft.spec
        if sequence.error is not None:
            raise sequence.error
        text = self.vocabulary.decode(sequence.tokens)
        lines = text.replace("。", "，").strip("，").split("，")
        copied = [line for line in lines if self._line_filter and line in self._line_filter]
        return Poem(
            lines=tuple(to_script(text, spec.script).replace("。", "，").strip("，").split("，")),
            title=spec.title,
            form=spec.form or draft.layout.form,
            seed=spec.params.seed,
            bits_per_character=sequence.bits / draft.layout.characters,
            proof=check(lines, exact=True),
            copied_lines=tuple(to_script(line, spec.script) for line in copied),
            start=draft.start,
        )

    def write(self, specs: SequenceOf[PoemSpec]) -> list[Poem]:
        """Write poems, all in the same batches, and return them in order.

        Raises:
            ValueError: As prepare() and finish().
        """
        drafts = [self.prepare(spec) for spec in specs]
        self.complete(drafts)
        return [self.finish(draft) for draft in drafts]

    def complete(self, drafts: SequenceOf[Draft]) -> None:
        """Let the engine run until all drafts are finished."""
        for draft in drafts:
            self.engine.add(draft.sequence)
        while any(not draft.sequence.finished for draft in drafts):
            self.engine.step()

    def _guide(
        self, spec: PoemSpec, layout: Layout, meter: Meter, choices: Choices
    ) -> tuple[Given, VerseGuide]:
        """Return the first spelling of what is given that a poem can be written around.

        Raises:
            NoCharacterFits: If there is none; of the reasons, that of the preferred spelling.
        """
        failure: NoCharacterFits | None = None
        lines = None if spec.novel is False else self._line_filter
        for given in spellings(choices, self._sound):
            try:
                seed = spec.params.seed
                guide = VerseGuide(
                    self._lexicon,
                    layout,
                    meter=meter,
                    given=given,
                    seed=seed,
                    lines=lines,
                    novel=spec.novel is True,
                )
                return given, guide
            except NoCharacterFits as error:
                failure = failure or error
        assert failure is not None, "there is always a spelling"
        raise failure

    def _sound(self, token: int) -> frozenset[Reading]:
        return frozenset(self._lexicon.rhymes.readings(self._lexicon.character(token)))

    def _choices(self, spec: PoemSpec, layout: Layout, header: list[int]) -> Choices:
        """Return the characters that are fixed, by line and place, in every reading."""
        start = self._tokens(spec.start, header) if spec.start else []
        opening = [self._tokens(line, header) for line in spec.opening]
        acrostic = self._tokens(spec.acrostic, None) if spec.acrostic else []
        return agree(
            give_lines([start] if start else [], layout),
            give_lines(opening, layout, whole=True),
            give_acrostic(acrostic, layout) if acrostic else {},
        )

    def _tokens(self, text: str, header: list[int] | None) -> list[tuple[int, ...]]:
        """Return for each character what it may stand for, what _read() chooses first."""
        return [
            tuple(self._ids([chosen, *(f for f in self._known_forms(written) if f != chosen)]))
            for written, chosen in zip(text, self._read(text, header), strict=True)
        ]

    def _ids(self, text: Iterable[str]) -> list[int]:
        return [self.vocabulary.id_of(character) for character in text]

    def _read(self, text: str, header: list[int] | None) -> str:
        """Return text in the model's script, its ambiguous characters as the model likes them.

        Args:
            text: What is written, in either script.
            header: Behind what the text would stand; None takes the commonest reading.

        Raises:
            UnknownCharacter: If a character is none that the model knows.
        """
        readings = [self._known_forms(character) for character in text]
        if header is None or all(len(forms) == 1 for forms in readings):
            return "".join(forms[0] for forms in readings)
        return self._best_spelling(tuple(header), tuple(map(tuple, readings)))

    def _known_forms(self, character: str) -> list[str]:
        forms = [form for form in standard_forms(character) if form in self.vocabulary]
        if not forms or not is_han(unify(character)):
            raise UnknownCharacter(character)
        return forms

    def _find_best_spelling(
        self, header: tuple[int, ...], readings: tuple[tuple[str, ...], ...]
    ) -> str:
        spellings = ["".join(spelling) for spelling in product(*readings)][:MAX_WEIGHED]
        return max(spellings, key=self._log_probabilities(header, spellings).__getitem__)

    @torch.inference_mode()
    def _log_probabilities(self, header: SequenceOf[int], texts: list[str]) -> dict[str, float]:
        """Return for texts of one length the log-probability of each as a poem's beginning."""
        ids = torch.tensor([[*header, *self._ids(text)] for text in texts]).T  # (T, B)
        ids = ids.to(self._model.embedding.weight.device)
        logits, _ = self._model(ids[:-1])
        log_probabilities = logits.float().log_softmax(-1).gather(-1, ids[1:, :, None]).squeeze(-1)
        totals = log_probabilities[len(header) - 1 :].sum(0).tolist()
        return dict(zip(texts, totals, strict=True))


def choose_layout(spec: PoemSpec) -> Layout:
    """Return the measure of the poem that a spec asks for.

    Raises:
        ValueError: If length is out of range or too short for the form.
    """
    if spec.form is not None and spec.form.num_lines is not None:
        return Layout(spec.form.line_length, spec.form.num_lines)
    line_length = spec.form.line_length if spec.form else _line_length_of(spec)
    if spec.length is not None:
        return Layout.of_length(spec.length, line_length)
    line_length = line_length or DEFAULT_LAYOUT.line_length
    if spec.form is not None:
        usual = STRICT_LINES if spec.meter is Meter.STRICT else GUSHI_LINES
        return Layout(line_length, _lines_of(spec, usual))
    return Layout(line_length, _lines_of(spec, DEFAULT_LAYOUT.num_lines))


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
