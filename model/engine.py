"""The engine: many poems at once, a token each a step, by continuous batching over slots.

An LSTM remembers a sequence in a state of constant size, so all there is to hand out is slots: a
new sequence joins at the next step, a finished one leaves its slot at once. Header tokens are fed
as they are given, body tokens are drawn under the sequence's guide; both go through the same step.

Shapes
    S  slots   B  running sequences   E  embedding   H  hidden   L  layers   V  vocabulary

A layer's step is one matrix product over [x, h], the row that its buffer holds for each slot.

The same sequence gives the same tokens, alone or among others: rows of a matrix product must not
depend on the number of rows. Engine finds out at start for which numbers that holds on the machine
at hand, and pads to those.
"""

import math
from collections import deque
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from model.decoding import SamplingParams, draw
from model.guide import Guide
from model.plan import NoCharacterFits
from model.poetry_model import PoetryModel

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass(eq=False)
class Sequence:
    """One poem in the making.

    Args:
        header: Token ids from <bos> to <body>.
        guide: Says what may come next, and when the poem is complete.
        params: How tokens are drawn.
    """

    header: SequenceOf[int]
    guide: Guide
    params: SamplingParams
    tokens: list[int] = field(default_factory=list)  # of the body
    log_probabilities: list[float] = field(default_factory=list)  # of tokens, unmasked, in nats
    error: NoCharacterFits | None = None
    fed: int = 0  # tokens that the model has read

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: the poem is complete or has failed."""
        return self.error is not None or self.guide.finished

    @property
    def steps_left(self) -> int:
        """Steps until the first body token, that one included; 1 once the body has begun."""
        return max(1, len(self.header) - self.fed)

    @property
    def next_input(self) -> int:
        """The token that the model reads next."""
        return self.header[self.fed] if self.fed < len(self.header) else self.tokens[-1]

    @property
    def draws_next(self) -> bool:
        """Whether what follows the next input is a body token."""
        return self.fed + 1 >= len(self.header)

    @property
    def bits(self) -> float:
        """Bits of the body under the model, unmasked and at temperature 1."""
        return -sum(self.log_probabilities) / math.log(2)


class UnstableRows(RuntimeError):
    """Rows of a matrix product depend on their neighbours at every batch size."""


class _Layer:
    """One LSTM layer's weights, packed, and its slots' states."""

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, slots: int) -> None:
        self.weight = torch.cat((weight_ih, weight_hh), dim=1).contiguous()  # (4H, X+H)
        self.bias = bias.contiguous()
        self.input_size, self.hidden_size = weight_ih.shape[1], weight_hh.shape[1]
        rows = slots, self.input_size + self.hidden_size
        self.inputs = self.weight.new_zeros(rows)  # [x, h] a slot
        self.c = self.weight.new_zeros(slots, self.hidden_size)

    def clear(self, slot: int) -> None:
        self.inputs[slot] = 0
        self.c[slot] = 0

    def move(self, source: int, target: int) -> None:
        self.inputs[target] = self.inputs[source]
        self.c[target] = self.c[source]

    def step(self, rows: int) -> Tensor:
        """Take one step in the first rows slots; return their h, (B, H)."""
        size = self.hidden_size
        z = F.linear(self.inputs[:rows], self.weight, self.bias)  # (B, 4H)
        i, f, g, o = z.chunk(4, dim=-1)
        z[:, : 2 * size].sigmoid_()
        g.tanh_()
        o.sigmoid_()
        c = self.c[:rows]
        c.mul_(f).addcmul_(i, g)
        return torch.mul(o, c.tanh(), out=self.inputs[:rows, self.input_size :])


class Engine:
    """Runs sequences, num_slots of them at a time.

    Args:
        model: Whose weights, dtype and device are used; later changes to it are not seen.
        num_slots: S, how many sequences run at once.

    Raises:
        ValueError: If num_slots is below 1.
        UnstableRows: If no batch size makes rows independent of their neighbours.
    """

    @torch.inference_mode()
    def __init__(self, model: PoetryModel, num_slots: int = 128) -> None:
        if num_slots < 1:
            raise ValueError(f"num_slots must be at least 1, got {num_slots}")
        self.num_slots = num_slots
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []  # number n holds slot n
        weight = model.embedding.weight.detach()
        self.device, self.dtype = weight.device, weight.dtype
        self._scale = model.config.embedding_size**0.5
        self._embedding, self._output_bias = weight, model.output_bias.detach().float()
        self._places = model.place_embedding.weight.detach()
        self._projection = model.projection.weight.detach(), model.projection.bias.detach()
        capacity = next((size for size in BATCH_SIZES if size >= num_slots), num_slots)
        self._layers = [
            _Layer(cell.weight_ih.detach(), cell.weight_hh.detach(), cell.bias.detach(), capacity)
            for cell in model.lstm.cells
        ]
        self.batch_sizes = self.find_stable_sizes(capacity)

    @property
    def fingerprint(self) -> str:
        """What besides checkpoint and request decides the tokens: device and dtype."""
        return f"{self.device.type}-{str(self.dtype).removeprefix('torch.')}"

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
        features = self._feed()
        drawing = [slot for slot, s in enumerate(self.running) if s.draws_next]
        for sequence in self.running:
            sequence.fed += 1
        told = self._draw(features, drawing) if drawing else []
        for sequence in told:
            if sequence.finished:
                self._free(self.running.index(sequence))
        return told

    def _admit(self, sequence: Sequence) -> None:
        for layer in self._layers:
            layer.clear(len(self.running))
        self.running.append(sequence)

    def _free(self, slot: int) -> None:
        """Empty a slot; the last running sequence moves into it."""
        last = len(self.running) - 1
        if slot != last:
            for layer in self._layers:
                layer.move(last, slot)
            self.running[slot] = self.running[last]
        self.running.pop()

    def _feed(self) -> Tensor:
        """Run the layers; return what the output layer reads, (B padded, E)."""
        tokens = [sequence.next_input for sequence in self.running]
        places = [s.guide.place if s.draws_next else 0 for s in self.running]
        rows = next(size for size in self.batch_sizes if size >= len(tokens))
        padding = [0] * (rows - len(tokens))
        ids = torch.tensor([tokens + padding, places + padding], device=self.device)
        return self._step_rows(ids[0], ids[1])

    def _step_rows(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Feed tokens (B,) to the first B slots; return the features, (B, E)."""
        rows = len(tokens)
        x = self._embedding[tokens] * self._scale + self._places[places]  # (B, E)
        for layer in self._layers:
            layer.inputs[:rows, : layer.input_size] = x
            x = layer.step(rows)
        return F.linear(x, *self._projection)

    def _logits(self, features: Tensor) -> Tensor:
        return F.linear(features, self._embedding).float() + self._output_bias  # (B, V)

    def _draw(self, features: Tensor, drawing: list[int]) -> list[Sequence]:
        """Draw a body token for each slot of drawing; return their sequences."""
        logits = self._logits(features)[drawing]
        sequences = [self.running[slot] for slot in drawing]
        masked, failed = self._mask(logits, sequences)
        params = [sequence.params for sequence in sequences]
        tokens = draw(masked, params, [len(sequence.tokens) for sequence in sequences])
        log_probabilities = logits.gather(-1, tokens[:, None]).squeeze(-1) - logits.logsumexp(-1)
        drawn = zip(sequences, tokens.tolist(), log_probabilities.tolist(), strict=True)
        for sequence, token, log_probability in drawn:
            if sequence in failed:
                continue
            sequence.tokens.append(token)
            sequence.log_probabilities.append(log_probability)
            sequence.guide.advance(token)
        return sequences

    def _mask(self, logits: Tensor, sequences: list[Sequence]) -> tuple[Tensor, set[Sequence]]:
        """Return logits with minus infinity where a guide forbids; and those it forbids all."""
        rows, masks, failed = [], [], set()
        for row, sequence in enumerate(sequences):
            try:
                allowed = sequence.guide.allowed()
            except NoCharacterFits as error:
                sequence.error = error
                failed.add(sequence)
                continue
            if allowed is not None:
                rows.append(row)
                masks.append(allowed)
        if not masks:
            return logits, failed
        allowed_rows = torch.stack(masks).to(logits.device)
        if len(rows) == len(sequences):
            return logits.masked_fill(~allowed_rows, -torch.inf), failed
        masked = logits.clone()
        masked[rows] = logits[rows].masked_fill(~allowed_rows, -torch.inf)
        return masked, failed

    @torch.inference_mode()
    def find_stable_sizes(self, capacity: int) -> tuple[int, ...]:
        """Return the batch sizes at which a row's logits are those that it has at any other.

        Random tokens are fed to all slots at once, and again to parts of them; nothing may run.

        Raises:
            UnstableRows: If not even a row's place in a full batch leaves its logits alone.
        """
        sizes = [size for size in BATCH_SIZES if size < capacity] + [capacity]
        generator = torch.Generator().manual_seed(0)
        tokens = torch.randint(len(self._embedding), (3, capacity), generator=generator)
        tokens = tokens.to(self.device)
        reference = self._probe(tokens)
        turned = self._probe(tokens.roll(1, dims=1)).roll(-1, dims=0)
        if not torch.equal(turned, reference):
            raise UnstableRows(f"a row's place among {capacity} changes its logits")
        stable = [capacity]
        for size in reversed(sizes[:-1]):
            starts = {0, size, capacity - size, (capacity - size) // 2}
            if all(
                torch.equal(self._probe(tokens[:, at : at + size]), reference[at : at + size])
                for at in sorted(starts)
            ):
                stable.append(size)
        return tuple(sorted(stable))

    def _probe(self, tokens: Tensor) -> Tensor:
        """Return the logits (B, V) after tokens (T, B), fed from the state of zeros."""
        for layer in self._layers:
            layer.inputs.zero_()
            layer.c.zero_()
        places = torch.zeros_like(tokens[0])
        features = [self._step_rows(row, places) for row in tokens]
        return self._logits(features[-1])
