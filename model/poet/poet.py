"""The poet: from what is asked of a poem to sequences for the engine, and from those to the poem.

The service, the command line and the evaluation share it.
"""

from collections.abc import Sequence as SequenceOf
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

import torch

from model.checkpoint import Checkpoint
from model.engine import Engine
from model.guide import NoCharacterFits
from model.poet.choice import Choice, require_none_in_ci
from model.poet.ci_wishes import choose_measure, choose_measures, settled
from model.poet.dictionary import Dictionary
from model.poet.draft import Draft, add_to_title, reckoned
from model.poet.given import Choices, Given, spellings
from model.poet.last_choice import Judge, LastChoice
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.opposites import opposites
from model.poet.parts import Parts
from model.poet.plan import Plan, choose_plan
from model.poet.poem import Meter, Poem, PoemSpec, choose_meter
from model.poet.reader import Reader
from model.poet.reviser import Reviser
from model.poet.rhyme_book import RhymeBook
from model.poet.theme import Themes
from model.poet.tune_guide import TuneGuide
from model.poet.tune_plan import TunePlan, choose_tune_plan
from model.poet.verse_guide import VerseGuide
from model.poet.words import Words
from model.precision import Precision, choose_precision
from model.sequence import Sequence
from model.verse.form import Layout
from model.verse.parallels import EIGHT, Parallels
from model.verse.rhymes import Reading
from model.verse.scansion import split_lines
from model.verse.script import to_script, unify
from model.verse.title import read_title
from model.verse.tune import PAUSE, TuneVariant
from model.vocabulary import Vocabulary

NO_WISHES: dict[str, Any] = {"title": None, "author": None, "era": None}  # that guidance is about


class Poet:
    """Writes poems with one checkpoint.

    Args:
        checkpoint: The model to write with.
        line_filter: The corpus's lines; None if copying is not to be looked for.
        device: Where to compute.
        dtype: What to compute in; None for the fastest that device has.
        num_slots: How many poems run at once.
        judging: Whether a fitted score has a say in which candidate is answered; it was measured
            to bring nothing (docs/sense.md).
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        line_filter: LineFilter | None = None,
        *,
        device: torch.device | str = "cpu",
        dtype: Precision | None = None,
        num_slots: int = 128,
        judging: bool = False,
    ) -> None:
        self._choice = LastChoice.load() if judging else None
        self.vocabulary: Vocabulary = checkpoint.vocabulary
        dtype = dtype or choose_precision(device)
        model = checkpoint.build_model(dtype.dtype, device)
        vectors = opposites(self.vocabulary, Parallels.load())
        self.engine = Engine(model, num_slots, dtype, vectors)
        self._reader = Reader(self.vocabulary, self.engine.model_beside(1))
        self._lexicons = cache(lambda rare: Lexicon(self.vocabulary, rare=rare))
        self._lexicon = self._lexicons(False)
        self._parts = cache(lambda rare: Parts(self._lexicons(rare)))
        self._line_filter = line_filter
        self.reviser = Reviser(self.vocabulary, self._lexicons, line_filter)
        self.rhyme_book = RhymeBook(self._lexicon)

    def prepare(self, spec: PoemSpec) -> Draft:
        """Return a poem that is ready for the engine.

        Raises:
            NoFormFits: If no form has the measure that is asked for.
            UnknownCharacter: If a character is none that the model knows.
            UnknownAuthor: If the author is none that the model knows.
            NoCharacterFits: If no poem meets everything asked; it names the line.
            NoThemeFits: If no word of the theme leads to one that the corpus knows.
            All of them are an UnmetWish, whose field names the wish at fault.
        """
        failure: NoCharacterFits | None = None
        for layout in choose_measures(spec):
            try:
                return self._prepare(spec, layout)
            except NoCharacterFits as error:
                failure = failure or error
        assert failure is not None, "there is always a measure"
        raise failure

    def _prepare(self, spec: PoemSpec, layout: Layout | TuneVariant) -> Draft:
        """Return a poem of a measure that is ready for the engine."""
        spec, meter = settled(spec, layout), choose_meter(spec, layout)
        theme = self._themes.read(spec.theme) if spec.theme else None
        asked = add_to_title(spec, theme.text if theme else "")
        header = self._header(asked, layout, meter)
        choices = self._reader.choices(spec, layout, header)
        given, plan = self._choose_plan(spec, layout, meter, choices)
        guide = self._guide(spec, layout, given, plan)
        sequence = self._sequence(asked, layout, meter, header, guide)
        return Draft(spec, layout, sequence, self._start(spec, given), theme)

    def steps(self, spec: PoemSpec) -> int:
        """Return how many steps a poem takes: its header, its characters, its marks, its reading.

        With a theme, which is not read for that, how many it may take.

        Raises:
            NoFormFits: If no form has the measure that is asked for.
            UnknownCharacter: If a character is none that the model knows.
            UnknownAuthor: If the author is none that the model knows.
        """
        layout = choose_measure(spec)
        header = self._header(reckoned(spec), layout, choose_meter(spec, layout))
        return self._reader.steps(spec, header) + len(header) - 1 + layout.num_tokens

    def slots(self, spec: PoemSpec) -> int:
        """Return how many slots of the engine a poem takes.

        Raises:
            NoFormFits: If no form has the measure that is asked for.
            UnknownAuthor: If the author is none that the model knows.
        """
        layout = choose_measure(spec)
        meter = choose_meter(spec, layout)
        asked = reckoned(spec)
        contrast = self._contrast(asked, layout, meter, self._header(asked, layout, meter))
        return _particles(spec) * (2 if contrast else 1)

    def finish(self, draft: Draft) -> Poem:
        """Return the poem of a draft that the engine has completed.

        Raises:
            NoCharacterFits: If the engine could not complete it.
        """
        sequence, spec = draft.sequence, draft.spec
        if sequence.error is not None:
            raise sequence.error
        text = self.vocabulary.decode(sequence.tokens)
        lines = split_lines(text.replace(PAUSE, ""))
        copied = [line for line in lines if self._line_filter and line in self._line_filter]
        return Poem(
            lines=tuple(split_lines(to_script(text, spec.script).replace(PAUSE, ""))),
            written=tuple(lines),
            title=spec.title and to_script(unify(spec.title), spec.script),
            form=draft.form,
            seed=spec.params.seed,
            candidates=spec.candidates,
            guidance=spec.guidance,
            bits_per_character=sequence.bits / draft.layout.characters,
            proof=draft.prove(lines),
            copied_lines=tuple(to_script(line, spec.script) for line in copied),
            start=draft.start,
            keywords=draft.keywords,
            unmapped=draft.unmapped,
        )

    @cached_property
    def _themes(self) -> Themes:
        """What reads themes; the dictionary behind it is read when the first needs it."""
        corpus = Words.load()
        return Themes(corpus, lambda: Dictionary.load(corpus.__contains__))

    def write(self, specs: SequenceOf[PoemSpec]) -> list[Poem]:
        """Write poems, all in the same batches, and return them in order.

        Raises:
            ValueError: As prepare() and finish().
        """
        drafts = [self.prepare(spec) for spec in specs]
        self.engine.run([draft.sequence for draft in drafts])
        return [self.finish(draft) for draft in drafts]

    def _header(self, spec: PoemSpec, layout: Layout | TuneVariant, meter: Meter) -> list[int]:
        """Return the tokens that the poem comes after.

        Raises:
            UnknownAuthor: If the author is none that the model knows.
        """
        title = spec.title and read_title(spec.title)
        if isinstance(layout, TuneVariant):
            # A tune without a token is known by its characters, which stand as a title.
            known = self.vocabulary.knows_tune(layout.tune)
            return self.vocabulary.header(
                tune=layout.tune if known else None,
                era=spec.era,
                author=spec.author,
                title=title or (None if known else layout.tune),
            )
        return self.vocabulary.header(
            form=layout.form,
            regulated=meter is Meter.STRICT,
            era=spec.era,
            author=spec.author,
            title=title,
        )

    def _sequence(
        self,
        spec: PoemSpec,
        layout: Layout | TuneVariant,
        meter: Meter,
        header: list[int],
        guide: VerseGuide | TuneGuide,
    ) -> Sequence:
        """Return what the engine runs for a spec."""
        contrast = self._contrast(spec, layout, meter, header)
        guidance = spec.guidance if contrast else 1.0
        judge, parallel = None, False
        if isinstance(layout, Layout):
            parallel = meter is Meter.STRICT and layout.num_lines == EIGHT
            judge = Judge(self._choice, layout) if self._choice else None
        return Sequence(
            header,
            guide,
            spec.params,
            contrast,
            guidance,
            _particles(spec),
            judge=judge,
            pairing=spec.pairing if parallel else 0.0,
        )

    def _contrast(
        self, spec: PoemSpec, layout: Layout | TuneVariant, meter: Meter, header: list[int]
    ) -> list[int]:
        """Return the header without what guidance is about; none where nothing is guided."""
        if spec.guidance == 1:
            return []
        contrast = self._header(replace(spec, **NO_WISHES), layout, meter)
        return contrast if contrast != header else []

    def _choose_plan(
        self, spec: PoemSpec, layout: Layout | TuneVariant, meter: Meter, choices: Choices
    ) -> tuple[Given, Plan | TunePlan]:
        """Return the first spelling of what is given that a poem can be written around, and how.

        Raises:
            NoCharacterFits: If there is none; of the reasons, that of the preferred spelling.
        """
        failure: NoCharacterFits | None = None
        for given in spellings(choices.readings, self._sound):
            try:
                choice = Choice(spec.rhyme, spec.pattern)
                if isinstance(layout, TuneVariant):
                    require_none_in_ci(choice)
                    parts = self._parts(spec.rare)
                    return given, choose_tune_plan(parts, layout, meter, given, spec.params.seed)
                lexicon = self._lexicons(spec.rare)
                return given, choose_plan(lexicon, layout, meter, given, spec.params.seed, choice)
            except NoCharacterFits as error:
                failure = failure or error
        assert failure is not None, "there is always a spelling"
        fallback = choices.fields[failure.spot] if failure.spot else "meter"
        failure.field = failure.field or fallback
        raise failure

    def _sound(self, token: int) -> frozenset[Reading]:
        return frozenset(self._lexicon.rhymes.readings(self._lexicon.character(token)))

    def _guide(
        self, spec: PoemSpec, layout: Layout | TuneVariant, given: Given, plan: Plan | TunePlan
    ) -> VerseGuide | TuneGuide:
        lines = None if spec.novel is False else self._line_filter
        novel = spec.novel is True
        if isinstance(plan, TunePlan):
            return TuneGuide(self._parts(spec.rare), plan, lines=lines, novel=novel)
        assert isinstance(layout, Layout), "a plan of couplets is for equal lines"
        lexicon = self._lexicons(spec.rare)
        return VerseGuide(lexicon, layout, plan, given=given, lines=lines, novel=novel)

    def _start(self, spec: PoemSpec, given: Given) -> str | None:
        """Return the characters that the start was read as."""
        tokens = [given[0, character] for character in range(len(spec.start or ""))]
        return "".join(map(self._lexicon.character, tokens)) or None


def _particles(spec: PoemSpec) -> int:
    """Return how many particles write a poem: without chance they would all be the same."""
    return spec.candidates if spec.params.temperature > 0 else 1
