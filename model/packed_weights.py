"""A model's weights as the engine's step reads them, laid out once for the machine and the format.

Shapes
    B  rows   E  embedding   H  hidden   L  layers   V  vocabulary   X  a layer's inputs, E or H

What lies in memory between the products belongs to the format. float32 and bfloat16 keep x, h and c
as they are. int8 keeps x and h within 1/2, as its products want them (model.quantization), and has
sigmoid alone for both of the LSTM's functions, tanh(z) being 2 sigmoid(2z) - 1:

    x' = x / 2 max|x| by column   h' = h / 2   c' = 2c
    c' = f c' + i (4g' - 2),   h' = o (sigmoid(c') - 1/2),   with g' = sigmoid(2 z_g)

and what is taken from x' and h' is given to the weights that read them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor
from torch.nn import functional as F

from model.linear import Product, pack
from model.lstm import LSTMCell
from model.poetry_model import PoetryModel
from model.precision import Precision
from model.quantization import LIMIT, TINY, pack_int8

# How large a feature may be, in lengths of its row of the projection; what is larger is cut off.
# Over 33,587 tokens of held-out poems none was above 1.9.
FEATURE_REACH = 2.0

VECTOR = 32  # numbers that PyTorch finds the sigmoids of at once, with AVX-512; 16 with AVX2
GRAIN = 32_768  # numbers that PyTorch gives a thread at least


@dataclass(frozen=True)
class PackedWeights:
    """The parts of a step.

    Args:
        embedding: What is read for each token, (V, E), in units of scale.
        scale: (E,) or (1,).
        cues: What is added for each cue, (cues, E).
        gates: z (B, 4H) from a layer's inputs beside its h, (B, X + H); one a layer.
        update: Takes z (B, 4H) and c (B, H), changes c, and writes h (B, H).
        project: Features (B, E) from the h that are read.
        output: Logits (B, V), float32, from features.
        hidden_size: H; in int8 a multiple of VECTOR, filled up with units that stay at zero.
    """

    embedding: Tensor
    scale: Tensor
    cues: Tensor
    gates: tuple[Product, ...]
    update: Callable[[Tensor, Tensor, Tensor], object]
    project: Product
    output: Product
    hidden_size: int


def pack_weights(model: PoetryModel, precision: Precision, rows: int) -> PackedWeights:
    """Return a model's weights for steps in a format.

    Args:
        model: Its weights are in precision.dtype.
        rows: How many rows a step mostly has.
    """
    if precision is Precision.INT8:
        return _pack_in_int8(model)
    embedding = model.embedding.weight.detach()
    linear = model.projection
    output, bias = pack(embedding, None, rows), model.output_bias.detach().float()
    return PackedWeights(
        embedding,
        embedding.new_tensor([model.config.embedding_size**0.5]),
        model.place_embedding.weight.detach(),
        tuple(_pack_cell(cell, rows) for cell in model.lstm.cells),
        update,
        pack(linear.weight.detach(), linear.bias.detach(), rows),
        lambda features: output(features).float().add_(bias),
        model.config.hidden_size,
    )


def _pack_cell(cell: LSTMCell, rows: int) -> Product:
    weight = torch.cat((cell.weight_ih.detach(), cell.weight_hh.detach()), dim=1)  # (4H, X + H)
    return pack(weight, cell.bias.detach(), rows)


def _pack_in_int8(model: PoetryModel) -> PackedWeights:
    embedding, cues = model.embedding.weight.detach(), model.place_embedding.weight.detach()
    root = model.config.embedding_size**0.5
    reach = embedding.abs().amax(0) * root + cues.abs().amax(0)  # of x, (E,)
    reach.clamp_(min=TINY)
    weight, bias = model.projection.weight.detach(), model.projection.bias.detach()
    feature_reach = FEATURE_REACH * weight.norm(dim=1).clamp_(min=TINY)  # (E,)
    weight = _fill(weight, weight.shape[1] // model.config.hidden_size)
    project = pack_int8(weight / feature_reach[:, None], bias * (LIMIT / feature_reach))
    return PackedWeights(
        embedding,
        root * LIMIT / reach,
        cues * (LIMIT / reach),
        tuple(
            _pack_gates(cell, reach if layer == 0 else None)
            for layer, cell in enumerate(model.lstm.cells)
        ),
        update_halves,
        lambda h: project(h).clamp_(-LIMIT, LIMIT),
        pack_int8(embedding * (feature_reach / LIMIT), model.output_bias.detach()),
        model.config.hidden_size + -model.config.hidden_size % VECTOR,
    )


def _pack_gates(cell: LSTMCell, reach: Tensor | None) -> Product:
    """Return a layer's product in int8; reach is that of its inputs, None if they are h."""
    weight_ih, weight_hh = cell.weight_ih.detach(), cell.weight_hh.detach()
    inputs = _fill(weight_ih) if reach is None else weight_ih * reach
    weight = torch.cat((inputs, _fill(weight_hh)), dim=1) / LIMIT  # (4H, X + H)
    weight, bias = _fill(weight.T, 4).T.contiguous(), _fill(cell.bias.detach(), 4)
    for of_g in (weight.chunk(4)[2], bias.chunk(4)[2]):
        of_g *= 2
    return pack_int8(weight, bias)


def _fill(weight: Tensor, parts: int = 1) -> Tensor:
    """Return a weight (..., parts H) with zeros after each part, up to a multiple of VECTOR.

    Units that have only zeros stay at zero.
    """
    apart = weight.reshape(*weight.shape[:-1], parts, -1)
    return F.pad(apart, (0, -apart.shape[-1] % VECTOR)).flatten(-2)


def update(z: Tensor, c: Tensor, h: Tensor) -> None:
    """Take one step from z (B, 4H): change c (B, H), write h (B, H)."""
    i, f, g, o = z.chunk(4, dim=1)
    z[:, : 2 * c.shape[1]].sigmoid_()
    g.tanh_()
    o.sigmoid_()
    c.mul_(f).addcmul_(i, g)
    torch.mul(o, c.tanh(), out=h)


def update_halves(z: Tensor, c: Tensor, h: Tensor) -> None:
    """Take one step from z (B, 4H), doubled for g: change 2c (B, H), write h / 2 (B, H)."""
    i, f, g, o = sigmoid_(z).chunk(4, dim=1)
    c.mul_(f).addcmul_(i, g, value=4).sub_(i, alpha=2)
    torch.mul(o, sigmoid_(c.clone()).sub_(0.5), out=h)


def sigmoid_(x: Tensor) -> Tensor:
    """Replace x by its sigmoid, found in the same way for every number.

    PyTorch finds VECTOR sigmoids at once and what is over of a thread's share by another way, which
    may differ in the last bit: so no share may have any over.

    Args:
        x: Of any shape, contiguous, VECTOR numbers a number of times.
    """
    shares = min(torch.get_num_threads(), ceil(x.numel() / GRAIN))
    if ceil(x.numel() / shares) % VECTOR == 0:
        return x.sigmoid_()
    for part in torch.split(x.view(-1), GRAIN):
        part.sigmoid_()
    return x
