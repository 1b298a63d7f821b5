"""The engine: many poems at once, a token each a step, by continuous batching over slots.

An LSTM remembers what it has read in a state of constant size, so all there is to hand out is
slots: a new sequence joins at the next step, a finished one leaves its slots at once. A sequence
takes a slot for each of its particles, and as many again if it is guided against a second header
(model.sequence). Header tokens are fed as they are given, body tokens are drawn under the guide;
both go through the same step. Many poems have the same header, so the state after it is kept.

Shapes
    B  rows, padded to a stable number   E  embedding   V  vocabulary   P  particles that draw

The same sequence gives the same tokens, alone or among others: PackedModel computes rows that do
not depend on their neighbours, and draws depend on a sequence's own seed and position alone.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence as SequenceOf

import torch
from torch import Tensor

from model.decoding import pick, temper
from model.guide import NoCharacterFits
from model.packed_model import PackedModel, State
from model.pairing import Pairing
from model.particle import Particle
from model.particles import Particles
from model.poetry_model import PoetryModel
from model.precision import Precision
from model.row import Row
from model.sequence import Prefix, Sequence

HEADERS_KEPT = 256  # whose states are kept, 14 KiB each in the bundled model


class Engine:
    """Runs sequences, as many as fit into its slots at a time.

    Args:
        model: Whose weights and device are used; later changes to it are not seen.
        num_slots: S, how many rows run at once.
        precision: What to compute in; None for the format that the weights are in.
        vectors: Which tokens go with each other, (V, D); see model.pairing.

    Raises:
        ValueError: If num_slots is below 1.
        UnstableRows: If no batch size makes rows independent of their neighbours.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: PoetryModel,
        num_slots: int = 128,
        precision: Precision | None = None,
        vectors: Tensor | None = None,
    ) -> None:
        if num_slots < 1:
            raise ValueError(f"num_slots must be at least 1, got {num_slots}")
        self.num_slots = num_slots
        self.waiting: deque[Sequence] = deque()
        self._running: dict[Sequence, Particles] = {}
        self._rows: list[Row] = []  # number n holds slot n
        self._model = PackedModel(model, num_slots, precision)
        self._states = OrderedDict[Prefix, State]()  # by prefix, the latest used last
        self.device, self.dtype = self._model.device, self._model.precision
        self.batch_sizes, self._pairing = self._model.batch_sizes, Pairing(vectors, self.device)
        vocab_size = model.config.vocab_size
        self._anything = torch.ones(vocab_size, dtype=torch.bool)
        scratch = torch.empty(4, num_slots, vocab_size, device=self.device)  # kept: see draw()
        self._log_probabilities, self._plain, self._guided, self._scratch = scratch

    def model_beside(self, num_slots: int) -> PackedModel:
        """Return the model with slots of its own, for whoever reads without writing."""
        return self._model.beside(num_slots)

    @property
    def running(self) -> list[Sequence]:
        """The sequences that have slots, in the order of their coming."""
        return [*self._running]

    @property
    def slots_taken(self) -> int:
        """Slots of all that runs, or will at the next step that finds room for it."""
        return len(self._rows) + sum(sequence.num_slots for sequence in self.waiting)

    def add(self, sequence: Sequence) -> None:
        """Let a sequence join at the next step that finds enough slots free.

        Raises:
            ValueError: If it needs more slots than there are.
        """
        if sequence.num_slots > self.num_slots:
            raise ValueError(
                f"the sequence takes {sequence.num_slots} slots, and there are {self.num_slots}"
            )
        self.waiting.append(sequence)

    @torch.inference_mode()
    def cancel(self, sequence: Sequence) -> None:
        """Take a sequence out, wherever it is; one that is not here is left alone."""
        if sequence in self.waiting:
            self.waiting.remove(sequence)
        elif sequence in self._running:
            self._free(sequence)

    @torch.inference_mode()
    def step(self) -> list[Sequence]:
        """Feed one token to every running row.

        Returns:
            The sequences that got body tokens or failed in this step; those that are finished have
            left their slots.
        """
        while self.waiting and len(self._rows) + self.waiting[0].num_slots <= self.num_slots:
            self._admit(self.waiting.popleft())
        if not self._rows:
            return []
        for row in self._rows:
            if row.starts_now:
                self._start(row)
        drawing = any(row.draws_next for row in self._rows)
        features = self._feed()
        changed = self._draw(features) if drawing else []
        for row in self._rows:
            if row.go_on() and row.prefix not in self._states:
                self._keep_state(row)
        for sequence in changed:
            if sequence.finished:
                self._free(sequence)
        return changed

    def run(self, sequences: SequenceOf[Sequence]) -> SequenceOf[Sequence]:
        """Add sequences, step until all of them are finished, and return them."""
        for sequence in sequences:
            self.add(sequence)
        while not all(sequence.finished for sequence in sequences):
            self.step()
        return sequences

    def _admit(self, sequence: Sequence) -> None:
        """Give a sequence its slots; headers whose state is known are not read again."""
        particles = Particles(sequence)
        prefixes = (prompt.prefix for prompt in sequence.prompts)
        known = {prefix: self._states[prefix] for prefix in prefixes if prefix in self._states}
        for prefix in known:
            self._states.move_to_end(prefix)
        for row in particles.place_rows(known):
            row.slot = len(self._rows)
            self._rows.append(row)
        self._running[sequence] = particles

    def _start(self, row: Row) -> None:
        """Bring a row's slot into the state that it begins in."""
        if row.source is not None:
            self._model.move(row.source.slot, row.slot)
        elif row.state is not None:
            self._model.set_state(row.slot, row.state)
        else:
            self._model.clear(row.slot)
        row.started, row.source, row.state = True, None, None

    def _keep_state(self, row: Row) -> None:
        """Keep the state of a row's slot, which is that after its prefix."""
        self._states[row.prefix] = self._model.state(row.slot)
        if len(self._states) > HEADERS_KEPT:
            self._states.popitem(last=False)

    def _free(self, sequence: Sequence) -> None:
        """Empty a sequence's slots; the last rows move into them."""
        for row in self._running.pop(sequence).rows:
            last = self._rows.pop()
            if last is not row:
                self._model.move(last.slot, row.slot)
                last.slot = row.slot
                self._rows[last.slot] = last

    def _feed(self) -> Tensor:
        """Run the layers; return what the output layer reads, (B, E)."""
        tokens = [row.next_input for row in self._rows]
        cues = [row.cue for row in self._rows]
        padding = [0] * (self._model.rows_for(len(tokens)) - len(tokens))
        ids = torch.tensor([tokens + padding, cues + padding], device=self.device)
        return self._model.step(ids[0], ids[1])

    def _draw(self, features: Tensor) -> list[Sequence]:
        """Draw a body token for each particle that is due; return the sequences this changes."""
        leads = [row for row in self._rows if row.leads and row.draws_next]
        particles = [row.particle for row in leads]
        own, plain, guided, spare = self._predict(features, leads)
        guided = self._pairing.add(guided, particles)
        masks = self._masks(particles)
        self._rank(particles, own, masks)
        scratch = self._scratch[: len(leads)], spare[: len(leads)]
        temperatures = [particle.params.temperature for particle in particles]
        probabilities, log_shares = temper(guided, masks, temperatures, scratch)
        for particle, log_share in zip(particles, log_shares.tolist(), strict=True):
            particle.log_weight += log_share
        grown, sources = self._resample(particles)
        if sources:
            own, plain, guided = own[sources], plain[sources], guided[sources]
            masks, probabilities = masks[sources], probabilities[sources]
        colder = [n for n, particle in enumerate(particles) if particle.draws_colder]
        if colder:
            probabilities[colder] = self._temper_again(guided, masks, particles, colder)
        tokens = self._pick(probabilities, particles, scratch[0])
        again = [n for n, token in enumerate(tokens.tolist()) if not particles[n].vet(token)]
        if again:
            others = [particles[n] for n in again]
            masks[again] = self._masks(others)
            tokens[again] = self._pick(self._temper_again(guided, masks, particles, again), others)
        # None fits where a mask allows nothing.
        found = [each.gather(-1, tokens[:, None])[:, 0].tolist() for each in (masks, own, plain)]
        for particle, token, fits, *costs in zip(particles, tokens.tolist(), *found, strict=True):
            if fits and particle.error is None:
                particle.take(token, *costs)
            else:
                particle.fail(NoCharacterFits(0, "the guide allows no token"))
        sequences = dict.fromkeys(particle.sequence for particle in particles)
        return [each for each in sequences if self._running[each].settle() or each in grown]

    def _resample(self, particles: list[Particle]) -> tuple[set[Sequence], list[int]]:
        """Resample the particles whose next token ends a part of the verse.

        Returns:
            The sequences of which more is settled now; and what number of particle each has become,
            nothing where all have stayed themselves.
        """
        numbers = {particle: n for n, particle in enumerate(particles)}
        grown, sources, moved = set[Sequence](), [*range(len(particles))], False
        for sequence, whole in self._running.items():
            drawing = [each for each in whole.members if each in numbers]
            if sequence.num_particles > 1 and drawing and drawing[0].at_break:
                for target, source in whole.resample(drawing, self._model.move):
                    sources[numbers[target]], moved = numbers[source], True
                if whole.share(drawing):
                    grown.add(sequence)
        return grown, sources if moved else []

    def _predict(self, features: Tensor, leads: list[Row]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what the model expects next for each particle.

        Returns:
            Its log-probabilities, (P, V), and those without the wishes; what is to be drawn from;
            and memory of at least that size, to compute in.
        """
        contrasts = [row.contrast for row in leads if row.contrast is not None]
        slots = [row.slot for row in (*leads, *contrasts)]
        padding = [0] * (self._model.rows_for(len(slots)) - len(slots))
        if slots != [*range(len(self._rows))]:
            features = features[slots + padding]
        logits = self._model.logits(features)[: len(slots)]
        every = torch.log_softmax(logits, -1, out=self._log_probabilities[: len(slots)])
        own = every[: len(leads)]
        if not contrasts:
            return own, own, own, logits
        plain, guided = self._plain[: len(leads)], self._guided[: len(leads)]
        numbers = iter(range(len(leads), len(slots)))
        partners = [next(numbers) if row.contrast else n for n, row in enumerate(leads)]
        torch.index_select(every, 0, torch.tensor(partners, device=self.device), out=plain)
        guidance = torch.tensor([float(row.particle.guidance) for row in leads]).to(self.device)
        return own, plain, torch.lerp(plain, own, guidance[:, None], out=guided), logits

    def _temper_again(
        self, logits: Tensor, masks: Tensor, particles: list[Particle], numbers: list[int]
    ) -> Tensor:
        """Return what some particles draw from, (N, V), at the temperature of their next token."""
        temperatures = [particles[n].temperature for n in numbers]
        return temper(logits[numbers], masks[numbers], temperatures)[0]

    @staticmethod
    def _pick(
        probabilities: Tensor, particles: list[Particle], out: Tensor | None = None
    ) -> Tensor:
        """Draw a token for each particle, (P,)."""
        positions = [len(particle.tokens) for particle in particles]
        return pick(probabilities, [each.params for each in particles], positions, out)

    def _masks(self, particles: list[Particle]) -> Tensor:
        """Return what the guides allow, (P, V)."""
        return torch.stack([self._allowed(particle) for particle in particles]).to(self.device)

    def _allowed(self, particle: Particle) -> Tensor:
        """Return the mask (V,) of what may come next; nothing if the guide fails."""
        try:
            mask = particle.guide.allowed()
        except NoCharacterFits as error:
            particle.fail(error)
            return ~self._anything
        return self._anything if mask is None else mask

    def _rank(self, particles: list[Particle], log_probabilities: Tensor, masks: Tensor) -> None:
        """Keep the likeliest first tokens of those that ask for them, among what is allowed."""
        for n, each in enumerate(particles):
            sequence = each.sequence
            if sequence.num_ranked and not each.tokens and not sequence.ranked:
                allowed = log_probabilities[n].masked_fill(~masks[n], -torch.inf)
                number = min(sequence.num_ranked, int(masks[n].sum()))
                best = allowed.topk(number)
                sequence.ranked += zip(best.indices.tolist(), best.values.tolist(), strict=True)
