"""What becomes of an LSTM whose units start equal: the experiment of docs/derivation.md.

The task is to say six random symbols again, in order: the second half of a sequence follows from
the first, and only the second half is scored. Guessing costs ln 8 = 2.079 nats per symbol. The same
model sees the same sequences from each start:

    zero       every parameter 0
    equal      random symbols, but each unit a copy of the first (so its W_hh h is H times one h)
    readout    the LSTM's parameters 0, the embedding and the projection random
    random     everything random, the LSTM as LSTMCell.reset_parameters has it

and, as a measure of what equal units are worth, a model of one unit.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.lstm import LSTM

STARTS = "zero", "equal", "readout", "random"
SYMBOLS, REPEATED, UNITS, BATCH = 8, 6, 32, 64


class Record(NamedTuple):
    """A model after some steps of training."""

    step: int
    loss: float  # nats per symbol of the second half
    spread: float  # the largest difference between two units' hidden states
    weight_spread: float  # the same between the parameters of two units


class Repeater(nn.Module):
    """The smallest language model around our LSTM: one layer, output tied to the embedding."""

    def __init__(self, units: int, embedding_size: int = 16) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, embedding_size)
        self.lstm = LSTM(embedding_size, units)
        self.projection = nn.Linear(units, embedding_size)
        self.output_bias = nn.Parameter(torch.zeros(SYMBOLS))

    def hidden(self, symbols: Tensor) -> Tensor:
        """Return the hidden states (T, B, H) over symbols (T, B)."""
        states: Tensor = self.lstm(self.embedding(symbols))[0]
        return states

    def forward(self, symbols: Tensor) -> Tensor:
        """Return the logits (T, B, SYMBOLS) of each next symbol."""
        features = self.projection(self.hidden(symbols))
        return F.linear(features, self.embedding.weight, self.output_bias)


def start_model(start: str, units: int = UNITS, seed: int = 0) -> Repeater:
    """Return a model in float64, started as STARTS says.

    Raises:
        ValueError: If start is not one of STARTS.
    """
    if start not in STARTS:
        raise ValueError(f"start must be one of {', '.join(STARTS)}, got {start!r}")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Repeater(units).double()
    with torch.no_grad():
        if start == "zero":
            for parameter in model.parameters():
                parameter.zero_()
        if start == "readout":
            for parameter in model.lstm.parameters():
                parameter.zero_()
        if start == "equal":
            make_units_equal(model)
    return model


@torch.no_grad()
def make_units_equal(model: Repeater) -> None:
    """Copy the first unit's parameters over those of all others."""
    cell = model.lstm.cells[0]
    for parameter in (cell.weight_ih, cell.weight_hh[:, :1], cell.bias[:, None]):
        gates = parameter.view(4, -1, parameter.shape[-1])
        gates.copy_(gates[:, :1].clone().expand_as(gates))
    cell.weight_hh.copy_(cell.weight_hh[:, :1].clone().expand_as(cell.weight_hh))
    weight = model.projection.weight
    weight.copy_(weight[:, :1].clone().expand_as(weight))


def sequences(seed: int) -> Iterator[Tensor]:
    """Yield batches of symbols, (2 REPEATED, BATCH), whose second half repeats the first."""
    random = torch.Generator().manual_seed(seed)
    while True:
        yield torch.randint(SYMBOLS, (REPEATED, BATCH), generator=random).repeat(2, 1)


def loss_of(model: Repeater, batch: Tensor) -> Tensor:
    """Return the mean loss over the second half of a batch, in nats per symbol."""
    logits = model(batch[:-1])
    return F.cross_entropy(logits[REPEATED - 1 :].flatten(0, 1), batch[REPEATED:].flatten())


def spread(rows: Tensor, dim: int) -> float:
    """Return the largest difference between two entries along dim."""
    return float((rows.amax(dim) - rows.amin(dim)).max())


@torch.no_grad()
def spreads(model: Repeater, batch: Tensor) -> tuple[float, float]:
    """Return how far units differ: in their hidden states, and in their parameters."""
    cell = model.lstm.cells[0]
    incoming = (cell.weight_ih, cell.weight_hh, cell.bias[:, None])
    of_gates = [spread(rows.view(4, cell.hidden_size, -1), dim=1) for rows in incoming]
    return spread(model.hidden(batch), dim=2), max(
        *of_gates, spread(model.projection.weight, dim=1)
    )


def train(model: Repeater, steps: int, every: int = 20) -> list[Record]:
    """Train with Adam; return what every few steps show on sequences never trained on."""
    held_out, batches = next(sequences(seed=1)), sequences(seed=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    records = []
    for step in range(steps + 1):
        if step % every == 0:
            with torch.no_grad():
                loss = loss_of(model, held_out).item()
            records.append(Record(step, loss, *spreads(model, held_out)))
        optimizer.zero_grad()
        torch.autograd.backward(loss_of(model, next(batches)))
        optimizer.step()
    return records


def collapsed(model: Repeater) -> Repeater:
    """Return the model of one unit that computes what a model of equal units computes."""
    single = start_model("zero", units=1)
    ours, cell = model.lstm.cells[0], single.lstm.cells[0]
    with torch.no_grad():
        cell.weight_ih.copy_(ours.weight_ih[:: ours.hidden_size])
        cell.weight_hh.copy_(ours.weight_hh[:: ours.hidden_size].sum(1, keepdim=True))
        cell.bias.copy_(ours.bias[:: ours.hidden_size])
        single.projection.weight.copy_(model.projection.weight.sum(1, keepdim=True))
        single.projection.bias.copy_(model.projection.bias)
        single.embedding.weight.copy_(model.embedding.weight)
        single.output_bias.copy_(model.output_bias)
    return single


def draw(runs: dict[str, list[Record]], path: Path) -> None:
    """Draw loss and spread over the steps of every run."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "yin"})
    mpl.rcParams.update({"font.size": 9, "font.sans-serif": ["DejaVu Sans"]})
    from matplotlib import pyplot

    floor = 1e-18  # where a logarithmic axis shows what is exactly 0
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8.6, 3.3), layout="constrained")
    colours = "#c0392b", "#e08e0b", "#2c7fb8", "#1b7837", "#999999"
    for (start, records), colour in zip(runs.items(), colours, strict=True):
        steps = [record.step for record in records]
        left.plot(steps, [record.loss for record in records], color=colour, label=start)
        if start != "one unit":
            right.plot(steps, [max(record.spread, floor) for record in records], color=colour)
    left.axhline(math.log(SYMBOLS), color="#555555", lw=0.8, ls=":")
    left.text(steps[-1], math.log(SYMBOLS) + 0.05, "guessing: ln 8", color="#555555", ha="right")
    left.set(
        title="loss of the repeated half", ylabel="nats per symbol", xlabel="step", ylim=(0, 2.4)
    )
    left.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.4))
    right.set(title="largest difference between two units' h", xlabel="step", yscale="log")
    right.set(ylim=(floor / 30, 30), yticks=[floor, 1e-12, 1e-6, 1])
    right.set_yticklabels(["exactly 0", "$10^{-12}$", "$10^{-6}$", "1"])
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


def main(steps: int = 1500) -> None:
    """Run every start, print a table, draw the picture."""
    torch.set_num_threads(1)
    runs = {start: train(start_model(start), steps) for start in STARTS}
    runs["one unit"] = train(start_model("random", units=1), steps)
    marks = [0, 200, 500, steps]
    print("start    " + "".join(f"{'step':>13} {step:<5}" for step in marks))
    for start, records in runs.items():
        shown = [record for record in records if record.step in marks]
        print(f"{start:9}" + "".join(f"{r.loss:9.3f} ±{r.spread:7.1e} " for r in shown))
    draw(runs, Path(__file__).parent.parent / "docs" / "zero_initialisation.svg")


if __name__ == "__main__":
    main()
