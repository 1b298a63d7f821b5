"""T10: a training that is killed again and again ends with the weights of one left alone."""

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from benchmarks.reliability.report import Report

PATIENCE_S = 120.0  # with the next save
SMALL = (
    "--embedding-size=16",
    "--hidden-size=32",
    "--num-layers=1",
    "--batch-tokens=512",
    "--validation-poems=10",
    "--validate-every=50",
    "--save-every=10",
    "--warmup-steps=10",
    "--min-count=1",
    "--min-poems=10",
)


def written_at(path: Path) -> int:
    """Return when a file was written last, in nanoseconds; 0 if it was not."""
    return path.stat().st_mtime_ns if path.exists() else 0


def train(corpus: Path, out: Path, steps: int, options: Sequence[str]) -> list[str]:
    """Return the command that trains."""
    program = [sys.executable, "-m", "training.train", f"--corpus={corpus}", f"--out={out}"]
    return [*program, f"--steps={steps}", *options]


def kill(corpus: Path, folder: Path, times: int, steps: int, options: Sequence[str]) -> Report:
    """Kill a training some time after each of its saves, and compare what it ends with.

    Args:
        corpus: What training.corpus wrote.
        folder: Where both runs go.
        times: How often it is killed.
        steps: Updates; many enough that it is not done before.
        options: Of training.train, for a small model.
    """
    alone, killed = folder / "alone", folder / "killed"
    subprocess.run(train(corpus, alone, steps, options), check=True, capture_output=True)
    moments, state = random.Random(times), killed / "state.safetensors"
    report = Report({"killed": 0, "steps": steps})
    for _ in range(times):
        before = written_at(state)
        command = train(corpus, killed, steps, options)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while written_at(state) == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.3))
        report.figures["killed"] += process.poll() is None
        process.kill()
        process.wait()
    subprocess.run(train(corpus, killed, steps, options), check=True, capture_output=True)
    first, second = (load_file(run / "poetry.safetensors") for run in (alone, killed))
    equal = first.keys() == second.keys() and all(map(torch.equal, first.values(), second.values()))
    report.figures["bit-equal"] = equal
    report.require(equal, "the weights differ from those of the run that was left alone")
    report.require(report.figures["killed"] == times, "the run was done before it was killed")
    return report
