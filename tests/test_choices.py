"""Choices of how to train: the same budget, material and seeds for a choice and the baseline."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.choices import CHOICES, budgeted, compare, main
from tests.test_train import write_corpus
from tests.test_trainer import CONFIG, poems
from training.config import TrainConfig
from training.corpus_poem import CorpusPoem
from training.material import Material

__all__ = ["poems"]  # the fixture

SMALL = ["--embedding-size", "8", "--hidden-size", "12", "--batch-tokens", "120"]


@pytest.fixture
def packed(poems: list[CorpusPoem], tmp_path: Path) -> Path:
    write_corpus(tmp_path, poems)
    Material.read(tmp_path, min_count=1).save(tmp_path / "packed")
    return tmp_path / "packed"


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_changes_the_baseline_to_something_that_can_be_trained(name: str) -> None:
    assert replace(TrainConfig(), **CHOICES[name]) != TrainConfig()


def test_a_budget_of_tokens_gives_smaller_batches_more_updates(packed: Path) -> None:
    configs = {"baseline": CONFIG, "batch": replace(CONFIG, batch_tokens=60)}
    found = budgeted(configs, Material.load(packed), minutes=None, tokens=1200)
    assert [config.steps for config in found.values()] == [10, 20]
    assert found["batch"] == replace(configs["batch"], steps=20)


def test_a_budget_of_time_follows_the_speed_of_each(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.references.PROBE_STEPS", 4)
    configs = {"small": CONFIG, "large": replace(CONFIG, hidden_size=400)}
    found = budgeted(configs, Material.load(packed), minutes=0.05, tokens=None)
    assert found["small"].steps > found["large"].steps >= 1


def test_each_run_has_a_seed_of_its_own_and_the_gain_is_that_of_the_means(packed: Path) -> None:
    material = Material.load(packed)
    config = replace(CONFIG, learning_rate=0.001, validation_poems=5)
    found = compare("rate", config, material, runs=2)
    baseline, rate = (
        [row["validation_bits"] for row in found[n]["runs"]] for n in ("baseline", "rate")
    )
    assert len(set(baseline)) == len(set(rate)) == 2
    assert found["gain"] == pytest.approx((sum(baseline) - sum(rate)) / 2, abs=2e-4)
    assert found["gain"] > 0  # five times the rate, from random weights
    assert {row["learning_rate"] for row in found["rate"]["runs"]} == {5e-3}
    again = compare("rate", config, material, runs=1)
    assert again["baseline"]["validation_bits"] == baseline[0]
    assert again["baseline"]["training_bits"] == found["baseline"]["runs"][0]["training_bits"]


def test_the_command_writes_what_it_prints(packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    result = run("batch", "--data", str(packed), "--tokens", "600", "--out", str(out), *SMALL)
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert [row["steps"] for row in found["baseline"]["runs"]] == [5]
    assert found["batch"]["runs"][0]["steps"] == 1  # of 2,048 tokens


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["muon"], "'muon' is none of batch"),
        (["batch", "--minutes", "1", "--tokens", "5"], "give one of --minutes, --tokens and"),
        (["batch", "--data", "/nowhere/packed"], "/nowhere/packed"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())


def test_without_poems_to_measure_on_nothing_is_trained(packed: Path) -> None:
    result = run("batch", "--data", str(packed), "--updates", "--validation-poems", "0")
    assert result.exit_code == 1
    assert "expected validation poems" in result.output
