"""A reference to beat: a Transformer decoder of equal size, out of torch's own layers.

It stands in the same loop as our model: embeddings, cues and the tied output layer are
PoetryModel's, and a causal Transformer with sinusoidal positions takes the place of the LSTM.

Sources: Vaswani et al. (2017); layer norm first, Xiong et al. (2020).
"""

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call

from model.lstm import LSTMState
from model.poetry_model import PoetryConfig, PoetryModel

HEAD_SIZE = 64
WIDTHS = 12  # parameters of a layer, in squares of its width


class CausalTransformer(nn.Module):
    """A Transformer with the interface of model.lstm.LSTM; it starts at a sequence's start.

    Args:
        size: E, of inputs and outputs.
        num_layers: How many.
        dropout: Within the layers.
    """

    def __init__(self, size: int, num_layers: int, dropout: float) -> None:
        super().__init__()
        layers = [
            nn.TransformerEncoderLayer(
                size, size // HEAD_SIZE, 4 * size, dropout, "gelu", norm_first=True
            )
            for _ in range(num_layers)
        ]
        norm = nn.LayerNorm(size)
        self.inner = nn.TransformerEncoder(layers[0], 0, norm, enable_nested_tensor=False)
        # It would copy one layer, and so start all of them with the same weights.
        self.inner.layers, self.inner.num_layers = nn.ModuleList(layers), num_layers

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, LSTMState]:
        """Read a whole sequence (T, B, E) in its dtype; the state that comes back holds nothing.

        Raises:
            ValueError: If there is a state to continue from.
        """
        if state is not None:
            raise ValueError("expected no state: this Transformer reads whole sequences")
        x = x + positions(len(x), x.shape[-1]).to(x)[:, None]
        mask = nn.Transformer.generate_square_subsequent_mask(len(x), x.device, x.dtype)
        weights = {name: weight.to(x.dtype) for name, weight in self.inner.named_parameters()}
        out: Tensor = functional_call(self.inner, weights, (x,), {"mask": mask, "is_causal": True})
        nothing = out.new_zeros(0)
        return out, LSTMState(nothing, nothing)


def positions(steps: int, size: int) -> Tensor:
    """Return the sinusoids (T, E) that distinguish positions."""
    rates = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000) / size))
    angles = torch.arange(steps)[:, None] * rates
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


def transformer_model(config: PoetryConfig) -> PoetryModel:
    """Return a PoetryModel of about equal size whose LSTM is a Transformer as wide as E."""
    model = PoetryModel(config)
    size = config.embedding_size
    room = sum(weight.numel() for weight in model.lstm.parameters())
    room += model.projection.weight.numel() - size**2
    num_layers = max(1, round(room / (WIDTHS * size**2)))
    model.lstm = CausalTransformer(size, num_layers, config.dropout)  # type: ignore[assignment]
    model.projection = nn.Linear(size, size)
    return model
