"""The engine: many poems at once, a token each a step, by continuous batching over slots.

An LSTM remembers a sequence in a state of constant size, so all there is to hand out is slots: a
new sequence joins at the next step, a finished one leaves its slot at once. Header tokens are fed
as they are given, body tokens are drawn under the sequence's guide; both go through the same step.
Many poems have the same header, so the state after it is kept: the next one starts there.

Shapes
    B  rows, one a sequence, padded to a stable number   E  embedding   V  vocabulary

The same sequence gives the same tokens, alone or among others: PackedModel computes rows that do
not depend on their neighbours, and draws depend on a sequence's own seed and position alone.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence as SequenceOf

import torch
from torch import Tensor

from model.decoding import draw, forbid
from model.guide import NoCharacterFits
from model.packed_model import PackedModel, State
from model.poetry_model import PoetryModel
from model.precision import Precision
from model.sequence import Sequence

HEADERS_KEPT = 256  # whose states are kept, 11 KiB each in the bundled model


class Engine:
    """Runs sequences, num_slots of them at a time.

    Args:
        model: Whose weights and device are used; later changes to it are not seen.
        num_slots: S, how many sequences run at once.
        precision: What to compute in; None for the format that the weights are in.

    Raises:
        ValueError: If num_slots is below 1.
        UnstableRows: If no batch size makes rows independent of their neighbours.
    """

    @torch.inference_mode()
    def __init__(
        self, model: PoetryModel, num_slots: int = 128, precision: Precision | None = None
    ) -> None:
        if num_slots < 1:
            raise ValueError(f"num_slots must be at least 1, got {num_slots}")
        self.num_slots = num_slots
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []  # number n holds slot n
        self._model = PackedModel(model, num_slots, precision)
        self._states = OrderedDict[tuple[int, ...], State]()  # by prefix, the latest used last
        self.device, self.dtype = self._model.device, self._model.precision
        self.batch_sizes = self._model.batch_sizes
        vocab_size = model.config.vocab_size
        self._anything = torch.ones(vocab_size, dtype=torch.bool)
        scratch = torch.empty(2, num_slots, vocab_size, device=self.device)
        self._log_probabilities, self._scratch = scratch  # kept: see draw()

    def add(self, sequence: Sequence) -> None:
        """Let a sequence join at the next step that finds a slot free."""
        self.waiting.append(sequence)

    @torch.inference_mode()
    def cancel(self, sequence: Sequence) -> None:
        """Take a sequence out, wherever it is; one that is not here is left alone."""
        if sequence in self.waiting:
            self.waiting.remove(sequence)
        elif sequence in self.running:
            self._free(self.running.index(sequence))

    @torch.inference_mode()
    def step(self) -> list[Sequence]:
        """Feed one token to every running sequence.

        Returns:
            The sequences that got a body token or failed in this step; those that are finished
            have left their slots.
        """
        while self.waiting and len(self.running) < self.num_slots:
            self._admit(self.waiting.popleft())
        if not self.running:
            return []
        drawing = [slot for slot, s in enumerate(self.running) if s.draws_next]
        features = self._feed()
        for slot, sequence in enumerate(self.running):
            sequence.fed += 1
            if sequence.fed == len(sequence.header) - 1:
                self._keep_state(slot, sequence.prefix)
        drawn = self._draw(features, drawing) if drawing else []
        for sequence in drawn:
            if sequence.finished:
                self._free(self.running.index(sequence))
        return drawn

    def run(self, sequences: SequenceOf[Sequence]) -> SequenceOf[Sequence]:
        """Add sequences, step until all of them are finished, and return them."""
        for sequence in sequences:
            self.add(sequence)
        while not all(sequence.finished for sequence in sequences):
            self.step()
        return sequences

    def _admit(self, sequence: Sequence) -> None:
        """Give a sequence the next slot, in the state after its prefix if that is known."""
        slot, prefix = len(self.running), sequence.prefix
        if prefix in self._states:
            self._states.move_to_end(prefix)
            self._model.set_state(slot, self._states[prefix])
            sequence.fed = len(prefix)
        else:
            self._model.clear(slot)
        self.running.append(sequence)

    def _keep_state(self, slot: int, prefix: tuple[int, ...]) -> None:
        """Keep a slot's state, which is that after a prefix."""
        if prefix not in self._states:
            self._states[prefix] = self._model.state(slot)
            if len(self._states) > HEADERS_KEPT:
                self._states.popitem(last=False)

    def _free(self, slot: int) -> None:
        """Empty a slot; the last running sequence moves into it."""
        last = len(self.running) - 1
        if slot != last:
            self._model.move(last, slot)
            self.running[slot] = self.running[last]
        self.running.pop()

    def _feed(self) -> Tensor:
        """Run the layers; return what the output layer reads, (B, E)."""
        tokens = [sequence.next_input for sequence in self.running]
        cues = [int(s.guide.cue) if s.draws_next else 0 for s in self.running]
        padding = [0] * (self._model.rows_for(len(tokens)) - len(tokens))
        ids = torch.tensor([tokens + padding, cues + padding], device=self.device)
        return self._model.step(ids[0], ids[1])

    def _draw(self, features: Tensor, drawing: list[int]) -> list[Sequence]:
        """Draw a body token for each slot of drawing; return their sequences."""
        sequences = [self.running[slot] for slot in drawing]
        logits = self._logits(features, drawing)
        log_probabilities = torch.log_softmax(
            logits, -1, out=self._log_probabilities[: len(sequences)]
        )
        tokens, fits = self._choose(
            log_probabilities, sequences, (self._scratch[: len(sequences)], logits)
        )
        again = [row for row, token in enumerate(tokens.tolist()) if not vet(sequences[row], token)]
        if again:
            others = [sequences[row] for row in again]
            tokens[again], fits[again] = self._choose(log_probabilities[again], others)
        costs = log_probabilities.gather(-1, tokens[:, None]).squeeze(-1)
        rows = zip(sequences, fits.tolist(), tokens.tolist(), costs.tolist(), strict=True)
        for sequence, fit, token, log_probability in rows:
            if fit and sequence.error is None:
                sequence.tokens.append(token)
                sequence.log_probabilities.append(log_probability)
                sequence.guide.advance(token)
            elif sequence.error is None:
                sequence.error = NoCharacterFits(0, "the guide allows no token")
        return sequences

    def _choose(
        self,
        logits: Tensor,
        sequences: list[Sequence],
        scratch: tuple[Tensor | None, Tensor | None] = (None, None),
    ) -> tuple[Tensor, Tensor]:
        """Draw under the guides' masks.

        Args:
            logits: (B, V).
            sequences: Whose tokens are drawn.
            scratch: Two tensors (B, V) to compute in.

        Returns:
            Tokens, (B,), and whether each may come, (B,): none may where a mask allows nothing.
        """
        masks = torch.stack([self._allowed(sequence) for sequence in sequences]).to(self.device)
        masked = forbid(logits, masks, out=scratch[0])
        params = [sequence.params for sequence in sequences]
        positions = [len(sequence.tokens) for sequence in sequences]
        tokens = draw(masked, params, positions, (masked, scratch[1]))
        return tokens, masks.gather(-1, tokens[:, None]).squeeze(-1)

    def _allowed(self, sequence: Sequence) -> Tensor:
        """Return the mask (V,) of what may come next; nothing if the guide fails."""
        try:
            mask = sequence.guide.allowed()
        except NoCharacterFits as error:
            sequence.error = error
            return ~self._anything
        return self._anything if mask is None else mask

    def _logits(self, features: Tensor, drawing: list[int]) -> Tensor:
        """Return the logits of the slots of drawing alone, a row each."""
        padding = [0] * (self._model.rows_for(len(drawing)) - len(drawing))
        if len(drawing) < len(self.running):
            features = features[drawing + padding]
        return self._model.logits(features)[: len(drawing)]


def vet(sequence: Sequence, token: int) -> bool:
    """Return whether a sequence takes a drawn token; one that has failed takes any."""
    try:
        return sequence.error is not None or sequence.guide.vet(token)
    except NoCharacterFits as error:
        sequence.error = error
        return True
