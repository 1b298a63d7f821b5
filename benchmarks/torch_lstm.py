"""A reference to beat: the same model around torch.nn.LSTM, trained in the same loop.

    python -m benchmarks.torch_lstm --set steps=300

Prints tokens a second and validation bits of both, trained in turn from the same configuration.
"""

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn
from torch.func import functional_call

from benchmarks.side_by_side import machine
from model.lstm import LSTMState
from model.poetry_model import PoetryConfig, PoetryModel
from training.corpus import read_poems
from training.metrics import read_rows
from training.train import TrainConfig, Trainer, build_vocabulary


class TorchLSTM(nn.Module):
    """torch.nn.LSTM behind the interface of model.lstm.LSTM."""

    def __init__(self, config: PoetryConfig) -> None:
        super().__init__()
        self.inner = nn.LSTM(
            config.embedding_size, config.hidden_size, config.num_layers, dropout=config.dropout
        )

    def initial_state(self, batch_size: int) -> LSTMState:
        """Return a state of zeros for batch_size sequences."""
        weight = next(self.inner.parameters())
        zeros = weight.new_zeros(self.inner.num_layers, batch_size, self.inner.hidden_size)
        return LSTMState(zeros, zeros.clone())

    def forward(self, x: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:
        """Read a sequence (T, B, E) in its dtype, whatever the weights are kept in."""
        state = state or self.initial_state(x.shape[1])
        weights = {name: weight.to(x.dtype) for name, weight in self.inner.named_parameters()}
        past = tuple(part.to(x.dtype) for part in state)
        out, end = functional_call(self.inner, weights, (x, past))
        return out, LSTMState(*end)


def torch_model(config: PoetryConfig) -> PoetryModel:
    """Return a PoetryModel whose LSTM is torch's."""
    model = PoetryModel(config)
    model.lstm = TorchLSTM(config)  # type: ignore[assignment]
    return model


def main(
    corpus: Annotated[Path, typer.Option(help="What training.corpus wrote.")] = Path("corpus"),
    options: Annotated[
        list[str] | None, typer.Option("--set", help="A field of TrainConfig: steps=100.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the figures as JSON.")] = None,
) -> None:
    """Train both from scratch and print what came of it as JSON."""
    config = TrainConfig.parse(options or [])
    poems = list(read_poems(corpus / "train.jsonl"))
    validation = list(read_poems(corpus / "validation.jsonl"))
    vocabulary = build_vocabulary(poems, 15, 100)
    figures: dict[str, Any] = {"machine": machine(), "steps": config.steps}
    for name, build in (("torch.nn.LSTM", torch_model), ("model.lstm", PoetryModel)):
        with tempfile.TemporaryDirectory() as folder:
            torch.manual_seed(config.seed)
            model = build(config.model_config(vocabulary))
            trainer = Trainer(config, vocabulary, poems, validation, Path(folder), model=model)
            trainer.run()
            rows = read_rows(Path(folder) / "metrics.csv")
        figures[name] = {
            "tokens_per_s": median(row["tokens_per_s"] for row in rows),
            "validation_bits": rows[-1]["validation_bits"],
        }
    typer.echo(json.dumps(figures, indent=1))
    if out is not None:
        out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
