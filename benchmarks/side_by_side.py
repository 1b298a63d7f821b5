"""Times several ways to do one thing in turn, so that a machine's drift falls on all alike."""

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Timing:
    """The seconds that each round took."""

    rounds_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """The middle one."""
        return median(self.rounds_s)

    def times_faster_than(self, other: "Timing") -> float:
        """Median over rounds of how many times longer the other took in the same round."""
        return median(b / a for a, b in zip(self.rounds_s, other.rounds_s, strict=True))


def side_by_side(
    contestants: Mapping[str, Callable[[], object]], rounds: int = 7
) -> dict[str, Timing]:
    """Time each contestant once a round, after one round to warm up."""
    for run in contestants.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(times)) for name, times in seconds.items()}


def kind() -> str:
    """Name the kind of processor, by what its matrix products can use."""
    if torch.cpu._is_amx_tile_supported():
        return "amx"
    if torch.cpu._is_avx512_bf16_supported():
        return "avx512-bf16"
    if torch.cpu._is_vnni_supported():
        return "avx512-vnni"
    return torch.backends.cpu.get_cpu_capability().lower()


def keep(name: str, figures: Mapping[str, object]) -> None:
    """Write a benchmark's figures to the results of the processor's kind."""
    folder = RESULTS / kind()
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, str | int | bool]:
    """Describe what the figures were taken on."""
    return {
        "processor": _processor(),
        "kind": kind(),
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "avx512_bf16": torch.cpu._is_avx512_bf16_supported(),
        "amx": torch.cpu._is_amx_tile_supported(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def gemm_flops(
    dtype: torch.dtype, rows: int = 2048, inner: int = 1024, columns: int = 4096
) -> float:
    """Measure floating-point operations a second of a large matrix product."""
    a, b = torch.randn(rows, inner).to(dtype), torch.randn(inner, columns).to(dtype)
    timing = side_by_side({"gemm": lambda: a @ b}, rounds=15)["gemm"]
    return 2 * rows * inner * columns / min(timing.rounds_s)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
