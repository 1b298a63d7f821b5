"""Ranks are tested as they are used: as processes that torchrun starts."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.ranks import Ranks, own_device

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
TORCHRUN += ["--local-addr", "127.0.0.1", "--nproc-per-node=2"]
PROGRAM = """
import sys
import torch
from training.ranks import Ranks
tensors = [torch.zeros(2, 3), torch.zeros(1)]
with Ranks.joined(torch.device("cpu")) as ranks:
    tensors[0] += ranks.rank + 1
    tensors[1] += 10 * ranks.rank
    ranks.add_up(tensors)
    assert ranks.any(ranks.rank == 1)
    assert not ranks.any(False)
    assert ranks.agree(7, 2**47)
    assert not ranks.agree(7, ranks.rank)
assert ranks.count == 2
assert torch.equal(tensors[0], torch.full((2, 3), 3.0)), tensors
assert torch.equal(tensors[1], torch.tensor([10.0])), tensors
ranks.finish()
raise SystemExit("unreachable with two ranks")
"""


def test_two_ranks_add_up_their_tensors(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    result = subprocess.run([*TORCHRUN, str(program)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_two_ranks_meet_where_the_name_of_the_machine_does_not_resolve(tmp_path: Path) -> None:
    unnamed = ["unshare", "--uts", "sh", "-c", 'hostname nowhere-at-all && exec "$@"', "sh"]
    if subprocess.run([*unnamed, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a machine of another name takes rights that are not given here")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    result = subprocess.run(
        [*unnamed, *TORCHRUN, str(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr


def test_ranks_that_cannot_meet_say_what_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "nowhere-at-all.invalid")
    with (
        pytest.raises(OSError, match=r"cannot meet at 'nowhere.* --local-addr 127\.0\.0\.1"),
        Ranks.joined(torch.device("cpu")),
    ):
        pass


def test_every_rank_has_a_card_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.set_device", chosen.append)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert own_device() == torch.device("cuda", 3)
    assert chosen == [torch.device("cuda", 3)]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert own_device() == torch.device("cpu")


def test_a_process_on_its_own_is_the_only_rank() -> None:
    tensor = torch.ones(2)
    with Ranks.joined(torch.device("cpu")) as ranks:
        ranks.add_up([tensor])
        assert ranks.any(True)
        assert not ranks.any(False)
        assert ranks.agree(7)
    assert (ranks.rank, ranks.count) == (0, 1)
    assert torch.equal(tensor, torch.ones(2))
    ranks.finish()  # does nothing
