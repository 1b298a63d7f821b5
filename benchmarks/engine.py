"""A decode step of the engine against eager torch.nn.LSTM with torch.multinomial.

    python -m benchmarks.engine

Both draw one character for each of B poems a step, under a mask. Ours is what the service runs, in
the dtype it chooses; the peer is what a user would write: nn.LSTM and nn.Linear in float32,
softmax, multinomial. The limit is the time that the step's matrix products take at the rate of a large one.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.side_by_side import gemm_flops, machine, side_by_side
from model.decoding import SamplingParams
from model.engine import Engine, Sequence
from model.place import Place
from model.poetry_model import PoetryConfig, PoetryModel
from model.precision import compute_dtype


class Endless:
    """A guide that lets most tokens come, for ever."""

    place = Place.FREE
    finished = False

    def __init__(self, mask: Tensor) -> None:
        self._mask = mask

    def allowed(self) -> Tensor:
        """Return the mask, (V,)."""
        return self._mask

    def advance(self, token: int) -> None:
        """Stay as it is."""


class Eager(nn.Module):
    """The model as a user of torch.nn would write it."""

    def __init__(self, config: PoetryConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size, config.num_layers)
        self.projection = nn.Linear(config.hidden_size, config.embedding_size)
        self.output = nn.Linear(config.embedding_size, config.vocab_size)

    @torch.inference_mode()
    def step(
        self, tokens: Tensor, state: tuple[Tensor, Tensor], mask: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Draw the next tokens, (B,)."""
        hidden, state = self.lstm(self.embedding(tokens)[None], state)
        logits = self.output(self.projection(hidden[0])).masked_fill(~mask, -torch.inf)
        return torch.multinomial(torch.softmax(logits / 0.8, -1), 1).squeeze(-1), state


def ours(model: PoetryModel, rows: int, mask: Tensor) -> Callable[[], object]:
    """Return a step of the engine with rows poems running."""
    engine = Engine(model, rows)
    for seed in range(rows):
        engine.add(Sequence([1, 2], Endless(mask), SamplingParams(temperature=0.8, seed=seed)))
    for _ in range(3):
        engine.step()
    return engine.step


def theirs(eager: Eager, rows: int, mask: Tensor) -> Callable[[], object]:
    """Return a step of the peer with rows poems."""
    layers, size = eager.lstm.num_layers, eager.lstm.hidden_size
    held = [torch.zeros(rows, dtype=torch.long), (torch.zeros(layers, rows, size),) * 2]
    masks = mask.expand(rows, -1)

    def step() -> None:
        held[:] = eager.step(held[0], held[1], masks)  # type: ignore[arg-type]

    return step


def multiplications(config: PoetryConfig) -> int:
    """Return the multiplications of a step for one poem."""
    inputs = [config.embedding_size] + [config.hidden_size] * (config.num_layers - 1)
    cells = sum(4 * config.hidden_size * (size + config.hidden_size) for size in inputs)
    return cells + config.embedding_size * (config.hidden_size + config.vocab_size)


def measure(config: PoetryConfig, rows: int, rounds: int) -> dict[str, float]:
    """Return the figures of one batch size."""
    torch.manual_seed(0)
    dtype = compute_dtype()
    mask = torch.rand(config.vocab_size) < 0.9
    model = PoetryModel(config).to(dtype).eval()
    timings = side_by_side(
        {
            "ours": ours(model, rows, mask),
            "theirs": theirs(Eager(config).eval(), rows, mask),
        },
        rounds,
    )
    mine, peer = timings["ours"], timings["theirs"]
    limit_s = 2 * multiplications(config) * rows / gemm_flops(dtype)
    return {
        "batch": rows,
        "step_s": mine.median_s,
        "peer_step_s": peer.median_s,
        "characters_per_s": rows / mine.median_s,
        "times_faster": mine.times_faster_than(peer),
        "share_of_gemm_limit": limit_s / mine.median_s,
    }


def main(
    vocab_size: int = 7400,
    embedding_size: int = 512,
    hidden_size: int = 1024,
    layers: int = 2,
    rounds: int = 41,
    out: Annotated[Path | None, typer.Option(help="Where to write the figures as JSON.")] = None,
) -> None:
    """Print characters a second by batch size."""
    config = PoetryConfig(vocab_size, embedding_size, hidden_size, layers)
    rows = [measure(config, batch, rounds) for batch in (1, 16, 64, 128)]
    figures: dict[str, Any] = {"machine": machine(), "config": config.to_dict(), "rows": rows}
    table = Table("poems", "step", "peer's step", "characters/s", "times faster", "of GEMM limit")
    for row in rows:
        table.add_row(
            f"{row['batch']:.0f}",
            f"{row['step_s'] * 1e3:.2f} ms",
            f"{row['peer_step_s'] * 1e3:.2f} ms",
            f"{row['characters_per_s']:.0f}",
            f"{row['times_faster']:.1f}",
            f"{row['share_of_gemm_limit']:.2f}",
        )
    Console().print(table)
    if out is not None:
        out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
