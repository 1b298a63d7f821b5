"""What is left of a run when its disk is full, read-only or damaged."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

from model.checkpoint import Checkpoint
from tests.test_train import command, write_corpus
from tests.test_trainer import poems, trainer
from training.corpus_poem import CorpusPoem
from training.metrics import MetricsLog
from training.state import StateError, TrainState
from training.train import app

__all__ = ["poems"]  # the fixture


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the kernel refuse to make any file longer, as it does when the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def train(folder: Path, steps: int) -> Result:
    _python, _m, _module, *options = command(folder, steps)
    return CliRunner().invoke(app, options)


@pytest.mark.parametrize(("size", "file"), [(300, "metrics.csv"), (4_000, "state.safetensors")])
def test_a_full_disk_is_reported_and_the_run_continues_once_there_is_room(
    poems: list[CorpusPoem], tmp_path: Path, size: int, file: str
) -> None:
    for name in ("whole", "full"):
        (tmp_path / name).mkdir()
        write_corpus(tmp_path / name, poems)
    run = tmp_path / "full/run"
    assert train(tmp_path / "full", 3).exit_code == 0
    before = (run / "state.safetensors").read_bytes()
    with files_of_at_most(size):
        result = train(tmp_path / "full", 12)
    assert result.exit_code == 1
    assert f"error: cannot write {run / file}: " in result.output
    assert "File too large" in result.output
    assert (run / "state.safetensors").read_bytes() == before
    assert not list(run.glob(".*"))
    assert train(tmp_path / "full", 12).exit_code == 0
    assert train(tmp_path / "whole", 12).exit_code == 0
    weights, expected = (
        load_file(tmp_path / name / "run/poetry.safetensors") for name in ("full", "whole")
    )
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_a_curve_that_cannot_be_drawn_leaves_the_one_before(tmp_path: Path) -> None:
    metrics, path = MetricsLog(tmp_path / "metrics.csv", 0), tmp_path / "loss.svg"
    metrics.draw(path)
    before = path.read_bytes()
    with (
        files_of_at_most(1_000),
        pytest.raises(OSError, match=r"cannot write .*loss\.svg: .*File too large"),
    ):
        metrics.draw(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["loss.svg"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_checkpoint_that_cannot_be_written_is_reported_and_written_next_time(
    poems: list[CorpusPoem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write_bytes = Path.write_bytes

    def refuse(path: Path, content: bytes) -> int:
        if "poetry" in path.name:
            raise OSError(number, os.strerror(number))
        return write_bytes(path, content)

    write_corpus(tmp_path, poems)
    path = tmp_path / "run/poetry.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", refuse)
        result = train(tmp_path, 12)
    assert result.exit_code == 1
    assert f"error: cannot write {path}: " in result.output
    assert os.strerror(number) in result.output
    assert train(tmp_path, 12).exit_code == 0
    assert Checkpoint.load(path).provenance["training"]["step"] == 12


def test_a_folder_that_cannot_be_made_is_reported(poems: list[CorpusPoem], tmp_path: Path) -> None:
    write_corpus(tmp_path, poems)
    (tmp_path / "run").write_text("a file")
    result = train(tmp_path, 12)
    assert result.exit_code == 1
    assert "error: " in result.output
    assert "File exists" in result.output


def test_a_file_that_is_no_state_is_refused(poems: list[CorpusPoem], tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "state.safetensors")
    with pytest.raises(StateError, match="is no state of a run"):
        trainer(poems, tmp_path)


def test_a_bit_that_has_flipped_anywhere_is_reported(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    assert train(tmp_path, 3).exit_code == 0
    path = tmp_path / "run/state.safetensors"
    whole = path.read_bytes()
    for place in (*range(8), *range(8, len(whole), len(whole) // 50), len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(StateError, match=r"is damaged|is no state of a run"):
            trainer(poems, tmp_path / "run")
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 4]))
    result = train(tmp_path, 12)
    assert result.exit_code == 1
    assert f"error: {path} is damaged: its content does not match its checksum" in result.output
    path.write_bytes(whole)
    assert train(tmp_path, 12).exit_code == 0


def test_an_average_holds_late_weights_most() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    state, seen = TrainState(model, 0.0, average_share=0.25), list[float]()
    for step in range(1, 31):
        model.weight.grad = torch.tensor([[float((-1) ** step)]])
        state.update(learning_rate=0.1 * step)
        seen.append(model.weight.item())
    # As n ** 3: the rising power n (n + 1) (n + 2), which the recursion gives exactly.
    shares = [n * (n + 1) * (n + 2) for n in range(1, 31)]
    expected = sum(s * w for s, w in zip(shares, seen, strict=True)) / sum(shares)
    with state.averaged():
        assert model.weight.item() == pytest.approx(expected, rel=1e-5)
    assert model.weight.item() == seen[-1]


def test_without_a_share_the_last_weights_are_the_average() -> None:
    model = torch.nn.Linear(1, 1)
    state = TrainState(model, 0.0)
    model.weight.grad = torch.ones(1, 1)
    state.update(learning_rate=0.1)
    last = model.weight.item()
    with state.averaged():
        assert model.weight.item() == last
