"""A decode step of the engine against eager torch.nn.LSTM with torch.multinomial.

    python -m benchmarks.engine

Both draw one character for each of B poems a step, under a mask. Ours is what the service runs, in
the format it chooses; the peer is what a user would write: nn.LSTM and nn.Linear in float32,
softmax, multinomial. The limit is the time that the step's matrix products take at the rate of a
large one; at few poems it is memory, not arithmetic, that limits both.
"""

import itertools
from collections.abc import Callable
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.eager import Eager
from benchmarks.side_by_side import gemm_flops, keep, machine, side_by_side
from model.decoding import draw
from model.engine import Engine
from model.guide import Unguided
from model.packed_model import PackedModel
from model.packed_weights import pack_weights
from model.poetry_model import PoetryConfig, PoetryModel
from model.precision import Precision, choose_precision
from model.quantization import pack_int8
from model.sampling import SamplingParams
from model.sequence import Sequence

HEADER = [1, 2, 3, 4, 5, 6]  # as long as <bos>, form, <regulated>, era, author and <body>


class Masked(Unguided):
    """Allows the same tokens at every step, a number of times or, at -1, without end."""

    def __init__(self, mask: Tensor, max_tokens: int = -1) -> None:
        super().__init__(max_tokens)
        self._mask = mask

    def allowed(self) -> Tensor:
        """Return the mask, (V,)."""
        return self._mask


def running(
    model: PoetryModel, precision: Precision, rows: int, mask: Tensor, slots: int | None = None
) -> Engine:
    """Return an engine in which rows poems have begun."""
    engine = Engine(model, slots or rows, precision)
    for seed in range(rows):
        engine.add(Sequence(HEADER, Masked(mask), SamplingParams(seed=seed)))
    for _ in range(len(HEADER) + 1):
        engine.step()
    return engine


def first_character(
    model: PoetryModel, precision: Precision, rows: int, mask: Tensor
) -> Callable[[], object]:
    """Return what brings one more poem to its first character while rows - 1 others run.

    Its header is one that the engine does not know.
    """
    engine, number = running(model, precision, rows - 1, mask, rows), itertools.count(len(HEADER))

    def start() -> None:
        header = [next(number), *HEADER[1:]]
        engine.run([Sequence(header, Masked(mask, max_tokens=1), SamplingParams())])

    return start


def theirs(eager: Eager, rows: int, mask: Tensor, steps: int = 1) -> Callable[[], object]:
    """Return what draws the peer's next tokens for rows poems after reading steps tokens."""
    layers, size = eager.lstm.num_layers, eager.lstm.hidden_size
    state = (torch.zeros(layers, rows, size), torch.zeros(layers, rows, size))
    masks = mask.expand(rows, -1)
    tokens = torch.zeros(steps, rows, dtype=torch.long)

    @torch.inference_mode()
    def step() -> None:
        nonlocal tokens, state
        logits, state = eager(tokens, state)
        logits = logits.masked_fill(~masks, -torch.inf)
        drawn = torch.multinomial(torch.softmax(logits / 0.8, -1), 1).squeeze(-1)
        tokens = drawn.expand(steps, -1)

    return step


def phases(
    model: PoetryModel, precision: Precision, rows: int, mask: Tensor
) -> dict[str, Callable[[], object]]:
    """Return the parts of a step: the layers, their matrix products, the output layer, the draw."""
    packed, weights = PackedModel(model, rows, precision), pack_weights(model, precision, rows)
    size = packed.rows_for(rows)
    tokens, cues = torch.randint(len(mask), (size,)), torch.zeros(size, dtype=torch.long)
    with torch.inference_mode():
        features = packed.step(tokens, cues)
        logits = packed.logits(features)[:rows]
    masks = mask.expand(rows, -1).contiguous()
    params, positions = [SamplingParams(seed=seed) for seed in range(rows)], [0] * rows
    inputs = [model.config.embedding_size, *[weights.hidden_size] * model.config.num_layers]
    read = model.config.num_layers if model.config.skip_connections else 1
    widths = [*(size + weights.hidden_size for size in inputs[:-1]), read * weights.hidden_size]
    products = [
        (product, torch.rand(size, width).sub_(0.5).to(precision.dtype))
        for product, width in zip((*weights.gates, weights.project), widths, strict=True)
    ]
    parts: dict[str, Callable[[], object]] = {
        "layers": lambda: packed.step(tokens, cues),
        "products": lambda: [product(x) for product, x in products],
        "output": lambda: packed.logits(features),
        "draw": lambda: draw(logits, masks, params, positions),
    }
    return {name: torch.inference_mode()(part) for name, part in parts.items()}


def multiplications(config: PoetryConfig) -> int:
    """Return the multiplications of a step for one poem."""
    inputs = [config.embedding_size] + [config.hidden_size] * (config.num_layers - 1)
    cells = sum(4 * config.hidden_size * (size + config.hidden_size) for size in inputs)
    return cells + config.embedding_size * (config.hidden_size + config.vocab_size)


def product_rate(precision: Precision) -> float:
    """Measure operations a second of a large matrix product in a format."""
    if precision is not Precision.INT8:
        return gemm_flops(precision.dtype)
    rows, inner, columns = 2048, 1024, 4096
    multiply, x = pack_int8(torch.randn(columns, inner), None), torch.rand(rows, inner) - 0.5
    timing = side_by_side({"product": lambda: multiply(x)}, rounds=15)["product"]
    return 2 * rows * inner * columns / min(timing.rounds_s)


def measure(config: PoetryConfig, precision: Precision, rows: int, rounds: int) -> dict[str, float]:
    """Return the figures of one batch size."""
    torch.manual_seed(0)
    mask = torch.rand(config.vocab_size) < 0.5
    model, eager = PoetryModel(config).to(precision.dtype).eval(), Eager(config).eval()
    contestants = {
        "ours": running(model, precision, rows, mask).step,
        "theirs": theirs(eager, rows, mask),
        "our first": first_character(model, precision, rows, mask),
        "their first": theirs(eager, 1, mask, len(HEADER)),
        **phases(model, precision, rows, mask),
    }
    timings = side_by_side(contestants, rounds)
    seconds = {name: timing.median_s for name, timing in timings.items()}
    limit_s = 2 * multiplications(config) * rows / product_rate(precision)
    return {
        "batch": rows,
        "step_s": seconds["ours"],
        "peer_step_s": seconds["theirs"],
        "characters_per_s": rows / seconds["ours"],
        "times_faster": timings["ours"].times_faster_than(timings["theirs"]),
        "share_of_gemm_limit": limit_s / seconds["ours"],
        "first_character_s": seconds["our first"],
        "peer_first_character_alone_s": seconds["their first"],
        "products_s": seconds["products"],
        "pointwise_s": seconds["layers"] - seconds["products"],
        "output_s": seconds["output"],
        "draw_s": seconds["draw"],
        "rest_s": seconds["ours"] - sum(seconds[name] for name in ("layers", "output", "draw")),
    }


def print_tables(rows: list[dict[str, float]]) -> None:
    """Print what a user gets, and where the time goes."""
    speed = Table("poems", "step", "peer's step", "characters/s", "times faster", "of GEMM limit")
    parts = ("products_s", "pointwise_s", "output_s", "draw_s", "rest_s", "first_character_s")
    phase = Table("poems", *(name.removesuffix("_s").replace("_", " ") + ", ms" for name in parts))
    for row in rows:
        poems = f"{row['batch']:.0f}"
        speed.add_row(
            poems,
            f"{row['step_s'] * 1e3:.2f} ms",
            f"{row['peer_step_s'] * 1e3:.2f} ms",
            f"{row['characters_per_s']:.0f}",
            f"{row['times_faster']:.1f}",
            f"{row['share_of_gemm_limit']:.2f}",
        )
        phase.add_row(poems, *(f"{row[name] * 1e3:.2f}" for name in parts))
    Console().print(speed, phase)


def main(
    vocab_size: int = 7400,
    embedding_size: int = 512,
    hidden_size: int = 1024,
    layers: int = 2,
    rounds: int = 41,
    dtype: Annotated[Precision | None, typer.Option(help="Ours; by default the fastest.")] = None,
    save: Annotated[bool, typer.Option(help="Keep the figures in benchmarks/results.")] = False,
) -> None:
    """Print characters a second by batch size, the peer's, and the parts of a step."""
    config = PoetryConfig(vocab_size, embedding_size, hidden_size, layers)
    precision = dtype or choose_precision()
    rows = [measure(config, precision, batch, rounds) for batch in (1, 16, 64, 128)]
    print_tables(rows)
    if save:
        figures = {"machine": machine(), "dtype": precision, "config": config.to_dict()}
        keep("engine" if dtype is None else f"engine_{precision}", {**figures, "rows": rows})


if __name__ == "__main__":
    typer.run(main)
