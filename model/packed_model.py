"""The model's step for many slots at once, its weights packed for it.

Shapes
    S  slots   B  rows, the first of the slots   E  embedding   H  hidden   V  vocabulary

A layer's step is one matrix product over [x, h], the row that its buffer holds for each slot.

A row's result must not depend on how many rows are computed with it, nor on its position among
them: else a poem would depend on its neighbours. Matrix products do not promise that, so
PackedModel finds out at start for which numbers of rows it holds on the machine at hand, and
computes those.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from model.poetry_model import PoetryModel

# One row is multiplied by another algorithm, and four take no longer than two.
BATCH_SIZES = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
PROBED_ROWS = 128  # of each size at least, before it is called stable

State = list[tuple[Tensor, Tensor]]  # of a slot, by layer: [x, h], (X + H,), and c, (H,)


class UnstableRows(RuntimeError):
    """Rows of a matrix product depend on their neighbours at every batch size."""


class PackedModel:
    """A model's weights, packed, and the states of its slots; all states are zero at first.

    Args:
        model: Whose weights, dtype and device are used; later changes to it are not seen.
        num_slots: How many slots are needed; S may be a few more.

    Raises:
        UnstableRows: If no batch size makes rows independent of their neighbours.
    """

    @torch.inference_mode()
    def __init__(self, model: PoetryModel, num_slots: int) -> None:
        slots = next((size for size in BATCH_SIZES if size >= num_slots), num_slots)
        self._embedding = model.embedding.weight.detach()
        self._cues = model.place_embedding.weight.detach()
        self._scale = model.config.embedding_size**0.5
        self._layers = [
            _Layer(cell.weight_ih.detach(), cell.weight_hh.detach(), cell.bias.detach(), slots)
            for cell in model.lstm.cells
        ]
        self._skip_connections = model.config.skip_connections
        projection = model.projection
        self._project = pack(projection.weight.detach(), projection.bias.detach(), slots)
        self._output = pack(self._embedding, None, slots)
        self._output_bias = model.output_bias.detach().float()
        self.batch_sizes = self._find_stable_sizes(slots)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._embedding.device

    @property
    def dtype(self) -> torch.dtype:
        """The number format of all but the logits."""
        return self._embedding.dtype

    def rows_for(self, count: int) -> int:
        """Return the least stable number of rows that holds count; at most S."""
        return next(size for size in self.batch_sizes if size >= count)

    def clear(self, slot: int) -> None:
        """Set a slot's state to zero."""
        for layer in self._layers:
            layer.inputs[slot] = 0
            layer.c[slot] = 0

    def state(self, slot: int) -> State:
        """Return a copy of a slot's state, for set_state()."""
        return [(layer.inputs[slot].clone(), layer.c[slot].clone()) for layer in self._layers]

    def set_state(self, slot: int, state: State) -> None:
        """Let a slot go on from a state."""
        for layer, (inputs, c) in zip(self._layers, state, strict=True):
            layer.inputs[slot], layer.c[slot] = inputs, c

    def move(self, source: int, target: int) -> None:
        """Copy a slot's state to another slot."""
        for layer in self._layers:
            layer.inputs[target] = layer.inputs[source]
            layer.c[target] = layer.c[source]

    def step(self, tokens: Tensor, cues: Tensor) -> Tensor:
        """Feed a token to each of the first slots.

        Args:
            tokens: Ids, (B,); B is one of batch_sizes.
            cues: What the token after each is asked to be, (B,).

        Returns:
            What the output layer reads, (B, E).
        """
        x = self._embedding[tokens] * self._scale + self._cues[cues]  # (B, E)
        outputs = list[Tensor]()
        for layer in self._layers:
            x = layer.step(x)
            outputs.append(x)
        return self._project(torch.cat(outputs, dim=1) if self._skip_connections else x)

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (B, V), in float32, from features (B, E); B is one of batch_sizes."""
        return self._output(features).float().add_(self._output_bias)

    def _find_stable_sizes(self, slots: int) -> tuple[int, ...]:
        """Return the batch sizes at which a row's logits are those that it has at any other.

        Random tokens are fed to all slots at once, and again part by part.

        Raises:
            UnstableRows: If not even a row's position in a full batch leaves its logits alone.
        """
        generator = torch.Generator().manual_seed(0)
        smaller = {size for size in BATCH_SIZES if size < slots}
        for _ in range(math.ceil(PROBED_ROWS / slots)):
            tokens = torch.randint(len(self._embedding), (3, slots), generator=generator)
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
        for layer in self._layers:
            layer.inputs.zero_()
            layer.c.zero_()


class _Layer:
    """One LSTM layer's weights, packed, and its slots' states."""

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, slots: int) -> None:
        self._gates = pack(torch.cat((weight_ih, weight_hh), dim=1), bias, slots)
        self._input_size, self._hidden_size = weight_ih.shape[1], weight_hh.shape[1]
        self.inputs = bias.new_zeros(slots, self._input_size + self._hidden_size)  # [x, h] a slot
        self.c = bias.new_zeros(slots, self._hidden_size)

    def step(self, x: Tensor) -> Tensor:
        """Take one step in the first slots, x (B, X); return their h, (B, H)."""
        rows, size = len(x), self._hidden_size
        self.inputs[:rows, : self._input_size] = x
        z = self._gates(self.inputs[:rows])  # (B, 4H)
        i, f, g, o = z.chunk(4, dim=-1)
        z[:, : 2 * size].sigmoid_()
        g.tanh_()
        o.sigmoid_()
        c = self.c[:rows]
        c.mul_(f).addcmul_(i, g)
        return torch.mul(o, c.tanh(), out=self.inputs[:rows, self._input_size :])


def pack(weight: Tensor, bias: Tensor | None, rows: int) -> Callable[[Tensor], Tensor]:
    """Return x -> x weight^T + bias, laid out once for the processor at hand.

    oneDNN reads a weight in blocks; left as it is, it would be rearranged in every call.

    Args:
        weight: (N, K).
        bias: (N,), or None.
        rows: How many rows x mostly has.
    """
    if not _can_pack(weight):
        weight = weight.contiguous()
        return lambda x: F.linear(x, weight, bias)
    blocks = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    linear = torch.ops.mkldnn._linear_pointwise
    return lambda x: linear(x, blocks, bias, "none", [], "")


def _can_pack(weight: Tensor) -> bool:
    """Return whether oneDNN has this weight's number format here."""
    if weight.device.type != "cpu" or not torch._C._has_mkldnn:
        return False
    if weight.dtype is torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return weight.dtype is torch.float32
