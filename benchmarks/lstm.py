"""Our LSTM against torch.nn.LSTM: forward, forward and backward, one step, memory.

python -m benchmarks.lstm
"""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.side_by_side import gemm_flops, keep, machine, side_by_side
from model.lstm import LSTM
from model.precision import compute_dtype

OURS, THEIRS = "model.lstm", "torch.nn.LSTM"


def forward(lstm: nn.Module, x: Tensor) -> None:
    """Run a sequence without gradients."""
    with torch.no_grad():
        lstm(x)


def forward_and_backward(lstm: nn.Module, x: Tensor) -> None:
    """Run a sequence and find every gradient."""
    lstm.zero_grad()
    out, _ = lstm(x)
    out.backward(torch.ones_like(out))


def contestants(
    run: Callable[[nn.Module, Tensor], None], modules: dict[str, nn.Module], x: Tensor
) -> dict[str, Callable[[], None]]:
    """Return one call a module."""
    return {name: partial(run, module, x) for name, module in modules.items()}


def build(name: str, sizes: tuple[int, int, int], dtype: torch.dtype) -> nn.Module:
    """Return a module of input size E, hidden size H and L layers."""
    lstm: nn.Module = {OURS: LSTM, THEIRS: nn.LSTM}[name](*sizes)
    return lstm.to(dtype)


def peak_memory(name: str, shape: tuple[int, int], sizes: tuple[int, int, int]) -> float:
    """Return the MiB that one forward and backward adds to a fresh process."""
    program = f"from benchmarks.lstm import print_memory; print_memory({name!r}, {shape}, {sizes})"
    command = [sys.executable, "-c", program]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(name: str, shape: tuple[int, int], sizes: tuple[int, int, int]) -> None:
    """Print what peak_memory() returns; to be run in a process of its own."""
    dtype = compute_dtype()
    lstm = build(name, sizes, dtype)
    forward_and_backward(lstm, torch.randn(1, 1, sizes[0], dtype=dtype))  # libraries are loaded
    before = peak_kib()
    forward_and_backward(lstm, torch.randn(*shape, sizes[0], dtype=dtype))
    print((peak_kib() - before) / 1024)


def peak_kib() -> int:
    """Return the most memory that this process has held; getrusage() would count its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kib)


def main(
    steps: Annotated[int, typer.Option(help="T")] = 64,
    batch: Annotated[int, typer.Option(help="B")] = 96,
    input_size: Annotated[int, typer.Option(help="E")] = 512,
    hidden_size: Annotated[int, typer.Option(help="H")] = 1024,
    layers: Annotated[int, typer.Option(help="L")] = 2,
    rounds: int = 7,
    save: Annotated[bool, typer.Option(help="Keep the figures in benchmarks/results.")] = False,
) -> None:
    """Print how many times faster than torch.nn.LSTM ours is."""
    sizes, dtype = (input_size, hidden_size, layers), compute_dtype()
    modules = {name: build(name, sizes, dtype) for name in (OURS, THEIRS)}
    whole = torch.randn(steps, batch, input_size, dtype=dtype, requires_grad=True)
    step = torch.randn(1, batch, input_size, dtype=dtype)
    timings = {
        "forward": side_by_side(contestants(forward, modules, whole), rounds),
        "forward and backward": side_by_side(
            contestants(forward_and_backward, modules, whole), rounds
        ),
        "one step": side_by_side(contestants(forward, modules, step), rounds * 20),
    }
    memory = {name: peak_memory(name, (steps, batch), sizes) for name in (OURS, THEIRS)}
    inputs = [input_size] + [hidden_size] * (layers - 1)
    multiplications = steps * batch * sum(4 * hidden_size * (n + hidden_size) for n in inputs)
    ours = timings["forward and backward"][OURS].median_s
    figures = {
        "machine": machine(),
        "shape": {"T": steps, "B": batch, "E": input_size, "H": hidden_size, "L": layers},
        "dtype": str(dtype),
        "seconds": {
            what: {name: timing.median_s for name, timing in pair.items()}
            for what, pair in timings.items()
        },
        "times_faster": {
            what: pair[OURS].times_faster_than(pair[THEIRS]) for what, pair in timings.items()
        },
        "memory_mib": memory,
        "share_of_gemm_limit": 6 * multiplications / ours / gemm_flops(dtype),
    }
    _show(figures)
    if save:
        keep("lstm", figures)


def _show(figures: dict[str, Any]) -> None:
    table = Table("", OURS, THEIRS, "times faster")
    for what, pair in figures["seconds"].items():
        ratio = figures["times_faster"][what]
        table.add_row(what, *(f"{pair[n] * 1e3:.2f} ms" for n in (OURS, THEIRS)), f"{ratio:.2f}")
    memory = figures["memory_mib"]
    table.add_row("peak memory", *(f"{memory[n]:.0f} MiB" for n in (OURS, THEIRS)))
    console = Console()
    console.print(table)
    console.print(f"share of the GEMM limit: {figures['share_of_gemm_limit']:.2f}")


if __name__ == "__main__":
    typer.run(main)
