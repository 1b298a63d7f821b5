"""Who writes behind a peer: torch.nn.LSTM as a user would write it, or our step.

Both write a batch of quatrains from start to end. The first does less: it forces the marks, but
keeps no tone, no rhyme and no seed, and proves nothing.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from app.answers import PoemOut
from app.schemas import GenerateRequest
from app.settings import Settings
from benchmarks.eager import Eager
from model.checkpoint import Checkpoint
from model.poet.line_filter import LineFilter
from model.poet.poet import Poet
from model.verse.form import Form
from model.verse.script import Script, to_script

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
