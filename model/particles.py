"""The particles of one sequence, the rows that they take, and their resampling."""

from collections.abc import Callable, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import replace
from math import inf

from model.guide import ForkableGuide
from model.packed_model import State
from model.particle import Particle
from model.resampling import effective_number, pick, resample
from model.row import Row
from model.sampling import MAX_SEED, mix, uniform
from model.sequence import Prefix, Sequence

STREAM = 0x9A57_1C1E  # keeps the draws of particles apart from those of tokens


class Particles:
    """Writes one sequence in several ways at once.

    Args:
        sequence: What to write.
    """

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence
        self.members = _begin(sequence)
        self.rows: list[Row] = []

    def place_rows(self, known: Mapping[Prefix, State]) -> list[Row]:
        """Return the rows of all particles, each with the step that it begins in.

        Args:
            known: States by the prefix of the prompts that they come after.
        """
        prompts = self.sequence.prompts
        unread = [0 if prompt.prefix in known else prompt.steps for prompt in prompts]
        columns = []
        for prompt, left in zip(prompts, unread, strict=True):
            state, most = known.get(prompt.prefix), max(unread)
            first = Row(self.members[0], prompt, most - left, prompt.steps - left, state)
            source = first if left else None
            columns.append(
                [
                    first,
                    *(
                        Row(member, prompt, most, prompt.steps, state, source)
                        for member in self.members[1:]
                    ),
                ]
            )
        for lead, *others in zip(*columns, strict=True):
            for contrast in others:
                lead.contrast, contrast.leads = contrast, False
            self.rows += [lead, *others]
        return self.rows

    def settle(self) -> bool:
        """Take what a step drew into account; return whether the sequence has changed."""
        sequence, alive = self.sequence, [each for each in self.members if each.error is None]
        if not alive:
            sequence.error, sequence.finished = self.members[0].error, True
            return True
        if len(self.members) == 1:
            sequence.finished = alive[0].finished
            return True
        if all(each.finished for each in alive):
            self._choose()
            return True
        return False

    def _choose(self) -> None:
        """Let the sequence be the particle that its weight draws, and what judges it."""
        judge, weights = self.sequence.judge, [each.log_weight for each in self.members]
        if judge is not None:
            scores = (
                judge(each.tokens, each.log_probabilities, each.plain) for each in self.members
            )
            weights = [weight + score for weight, score in zip(weights, scores, strict=True)]
        chosen = self.members[pick(weights, self._number(self.members[0]))]
        self.sequence.tokens[:] = chosen.tokens
        self.sequence.log_probabilities[:] = chosen.log_probabilities
        self.sequence.finished = True

    def resample(
        self, drawing: SequenceOf[Particle], move: Callable[[int, int], None]
    ) -> list[tuple[Particle, Particle]]:
        """Draw particles anew by their weights, which then begin anew.

        Not while the weights are even enough: their effective number is half of them at least.

        Args:
            drawing: Those that have not failed before this step, in their order.
            move: Copies the state of a slot to another.

        Returns:
            Each that has become another, and which.
        """
        weights = [each.log_weight for each in drawing]
        if max(weights) == -inf or effective_number(weights) >= len(weights) / 2:
            return []
        sources = resample(weights, self._number(drawing[0]))
        pairs = [(drawing[n], drawing[source]) for n, source in enumerate(sources) if n != source]
        width = len(self.sequence.headers)
        for target, source in pairs:
            target.become(source)
            first, second = map(self.members.index, (source, target))
            for column in range(width):
                rows = (self.rows[width * k + column] for k in (first, second))
                move(*(row.slot for row in rows))
        for each in drawing:
            each.log_weight = 0.0
        return pairs

    def share(self, drawing: SequenceOf[Particle]) -> bool:
        """Give the sequence the tokens that particles share; return whether these are more."""
        before, first = len(self.sequence.tokens), drawing[0]
        columns = enumerate(zip(*(each.tokens for each in drawing), strict=True))
        shared = next((n for n, column in columns if len({*column}) > 1), len(first.tokens))
        self.sequence.tokens += first.tokens[before:shared]
        self.sequence.log_probabilities += first.log_probabilities[before:shared]
        return shared > before

    def _number(self, at: Particle) -> float:
        """Return the number in [0, 1) that decides among particles where one of them is."""
        return uniform(self.sequence.params.seed ^ STREAM, len(at.tokens))


def _begin(sequence: Sequence) -> list[Particle]:
    """Return the particles that begin a sequence; where there is one, its tokens are its own."""
    guide, params = sequence.guide, sequence.params
    if sequence.num_particles == 1:
        return [Particle(sequence, guide, params, sequence.tokens, sequence.log_probabilities)]
    assert isinstance(guide, ForkableGuide), "a sequence of several particles sees to that"
    others = (
        mix(params.seed ^ mix(k ^ STREAM)) & MAX_SEED for k in range(1, sequence.num_particles)
    )
    return [
        Particle(sequence, guide.copy(), replace(params, seed=seed))
        for seed in (params.seed, *others)
    ]
