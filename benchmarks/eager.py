"""The model as a user of torch.nn would write it: the peer of our decode step."""

from typing import Self

import torch
from torch import Tensor, nn

from model.checkpoint import Checkpoint
from model.poetry_model import PoetryConfig


class Eager(nn.Module):
    """Embedding, torch.nn.LSTM and an output layer, in float32."""

    def __init__(self, config: PoetryConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size, config.num_layers)
        read = config.num_layers if config.skip_connections else 1  # the layers, from the top
        self.projection = nn.Linear(read * config.hidden_size, config.embedding_size)
        self.read = read
        self.output = nn.Linear(config.embedding_size, config.vocab_size)
        self.scale = config.embedding_size**0.5

    def forward(
        self, tokens: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read tokens (T, B); return the logits of the next, (B, V), and the state."""
        _, state = self.lstm(self.embedding(tokens) * self.scale, state)
        hidden = state[0][-self.read :].transpose(0, 1).flatten(1)  # the last step's, (B, read H)
        return self.output(self.projection(hidden)), state

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """Return a checkpoint's model."""
        model, weights = cls(checkpoint.config), checkpoint.weights
        state = {
            "embedding.weight": weights["embedding.weight"],
            "projection.weight": weights["projection.weight"],
            "projection.bias": weights["projection.bias"],
            "output.weight": weights["embedding.weight"],
            "output.bias": weights["output_bias"],
        }
        for layer in range(checkpoint.config.num_layers):
            cell = f"lstm.cells.{layer}"
            state[f"lstm.weight_ih_l{layer}"] = weights[f"{cell}.weight_ih"]
            state[f"lstm.weight_hh_l{layer}"] = weights[f"{cell}.weight_hh"]
            state[f"lstm.bias_ih_l{layer}"] = weights[f"{cell}.bias"]
            state[f"lstm.bias_hh_l{layer}"] = torch.zeros_like(weights[f"{cell}.bias"])
        model.load_state_dict(state)
        return model.eval()
