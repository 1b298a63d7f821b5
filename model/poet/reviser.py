"""The reviser: from a poem and what to replace in it to sequences, and to suggestions.

For one open spot, L being what stands before it and R the rest of its line, the likeliest c are
ranked by p(c | L) p(R | L, c). For several spots, and for a line, ways to fill them are drawn under
the guide, and ranked by the probability of what follows L: to the end of their line, or of the two
lines after a line.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from model.guide import NoCharacterFits
from model.poet.kept_rules import KeptRules, filled
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.novelty import Novelty
from model.poet.poem import draw_seed
from model.poet.revision import RevisionSpec, Suggestion
from model.poet.revision_guide import Constraints, RevisionGuide, Step
from model.poet.standing_poem import StandingPoem, cues_of, steps_of
from model.poet.way import Way, likelihood
from model.sampling import SamplingParams
from model.sequence import Sequence as TokenSequence
from model.verse.form import Form
from model.verse.proof import check
from model.verse.script import as_simplified, is_han, to_script
from model.vocabulary import Vocabulary

RANKED = 64  # characters that one spot is tried with
DRAWN = 32  # ways to fill several spots
SAME_WORD = str.maketrans("沈", "沉")  # though both scripts print 沈, for it is a name, too


@dataclass(frozen=True)
class Beginning:
    """A poem that is ready for the engine.

    Args:
        poem: What was asked.
        rules: What replacements have to keep.
        before: What stands of the first open line before its first open spot.
        steps: The poem from there on, as far as it is weighed.
        constraints: What the open spots have to keep.
        sequence: Reads the poem up to the first spot, and ranks what fits there.
    """

    poem: StandingPoem
    rules: KeptRules
    before: tuple[Step, ...]
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

    def read(self, spec: RevisionSpec) -> StandingPoem:
        """Return a poem as it is read, and what is to be replaced.

        Raises:
            UnmetWish: If there is no poem, it is too long, or the spots are not there.
            UnknownAuthor: If the author is none that the model knows.
        """
        if spec.author is not None:
            self._vocabulary.author_id(spec.author)
        return StandingPoem.read(spec)

    def costs(self, poem: StandingPoem) -> list[tuple[int, int]]:
        """Return slots and steps: of what reads the poem up to the first spot, of what goes on."""
        header, contrast = self._headers(poem, regulated=True)
        slots = 2 if contrast else 1
        first = slots, len(header) - 1 + poem.size_before + 1
        if poem.is_single and poem.size_after == 1:
            return [first]
        return [first, (slots * (RANKED if poem.is_single else DRAWN), poem.size_after)]

    def begin(self, poem: StandingPoem) -> Beginning:
        """Return a poem that is ready for the engine; this may take a tenth of a second."""
        spec, spots = poem.spec, poem.spots
        lexicon = self._lexicons(spec.rare)
        rules = KeptRules(lexicon, poem.lines, spots)
        header, contrast = self._headers(poem, regulated=rules.proof.regulated)
        steps = [*steps_of(poem, self._vocabulary, cues_of(rules.proof))]
        at = poem.size_before
        body = tuple((step.token or 0, int(step.cue)) for step in steps[:at])
        single = poem.is_single
        before = tuple(steps[at - spots[0][1] : at])
        ahead = tuple(steps[at : at + poem.size_after])
        constraints = self._constraints(poem, steps, rules, lexicon)
        guide = RevisionGuide(lexicon, ahead, constraints, before, length=1, thorough=single)
        sequence = TokenSequence(
            header,
            guide,
            spec.params,
            contrast,
            spec.guidance if contrast else 1.0,
            body=body,
            num_ranked=RANKED if single else 0,
        )
        return Beginning(poem, rules, before, ahead, constraints, sequence)

    def go_on(self, beginning: Beginning) -> list[TokenSequence]:
        """Return what is to be weighed, once the engine has read the beginning.

        Raises:
            NoCharacterFits: If nothing fits at the first spot.
        """
        if beginning.sequence.error is not None:
            raise _unmet(beginning.poem, beginning.sequence.error)
        if not beginning.poem.is_single:
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
        begun, poem = beginning.sequence, beginning.poem
        lexicon = self._lexicons(poem.spec.rare)
        guide = RevisionGuide(lexicon, steps, beginning.constraints, beginning.before)
        return TokenSequence(
            begun.header, guide, params, begun.contrast, begun.guidance, body=begun.body
        )

    def finish(self, beginning: Beginning, sequences: Sequence[TokenSequence]) -> list[Suggestion]:
        """Return suggestions, the best first; of those that look alike, one.

        Args:
            beginning: What was asked.
            sequences: The ways that go_on() returned, which the engine has completed.

        Raises:
            NoCharacterFits: If there are none.
        """
        poem, rules = beginning.poem, beginning.rules
        own = "".join(poem.lines[line][spot] for line, spot in poem.spots)
        found, broken = dict[str, Suggestion](), Counter[str]()  # found by how they look
        for way in self.weigh(beginning, sequences):
            characters = self._print(way, poem)
            look = _look(characters)
            if len(found) < poem.spec.number and look not in {_look(own), *found}:
                lines = filled(poem.lines, poem.spots, characters)
                proof = check(lines)
                broken.update(rules.broken(proof))
                if rules.keep(proof):
                    bits = -way.log_probability / math.log(2)
                    found[look] = Suggestion(characters, tuple(lines), bits, proof.regulated)
        if not found:
            raise _unmet(poem, _none_found(poem, broken, sequences))
        return [*found.values()]

    def weigh(self, beginning: Beginning, sequences: Sequence[TokenSequence]) -> list[Way]:
        """Return every way that was completed, the best first."""
        ways = self._ways(beginning, sequences)
        return sorted(ways, key=self._score, reverse=True)

    def _ways(self, beginning: Beginning, sequences: Sequence[TokenSequence]) -> Iterator[Way]:
        """Yield every way that was weighed to its end."""
        poem, begun = beginning.poem, beginning.sequence
        open_steps = [n for n, step in enumerate(beginning.steps) if step.token is None]
        if poem.is_single and not sequences:
            weighed = [([token], cost) for token, cost in begun.ranked]
        else:
            weighed = [
                ([each.tokens[n] for n in open_steps], sum(each.log_probabilities))
                for each in sequences
                if each.error is None
            ]
        lexicon = self._lexicons(poem.spec.rare)
        for tokens, cost in weighed:
            lines = filled(poem.written, poem.spots, [*map(lexicon.character, tokens)])
            yield Way(lines, poem.spots, cost, poem.spec.title)

    def _print(self, way: Way, poem: StandingPoem) -> str:
        """Return what is suggested, in the script that was asked for."""
        printed = [to_script(line, poem.script) for line in way.lines]
        return "".join(printed[line][spot] for line, spot in way.spots)

    def _headers(
        self, poem: StandingPoem, *, regulated: bool
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the header, and that without what guidance is about where that steers."""
        spec, form = poem.spec, Form.of_lines(poem.lines)
        title = "".join(filter(is_han, spec.title or ""))
        header = self._vocabulary.header(
            form=form, regulated=regulated, era=spec.era, author=spec.author, title=title
        )
        plain = self._vocabulary.header(form=form, regulated=regulated)
        guided = not poem.is_single and spec.guidance != 1 and plain != header
        return tuple(header), tuple(plain) if guided else ()

    def _constraints(
        self, poem: StandingPoem, steps: Sequence[Step], rules: KeptRules, lexicon: Lexicon
    ) -> Constraints:
        """Return what the open spots have to keep."""
        lines = self._lines if poem.spec.novel else None
        groups = frozenset([rules.rhyme]) if rules.rhyme else lexicon.level_groups
        known = [step for step in steps if step.token in self._vocabulary.han_ids]
        doubled = sum(
            one.token == other.token and one.spot == (other.line, other.character - 1)
            for one, other in pairwise(known)
        )
        tokens = [step.token for step in known if step.token is not None]
        unused = lexicon.han.copy()
        if len(tokens) - doubled <= lexicon.count_distinct(tokens):  # else it repeats some itself
            unused[lexicon.with_lookalikes(tokens)] = False
        return Constraints(
            ways=rules.ways,
            rhyming=[
                rules.rhyme is not None and line % 2 == 1 and rules.ends_line((line, spot))
                for line, spot in poem.spots
            ],
            groups=groups & lexicon.by_group.keys(),
            unused=unused,
            pairs=max(1, len(poem.lines) // 4) - doubled,
            novelty=Novelty(lexicon, lines, required=True),
            copies=[n for n, line in enumerate(poem.written) if line in (lines or ())],
        )


def _look(characters: str) -> str:
    """Return what is the same for 掛 and 挂, in simplified script one, and for 沈 and 沉."""
    return as_simplified(characters).translate(SAME_WORD)


def _none_found(
    poem: StandingPoem, broken: Counter[str], sequences: Sequence[TokenSequence]
) -> NoCharacterFits:
    """Return why nothing was found: the rules that were broken, or what ended the ways."""
    ended = [each.error for each in sequences if isinstance(each.error, NoCharacterFits)]
    if ended and not broken:
        return ended[0]
    reason = "nothing that keeps every rule was found here"
    if broken:
        names = "、".join(name for name, _ in broken.most_common())
        reason = f"{reason}: what was tried breaks {names}"
    return NoCharacterFits(poem.spots[0][0] + 1, reason)


def _unmet(poem: StandingPoem, error: NoCharacterFits) -> NoCharacterFits:
    """Return an error that names what the spots were named by as what cannot be met."""
    return NoCharacterFits(error.line, error.reason, spot=error.spot, field=poem.spec.marked_by)
