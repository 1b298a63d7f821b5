"""Who writes behind a peer: torch.nn.LSTM as a user would write it, or our step.

Both write a batch of quatrains from start to end. The first does less: it forces the marks, but
keeps no tone, no rhyme and no seed, and proves nothing.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from app.schemas import GenerateRequest, PoemOut
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.form import Form
from model.line_filter import LineFilter
from model.poet import Poet
from model.poetry_model import PoetryConfig
from model.script import Script, to_script

Fields = dict[str, Any]

LINE = 8  # seven characters and a mark
TOKENS = 4 * LINE


class Writer(Protocol):
    """Writes poems for the bodies of requests, a batch at a time."""

    def write(self, batch: Sequence[Fields]) -> list[Fields]:
        """Return an answer a request, in order."""


def writer(name: str) -> Writer:
    """Return a writer by name, torch or ours, with the checkpoint that the settings name."""
    settings = Settings()
    torch.set_num_threads(settings.num_threads)
    checkpoint = Checkpoint.load(settings.checkpoint)
    if name == "torch":
        return TorchPoet(checkpoint)
    return OurPoet(checkpoint, LineFilter.load(settings.lines))


class Eager(nn.Module):
    """The model as a user of torch.nn would write it."""

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
    def of(cls, checkpoint: Checkpoint) -> "Eager":
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


class TorchPoet:
    """Writes with torch.nn.LSTM, softmax and torch.multinomial, in float32."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._model = Eager.of(checkpoint)
        self._vocabulary = checkpoint.vocabulary
        self._header = self._vocabulary.header(form=Form.QIJUE, regulated=True)
        self._no_marks = torch.full((checkpoint.config.vocab_size,), -torch.inf)
        self._no_marks[list(self._vocabulary.han_ids)] = 0.0

    @torch.inference_mode()
    def write(self, batch: Sequence[Fields]) -> list[Fields]:
        """Return an answer a request, in order."""
        vocabulary = self._vocabulary
        starts = torch.tensor([vocabulary.id_of(fields["start"]) for fields in batch])
        temperatures = torch.tensor([fields["temperature"] for fields in batch])[:, None]
        header = torch.tensor(self._header)[:, None].expand(-1, len(batch))
        logits, state = self._model(header)
        rows = [starts]
        for place in range(1, TOKENS):
            logits, state = self._model(rows[-1][None], state)
            if place % LINE == LINE - 1:
                odd = place % (2 * LINE) == LINE - 1
                mark = vocabulary.comma_id if odd else vocabulary.full_stop_id
                rows.append(torch.full_like(starts, mark))
            else:
                probabilities = torch.softmax((logits + self._no_marks) / temperatures, -1)
                rows.append(torch.multinomial(probabilities, 1).squeeze(-1))
        poems = torch.stack(rows, 1).tolist()
        return [{"text": to_script(vocabulary.decode(ids), Script.SIMPLIFIED)} for ids in poems]


class OurPoet:
    """Writes what the service writes, step for step, but a whole batch before the next."""

    def __init__(self, checkpoint: Checkpoint, line_filter: LineFilter) -> None:
        self._poet = Poet(checkpoint, line_filter)

    def write(self, batch: Sequence[Fields]) -> list[Fields]:
        """Return an answer a request, in order."""
        requests = [GenerateRequest.model_validate(fields) for fields in batch]
        poems = self._poet.write([request.spec(request.seed or 0) for request in requests])
        return [{"poems": [PoemOut.of(poem).model_dump(mode="json")]} for poem in poems]
