"""The poet: from what is asked of a poem to sequences for the engine, and from those to the poem.

This is where text ends: everything behind it knows token ids only. The service, the command line
and the evaluation share it.
"""

from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import torch

from model.checkpoint import Checkpoint
from model.engine import Engine
from model.guide import NoCharacterFits
from model.poet.given import Choices, Given, agree, give_acrostic, give_lines, spellings
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.poem import Meter, Poem, PoemSpec, choose_layout
from model.poet.verse_guide import VerseGuide
from model.poetry_model import PoetryModel
from model.precision import Precision, choose_precision
from model.sequence import Sequence
from model.verse.form import Layout
from model.verse.proof import check
from model.verse.rhymes import Reading
from model.verse.script import is_han, standard_forms, to_script, unify
from model.vocabulary import UnknownCharacter, Vocabulary

READINGS_KEPT = 1024  # starts whose reading is remembered: every draft of a request asks again
MAX_WEIGHED = 16  # ways to read a start that are weighed against each other


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
        dtype: Precision | None = None,
        num_slots: int = 128,
    ) -> None:
        self.checkpoint = checkpoint
        self.vocabulary: Vocabulary = checkpoint.vocabulary
        dtype = dtype or choose_precision(device)
        self._model: PoetryModel = checkpoint.build_model(dtype.dtype, device)
        self.engine = Engine(self._model, num_slots, dtype)
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
