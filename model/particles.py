"""The particles of one sequence, the rows that they take, and their resampling."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from model.guide import ForkableGuide
from model.packed_model import State
from model.particle import Particle
from model.resampling import pick, resample
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

    def settle(self, move: Callable[[int, int], None]) -> bool:
        """Take what a step drew into account; return whether the sequence has changed.

        Args:
            move: Copies the state of a slot to another.
        """
        sequence, alive = self.sequence, [each for each in self.members if each.error is None]
        if not alive:
            sequence.error, sequence.finished = self.members[0].error, True
            return True
        if len(self.members) == 1:
            sequence.finished = alive[0].finished
            return True
        if not all(each.rests for each in alive):
            return False
        if all(each.finished for each in alive):
            self._choose()
            return True
        self._resample(move)
        return self._share()

    def _choose(self) -> None:
        """Let the sequence be the particle that its weight draws."""
        weights = [each.log_weight for each in self.members]
        chosen = self.members[pick(weights, self._number())]
        self.sequence.tokens[:] = chosen.tokens
        self.sequence.log_probabilities[:] = chosen.log_probabilities
        self.sequence.finished = True

    def _resample(self, move: Callable[[int, int], None]) -> None:
        """Draw the particles anew by their weights, which then begin anew."""
        sources = resample([each.log_weight for each in self.members], self._number())
        width = len(self.sequence.headers)
        for target, source in enumerate(sources):
            if target != source:
                self.members[target].become(self.members[source])
                for column in range(width):
                    rows = (self.rows[width * k + column] for k in (source, target))
                    move(*(row.slot for row in rows))
        for each in self.members:
            each.log_weight = 0.0

    def _share(self) -> bool:
        """Give the sequence the tokens that all particles share; return whether these are more."""
        before, first = len(self.sequence.tokens), self.members[0]
        columns = enumerate(zip(*(each.tokens for each in self.members), strict=True))
        shared = next((n for n, column in columns if len({*column}) > 1), len(first.tokens))
        self.sequence.tokens += first.tokens[before:shared]
        self.sequence.log_probabilities += first.log_probabilities[before:shared]
        return shared > before

    def _number(self) -> float:
        """Return the number in [0, 1) that decides the resampling at hand."""
        return uniform(self.sequence.params.seed ^ STREAM, len(self.members[0].tokens))


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
