"""The reviser: from a poem and what to replace in it to sequences for the engine, and to suggestions.

For one open spot, L being what stands before it and R the rest of its line, the likeliest c are
ranked by p(c | L) p(R | L, c). For several spots, and for a line, ways to fill them are drawn under
the guide, and ranked by the probability of what follows L: to the end of their line, or of the two
lines after a line.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from model.guide import NoCharacterFits
from model.poet.given import Spot
from model.poet.kept_rules import KeptRules, filled
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.novelty import Novelty
from model.poet.poem import draw_seed
from model.poet.revision import RevisionSpec, Suggestion, choose_spots, read_poem
from model.poet.revision_guide import Constraints, RevisionGuide, Step
from model.sampling import SamplingParams
from model.sequence import Sequence as TokenSequence
from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.form import Form
from model.verse.pattern import LineType, Template
from model.verse.proof import MeterProof, check
from model.verse.script import Script, is_han, is_traditional, standard_forms, to_script, unify
from model.vocabulary import Vocabulary

RANKED = 64  # characters that one spot is tried with
DRAWN = 32  # ways to fill several spots
LATER_LINES = 2  # after a line, that weigh in what is drawn for it


@dataclass(frozen=True)
class Way:
    """One way to fill the spots.

    Args:
        lines: The poem with it, in the model's script.
        spots: What is filled.
        log_probability: Of what follows the first spot, in nats.
        title: What the poem is about; None if it is not known.
    """

    lines: Sequence[str]
    spots: Sequence[Spot]
    log_probability: float
    title: str | None


def likelihood(way: Way) -> float:
    """Return how good a way is by the model alone."""
    return way.log_probability


@dataclass(frozen=True)
class Revision:
    """A poem that is read, and what is to be replaced in it.

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


@dataclass(frozen=True)
class Beginning:
    """A revision that is ready for the engine.

    Args:
        revision: What was asked.
        rules: What replacements have to keep.
        steps: The poem from there on, as far as it is weighed.
        constraints: What the open spots have to keep.
        sequence: Reads the poem up to the first spot, and ranks what fits there.
    """

    revision: Revision
    rules: KeptRules
    steps: tuple[Step, ...]
    constraints: Constraints
    sequence: TokenSequence


class Reviser:
    """Revises poems with one model.

    Args:
        vocabulary: The tokens.
        lexicons: The masks, by whether rare characters may come.
        lines: The corpus's lines; None if copies may come.
        score: How good a way is, the higher the better.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        lexicons: Callable[[bool], Lexicon],
        lines: LineFilter | None = None,
        score: Callable[[Way], float] = likelihood,
    ) -> None:
        self._vocabulary, self._lexicons = vocabulary, lexicons
        self._lines, self._score = lines, score

    def read(self, spec: RevisionSpec) -> Revision:
        """Return a poem as it is read, and what is to be replaced.

        Raises:
            UnmetWish: If there is no poem, it is too long, or the spots are not there.
            UnknownAuthor: If the author is none that the model knows.
        """
        lines = read_poem(spec.text)
        spots = choose_spots(spec, lines)
        if spec.author is not None:
            self._vocabulary.author_id(spec.author)
        own = Script.TRADITIONAL if is_traditional("".join(lines)) else Script.SIMPLIFIED
        written = tuple(_as_written(line, own) for line in lines)
        return Revision(spec, lines, written, spots, spec.script or own)

    def costs(self, revision: Revision) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return slots and steps: of what reads the poem up to the first spot, of what goes on."""
        header, contrast = self._headers(revision, regulated=True)
        slots = 2 if contrast else 1
        first = slots, len(header) - 1 + revision.size_before + 1
        if revision.is_single:
            steps = revision.size_after if revision.size_after > 1 else 0
            return first, (RANKED * slots, steps)
        return first, (DRAWN * slots, revision.size_after)

    def begin(self, revision: Revision) -> Beginning:
        """Return a revision that is ready for the engine; this may take a tenth of a second."""
        spec, spots = revision.spec, revision.spots
        lexicon = self._lexicons(spec.rare)
        rules = KeptRules(lexicon, revision.lines, spots)
        header, contrast = self._headers(revision, regulated=rules.proof.regulated)
        steps = [*self._steps(revision, _cues(rules.proof))]
        at = revision.size_before
        body = tuple((step.token or 0, int(step.cue)) for step in steps[:at])
        ahead = tuple(steps[at : at + revision.size_after])
        constraints = self._constraints(revision, steps, rules, lexicon)
        guide = RevisionGuide(
            lexicon, ahead, constraints, _line_of(body, spots), length=1, thorough=revision.is_single
        )
        sequence = TokenSequence(
            header,
            guide,
            spec.params,
            contrast,
            spec.guidance if contrast else 1.0,
            body=body,
            num_ranked=RANKED if revision.is_single else 0,
        )
        return Beginning(revision, rules, ahead, constraints, sequence)

    def go_on(self, beginning: Beginning) -> list[TokenSequence]:
        """Return what is to be weighed, once the engine has read the beginning.

        Raises:
            NoCharacterFits: If nothing fits at the first spot.
        """
        if beginning.sequence.error is not None:
            raise _unmet(beginning.sequence.error)
        if not beginning.revision.is_single:
            return [self._drawn(beginning, number) for number in range(DRAWN)]
        if len(beginning.steps) == 1:
            return []
        return [self._chosen(beginning, token) for token, _ in beginning.sequence.ranked]

    def _drawn(self, beginning: Beginning, number: int) -> TokenSequence:
        """Return a way that is drawn."""
        params = beginning.sequence.params
        params = replace(params, seed=draw_seed(params.seed, number))
        return self._way(beginning, beginning.steps, params)

    def _chosen(self, beginning: Beginning, token: int) -> TokenSequence:
        """Return the way that begins with a token, where nothing else is open."""
        first, *rest = beginning.steps
        steps = (first._replace(token=token), *rest)
        return self._way(beginning, steps, SamplingParams(temperature=0))

    def _way(
        self, beginning: Beginning, steps: Sequence[Step], params: SamplingParams
    ) -> TokenSequence:
        begun, revision = beginning.sequence, beginning.revision
        lexicon = self._lexicons(revision.spec.rare)
        before = _line_of(begun.body, revision.spots)
        guide = RevisionGuide(lexicon, steps, beginning.constraints, before)
        return TokenSequence(
            begun.header, guide, params, begun.contrast, begun.guidance, body=begun.body
        )

    def finish(
        self, beginning: Beginning, sequences: Sequence[TokenSequence]
    ) -> list[Suggestion]:
        """Return suggestions, the best first.

        Args:
            beginning: What was asked.
            sequences: The ways that go_on() returned, which the engine has completed.

        Raises:
            NoCharacterFits: If there are none.
        """
        revision = beginning.revision
        own = "".join(revision.lines[line][spot] for line, spot in revision.spots)
        found = dict[str, Suggestion]()
        for way in self.weigh(beginning, sequences):
            characters = self._print(way, revision)
            if len(found) < revision.spec.number and characters not in {own, *found}:
                lines = filled(revision.lines, revision.spots, characters)
                proof = check(lines)
                if beginning.rules.keep(proof):
                    bits = -way.log_probability / math.log(2)
                    found[characters] = Suggestion(characters, tuple(lines), bits, proof.regulated)
        if not found:
            line = revision.spots[0][0] + 1
            raise _unmet(NoCharacterFits(line, "nothing that keeps every rule was found here"))
        return [*found.values()]

    def weigh(
        self, beginning: Beginning, sequences: Sequence[TokenSequence]
    ) -> list[Way]:
        """Return every way that was completed, the best first."""
        ways = self._ways(beginning, sequences)
        return sorted(ways, key=self._score, reverse=True)

    def _ways(
        self, beginning: Beginning, sequences: Sequence[TokenSequence]
    ) -> Iterator[Way]:
        """Yield every way that was weighed to its end."""
        revision, begun = beginning.revision, beginning.sequence
        open_steps = [n for n, step in enumerate(beginning.steps) if step.token is None]
        if revision.is_single and not sequences:
            weighed = [([token], cost) for token, cost in begun.ranked]
        else:
            weighed = [
                ([each.tokens[n] for n in open_steps], sum(each.log_probabilities))
                for each in sequences
                if each.error is None
            ]
        lexicon = self._lexicons(revision.spec.rare)
        for tokens, cost in weighed:
            lines = filled(revision.written, revision.spots, [*map(lexicon.character, tokens)])
            yield Way(lines, revision.spots, cost, revision.spec.title)

    def _print(self, way: Way, revision: Revision) -> str:
        """Return what is suggested, in the script that was asked for."""
        printed = [to_script(line, revision.script) for line in way.lines]
        return "".join(printed[line][spot] for line, spot in way.spots)

    def _headers(
        self, revision: Revision, *, regulated: bool
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the header, and that without what guidance is about where that steers."""
        spec, form = revision.spec, Form.of_lines(revision.lines)
        title = "".join(filter(is_han, spec.title or ""))
        header = self._vocabulary.header(
            form=form, regulated=regulated, era=spec.era, author=spec.author, title=title
        )
        plain = self._vocabulary.header(form=form, regulated=regulated)
        guided = not revision.is_single and spec.guidance != 1 and plain != header
        return tuple(header), tuple(plain) if guided else ()

    def _steps(self, revision: Revision, cues: Sequence[Cue]) -> Iterator[Step]:
        """Yield the tokens of a poem, from its first; those at its spots are open."""
        vocabulary, asked = self._vocabulary, iter(cues)
        for number, line in enumerate(revision.written):
            mark = vocabulary.full_stop_id if number % 2 else vocabulary.comma_id
            for character, token in enumerate([*vocabulary.encode(line), mark]):
                is_open = (number, character) in revision.spots
                known = None if is_open else token
                yield Step(known, next(asked), number, character, len(line))

    def _constraints(
        self, revision: Revision, steps: Sequence[Step], rules: KeptRules, lexicon: Lexicon
    ) -> Constraints:
        """Return what the open spots have to keep."""
        lines = self._lines if revision.spec.novel else None
        groups = frozenset([rules.rhyme]) if rules.rhyme else lexicon.level_groups
        doubled = sum(
            one.token == other.token and _is_character(other) for one, other in pairwise(steps)
        )
        tokens = [step.token for step in steps if step.token is not None and _is_character(step)]
        unused = lexicon.han.copy()
        if len(tokens) - doubled <= lexicon.count_distinct(tokens):  # else it repeats some itself
            unused[lexicon.with_lookalikes(tokens)] = False
        return Constraints(
            ways=rules.ways(),
            rhyming=[
                rules.rhyme is not None and line % 2 == 1 and rules.ends_line((line, spot))
                for line, spot in revision.spots
            ],
            groups=groups & lexicon.by_group.keys(),
            unused=unused,
            pairs=max(1, len(revision.lines) // 4) - doubled,
            novelty=Novelty(lexicon, lines, required=True),
            copies=[n for n, line in enumerate(revision.written) if line in (lines or ())],
        )


def _as_written(line: str, script: Script) -> str:
    """Return a line in the model's script, each ambiguous character as its commonest form."""
    if script is Script.TRADITIONAL:
        return unify(line)
    return "".join(standard_forms(character)[0] for character in line)


def _cues(proof: MeterProof) -> Sequence[Cue]:
    """Return what the verse asks of each token of a poem, marks included."""
    if proof.pattern is not None:
        types = tuple(map(LineType, proof.line_types))
        return template_cues(Template(types, len(proof.lines[0])))
    sizes = [len(line) for line in proof.lines]
    if proof.rhyme is not None:
        return rhyme_cues(sizes)
    return [Cue.FREE] * (sum(sizes) + len(sizes))


def _line_of(body: Sequence[tuple[int, int]], spots: Sequence[Spot]) -> list[int]:
    """Return the tokens of the first open line that come before its first open spot."""
    return [token for token, _ in body[len(body) - spots[0][1] :]]


def _is_character(step: Step) -> bool:
    return step.character < step.size


def _unmet(error: NoCharacterFits) -> NoCharacterFits:
    """Return an error that names the spots as what cannot be met."""
    return NoCharacterFits(error.line, error.reason, spot=error.spot, field="spots")
