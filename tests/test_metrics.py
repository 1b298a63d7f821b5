from pathlib import Path

import pytest

from training.metrics import COLUMNS, MetricsLog, Progress, read_rows


def row(step: int, **figures: float) -> dict[str, float]:
    return {"step": step, "epoch": 0, "loss_bits": 9.0 - step, "tokens_per_s": 10.5, **figures}


def test_rows_come_back_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    metrics = MetricsLog(path, first_step=0)
    rows = [row(1), row(2, validation_bits=8.25)]
    for each in rows:
        metrics.add(each)
    metrics.flush()
    assert read_rows(path) == rows
    assert [entry.name for entry in tmp_path.iterdir()] == ["metrics.csv"]


def test_rows_after_the_step_that_is_resumed_from_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    first = MetricsLog(path, first_step=0)
    for step in (1, 2, 3):
        first.add(row(step))
    first.flush()
    second = MetricsLog(path, first_step=2)
    second.add(row(3, validation_bits=1.0))
    second.flush()
    assert read_rows(path) == [row(1), row(2), row(3, validation_bits=1.0)]


@pytest.mark.parametrize(
    "line", ["x,0,9,1,0.1,5,10.5,", ",0,9,1,0.1,5,10.5,", "1,0,9,1,0.1,5,10.5,,,,7", "\x00,\xff"]
)
def test_a_damaged_file_is_reported_by_its_name(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(",".join(COLUMNS) + f"\n{line}\n", encoding="latin-1")
    with pytest.raises(ValueError, match=r"metrics.csv is damaged: .*; remove it to continue"):
        MetricsLog(path, first_step=0)


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    metrics = MetricsLog(tmp_path / "metrics.csv", first_step=0)
    for step in range(1, 5):
        metrics.add(row(step))
    metrics.draw(tmp_path / "unmeasured.svg")
    metrics.add(row(5, validation_bits=8.0, training_bits=7.0))
    metrics.draw(tmp_path / "loss.svg")
    curves = [
        (tmp_path / name).read_text().count("<path") for name in ("unmeasured.svg", "loss.svg")
    ]
    assert curves[1] > curves[0] > 0


def test_progress_reports_loss_speed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(steps=100, first_step=0) as progress:
        for step in range(1, 51):
            progress.show(row(step))
        progress.show(row(51, validation_bits=8.0, training_bits=7.5, ci_bits=9.0))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("step 50/100: loss -41.000 bits, 10 tokens/s")
    assert "min left" in lines[0]
    assert "validation 8.000 bits per character (training poems 7.500), ci 9.000" in lines[1]
