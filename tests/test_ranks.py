"""Ranks are tested as they are used: as processes that torchrun starts."""

import subprocess
import sys
from pathlib import Path

import torch

from training.ranks import Ranks

PROGRAM = """
import sys
import torch
from training.ranks import Ranks
ranks = Ranks.from_environment(torch.device("cpu"))
tensors = [torch.full((2, 3), float(ranks.rank + 1)), torch.tensor([10.0 * ranks.rank])]
ranks.add_up(tensors)
assert ranks.count == 2
assert torch.equal(tensors[0], torch.full((2, 3), 3.0)), tensors
assert torch.equal(tensors[1], torch.tensor([10.0])), tensors
"""


def test_two_ranks_add_up_their_tensors(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run([*torchrun, "--nproc-per-node=2", str(program)], check=True, capture_output=True)


def test_a_process_on_its_own_is_the_only_rank() -> None:
    ranks = Ranks.from_environment(torch.device("cpu"))
    tensor = torch.ones(2)
    ranks.add_up([tensor])
    assert (ranks.rank, ranks.count) == (0, 1)
    assert torch.equal(tensor, torch.ones(2))
