"""The language model: embedding, LSTM, and an output layer tied to the embedding.

Shapes
    B  batch   T  time steps   E  embedding   H  hidden   L  layers   V  vocabulary

    x_t = sqrt(E) embedding[token_t] + place_embedding[cue_{t+1}]   (B, E)
    h_t = LSTM(x_t)                                       (B, H), with skip connections (B, L H)
    logits_t = embedding (projection h_t) + output_bias       (B, V)

A cue (model.verse.cue) is what the verse asks of the next token: the model hears of a tone or a
rhyme before it chooses. Cue 0 asks nothing and adds nothing. Checkpoints of format 1 call its
embedding place_embedding.

Sources: tied embeddings, Press & Wolf (2017), Inan et al. (2017); their scale as inputs, Vaswani
et al. (2017); an output that reads every layer, Graves (2013).
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.lstm import LSTM, LSTMState
from model.verse.cue import Cue


@dataclass(frozen=True)
class PoetryConfig:
    """The sizes of a model.

    Args:
        skip_connections: Whether the output reads every layer's hidden states, or the top's alone.

    Raises:
        ValueError: If a size is below 1 or dropout is not in [0, 1).
    """

    vocab_size: int
    embedding_size: int = 512
    hidden_size: int = 1024
    num_layers: int = 2
    dropout: float = 0.0
    skip_connections: bool = False

    def __post_init__(self) -> None:
        for name in ("vocab_size", "embedding_size", "hidden_size", "num_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields in JSON's types."""
        return asdict(self)


class PoetryModel(nn.Module):
    """A recurrent language model over the tokens of a Vocabulary."""

    def __init__(self, config: PoetryConfig) -> None:
        super().__init__()
        self.config = config
        size = config.embedding_size
        self.embedding = nn.Embedding(
            config.vocab_size, size, _weight=torch.empty(config.vocab_size, size)
        )
        self.place_embedding = nn.Embedding(
            len(Cue), size, padding_idx=0, _weight=torch.zeros(len(Cue), size)
        )
        self.lstm = LSTM(
            config.embedding_size,
            config.hidden_size,
            config.num_layers,
            config.dropout,
            config.skip_connections,
        )
        self.projection = nn.Linear(self.lstm.output_size, config.embedding_size)
        self.output_bias = nn.Parameter(self.projection.bias.new_zeros(config.vocab_size))
        self.dropout = nn.Dropout(config.dropout)
        # A checkpoint's shapes are compared on the meta device, whose normal_() imports
        # torch._dynamo: that takes longer than all the rest of a start.
        if not self.embedding.weight.is_meta:
            nn.init.normal_(self.embedding.weight, std=size**-0.5)

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return the state before the first token of batch_size sequences."""
        return self.lstm.initial_state(batch_size)

    def features(
        self,
        tokens: Tensor,
        state: LSTMState | None = None,
        cues: Tensor | None = None,
        dtype: torch.dtype | None = None,
    ) -> tuple[Tensor, LSTMState]:
        """Read tokens; return what the output layer reads.

        Args:
            tokens: Ids, (T, B).
            state: Where to continue from; zeros if None.
            cues: What the token after each is asked to be, (T, B); nothing if None.
            dtype: What to compute in, whatever the weights are kept in; theirs if None.

        Returns:
            Features, (T, B, E), and the state after the last token, both in dtype.
        """
        x = self.embedding(tokens) * self.config.embedding_size**0.5
        if cues is not None:
            x = x + self.place_embedding(cues)
        hidden, state = self.lstm(self.dropout(x.to(dtype or x.dtype)), state)
        weight, bias = (p.to(hidden.dtype) for p in (self.projection.weight, self.projection.bias))
        return self.dropout(F.linear(hidden, weight, bias)), state

    def output(self, features: Tensor) -> Tensor:
        """Return the logits (…, V) of the next token from features (…, E)."""
        return F.linear(features, self.embedding.weight, self.output_bias)

    def forward(
        self, tokens: Tensor, state: LSTMState | None = None, cues: Tensor | None = None
    ) -> tuple[Tensor, LSTMState]:
        """Read a sequence.

        Args:
            tokens: Ids, (T, B).
            state: Where to continue from; zeros if None.
            cues: What the token after each is asked to be, (T, B); nothing if None.

        Returns:
            The logits of each next token, (T, B, V), and the state after the last token.
        """
        features, state = self.features(tokens, state, cues)
        return self.output(features), state

    def step(
        self, tokens: Tensor, state: LSTMState, cues: Tensor | None = None
    ) -> tuple[Tensor, LSTMState]:
        """Read one token a sequence, (B,); return the logits of the next, (B, V), and the state."""
        logits, state = self(tokens[None], state, None if cues is None else cues[None])
        return logits[0], state
