"""The model's step for many slots at once, its weights packed for it.

Shapes
    S  slots       B  rows, the first of the slots   V  vocabulary
    E  embedding   H  hidden                         L  layers

What a slot remembers is a row, [x | h of the first layer | h of the second | ...], and its c. A
layer's step is one matrix product over a part of the row: x or the h below, and its own h.

A row's result must not depend on how many rows are computed with it, nor on its position among
them: else a poem would depend on its neighbours. Products in int8 promise that
(model.quantization). Others do not, so PackedModel finds out at start for which numbers of rows it
holds on the machine at hand, and computes those.
"""

import math
from copy import copy
from typing import Self

import torch
from torch import Tensor

from model.packed_weights import pack_weights
from model.poetry_model import PoetryModel
from model.precision import Precision

# One row is multiplied by another algorithm, and four take no longer than two.
BATCH_SIZES = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
PROBED_ROWS = 128  # of each size at least, before it is called stable

State = tuple[Tensor, Tensor]  # of a slot: [x, h, ...], (E + L H,), and c, (L, H)


class UnstableRows(RuntimeError):
    """Rows of a matrix product depend on their neighbours at every batch size."""


class PackedModel:
    """A model's weights, packed, and the states of its slots; all states are zero at first.

    Args:
        model: Whose weights and device are used; later changes to it are not seen.
        num_slots: How many slots are needed; S may be a few more.
        precision: What to compute in; None for the format that the weights are in.

    Raises:
        UnstableRows: If no batch size makes rows independent of their neighbours.
    """

    @torch.inference_mode()
    def __init__(
        self, model: PoetryModel, num_slots: int, precision: Precision | None = None
    ) -> None:
        config, bias = model.config, model.output_bias.detach()
        self.precision = precision or Precision(str(bias.dtype).removeprefix("torch."))
        slots = num_slots
        if self.precision is not Precision.INT8:
            slots = next((size for size in BATCH_SIZES if size >= num_slots), num_slots)
        self._weights = pack_weights(model, self.precision, slots)
        hidden_size = self._weights.hidden_size
        self._rows = bias.new_zeros(slots, config.embedding_size + config.num_layers * hidden_size)
        self._c = bias.new_zeros(config.num_layers, slots, hidden_size)
        read = config.num_layers if config.skip_connections else 1  # the layers, from the top
        self._read = read * hidden_size
        self.batch_sizes = self._find_stable_sizes(slots)

    def beside(self, num_slots: int) -> Self:
        """Return a model of the same weights, with slots of its own.

        It may be used in another thread. Any number of rows is computed, so in other formats than
        int8 they may depend on each other in their last bits.
        """
        twin = copy(self)
        twin._rows = self._rows.new_zeros(num_slots, self._rows.shape[1])
        twin._c = self._c.new_zeros(len(self._c), num_slots, self._c.shape[2])
        twin.batch_sizes = tuple(range(1, num_slots + 1))
        return twin

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._rows.device

    def rows_for(self, count: int) -> int:
        """Return the least stable number of rows that holds count; at most S."""
        return next(size for size in self.batch_sizes if size >= count)

    def clear(self, slot: int) -> None:
        """Set a slot's state to zero."""
        self._rows[slot] = 0
        self._c[:, slot] = 0

    def state(self, slot: int) -> State:
        """Return a copy of a slot's state, for set_state()."""
        return self._rows[slot].clone(), self._c[:, slot].clone()

    def set_state(self, slot: int, state: State) -> None:
        """Let a slot go on from a state."""
        self._rows[slot], self._c[:, slot] = state

    def move(self, source: int, target: int) -> None:
        """Copy a slot's state to another slot."""
        self._rows[target] = self._rows[source]
        self._c[:, target] = self._c[:, source]

    def step(self, tokens: Tensor, cues: Tensor) -> Tensor:
        """Feed a token to each of the first slots.

        Args:
            tokens: Ids, (B,); B is one of batch_sizes.
            cues: What the token after each is asked to be, (B,).

        Returns:
            What the output layer reads, (B, E).
        """
        weights, count = self._weights, tokens.shape[0]
        rows, size, at = self._rows[:count], weights.hidden_size, weights.embedding.shape[1]
        x = torch.embedding(weights.embedding, tokens) * weights.scale
        torch.add(x, torch.embedding(weights.cues, cues), out=rows[:, :at])
        start = 0  # of what the layer reads: what the one below wrote, and its own h
        for gates, c in zip(weights.gates, self._c, strict=True):
            z = gates(rows[:, start : at + size])  # (B, 4H)
            weights.update(z, c[:count], rows[:, at : at + size])
            start, at = at, at + size
        return weights.project(rows[:, -self._read :])

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (B, V), in float32, from features (B, E); B is one of batch_sizes."""
        return self._weights.output(features)

    def _find_stable_sizes(self, slots: int) -> tuple[int, ...]:
        """Return the batch sizes at which a row's logits are those that it has at any other.

        Random tokens are fed to all slots at once, and again part by part.

        Raises:
            UnstableRows: If not even a row's position in a full batch leaves its logits alone.
        """
        if self.precision is Precision.INT8:
            return tuple(range(1, slots + 1))
        generator = torch.Generator().manual_seed(0)
        smaller = {size for size in BATCH_SIZES if size < slots}
        for _ in range(math.ceil(PROBED_ROWS / slots)):
            tokens = torch.randint(len(self._weights.embedding), (3, slots), generator=generator)
            tokens = tokens.to(self.device)
            expected = self._probe(tokens)
            if not torch.equal(self._probe(tokens.roll(1, dims=1)), expected.roll(1, dims=0)):
                raise UnstableRows(f"a row's position among {slots} changes its logits")
            smaller -= {size for size in smaller if not self._keeps(size, tokens, expected)}
        self._reset()
        return (*sorted(smaller), slots)

    def _keeps(self, size: int, tokens: Tensor, expected: Tensor) -> bool:
        """Return whether tokens (T, S) give the same logits (S, V) when fed size at a time."""
        slots = len(expected)
        return all(
            torch.equal(self._probe(tokens[:, at : at + size]), expected[at : at + size])
            for at in (*range(0, slots - size, size), slots - size)
        )

    def _probe(self, tokens: Tensor) -> Tensor:
        """Return the logits (B, V) after tokens (T, B), fed from the state of zeros."""
        self._reset()
        cues = torch.zeros_like(tokens[0])
        features = [self.step(row, cues) for row in tokens]
        return self.logits(features[-1])

    def _reset(self) -> None:
        self._rows.zero_()
        self._c.zero_()
