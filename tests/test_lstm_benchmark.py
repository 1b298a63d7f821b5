"""The benchmark of our LSTM beside torch's: both do the same work, and the figures say how fast."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks.lstm import OURS, THEIRS, build, forward_and_backward, main, peak_memory


@pytest.mark.parametrize("name", [OURS, THEIRS])
def test_a_contestant_computes_every_gradient(name: str) -> None:
    lstm = build(name, (4, 6, 2), torch.float32)
    forward_and_backward(lstm, torch.randn(3, 2, 4))
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in lstm.parameters())


def test_a_longer_sequence_takes_more_memory() -> None:
    short, longer = (peak_memory(OURS, (steps, 32), (64, 128, 1)) for steps in (8, 512))
    assert longer > short + 8  # the gates alone are 32 MiB


def test_the_figures_are_kept_by_kind_of_processor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.side_by_side.RESULTS", tmp_path)
    main(steps=4, batch=2, input_size=8, hidden_size=8, layers=1, rounds=2, save=True)
    (out,) = tmp_path.glob("*/lstm.json")
    figures = json.loads(out.read_text(encoding="utf-8"))
    for what, seconds in figures["seconds"].items():
        assert seconds[OURS] > 0 < seconds[THEIRS], what
        assert figures["times_faster"][what] > 0
    assert "share of the GEMM limit" in capsys.readouterr().out
