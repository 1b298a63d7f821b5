"""The models that ours is measured against: fair ones, else a lead says nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from benchmarks.references import CONTESTANTS, Run, figures, main, steps_in, train
from benchmarks.transformer import CausalTransformer
from model.poetry_model import PoetryConfig, PoetryModel
from training.config import TrainConfig
from training.corpus_poem import CorpusPoem
from training.material import Material, build_vocabulary
from training.poem_dataset import PoemDataset
from training.trainer import Trainer


def size(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("name", CONTESTANTS)
def test_a_contestant_has_about_our_size(name: str) -> None:
    config = PoetryConfig(vocab_size=100, embedding_size=128, hidden_size=256)
    assert size(CONTESTANTS[name](config)) == pytest.approx(size(PoetryModel(config)), rel=0.1)


@pytest.mark.parametrize("name", CONTESTANTS)
def test_no_contestant_sees_the_token_that_it_is_to_predict(name: str) -> None:
    config = PoetryConfig(vocab_size=20, embedding_size=64, hidden_size=64)
    torch.manual_seed(0)
    model = CONTESTANTS[name](config).eval()
    tokens = torch.randint(20, (7, 2))
    changed = tokens.clone()
    changed[4] = (tokens[4] + 1) % 20
    before, after = (model.features(t)[0] for t in (tokens, changed))
    torch.testing.assert_close(before[:4], after[:4])
    assert not torch.allclose(before[4], after[4])


@pytest.mark.parametrize("name", CONTESTANTS)
def test_every_contestant_learns_in_our_loop_in_the_time_it_has(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.references.PROBE_STEPS", 4)
    cycle = "日月山水雲花風雨春秋"
    texts = [f"{(cycle[n:] + cycle)[:5]}，{(cycle[n + 2 :] + cycle)[:5]}。" for n in range(8)]
    poems = [CorpusPoem("", "", (text,) * 2) for text in texts]
    material = Material(PoemDataset.from_poems(poems, build_vocabulary(poems, 1, 100)), poems)
    config = TrainConfig(
        batch_tokens=200, warmup_steps=2, embedding_size=64, hidden_size=32, learning_rate=0.01
    )
    runs = {name: Run(CONTESTANTS[name], config)}
    steps = [steps_in(minutes, runs, material)[name] for minutes in (0.001, 0.03)]
    assert steps[0] < steps[1]
    short, longer = (
        figures(CONTESTANTS[name], replace(config, steps=number), material) for number in steps
    )
    assert longer["validation_bits"] < short["validation_bits"]
    assert longer["seconds"] == pytest.approx(longer["tokens"] / longer["tokens_per_s"], rel=0.1)


def test_the_layers_of_the_transformer_start_apart() -> None:
    first, second = CausalTransformer(64, 2, 0.0).inner.layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


def test_what_cannot_be_trained_is_refused_before_anything_is(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    unknown = CliRunner().invoke(app, ["--only", "Mamba"])
    assert unknown.exit_code == 2
    assert "none of model.lstm" in unknown.output
    missing = CliRunner().invoke(app, ["--corpus", str(tmp_path)])
    assert missing.exit_code == 1
    assert "report.json" in missing.output
    blind = CliRunner().invoke(app, ["--validation-poems", "0"])
    assert blind.exit_code == 1
    assert "validation_poems to be at least 1" in blind.output
    nowhere = CliRunner().invoke(app, ["--out", str(tmp_path / "none/figures.json")])
    assert nowhere.exit_code == 1
    assert "none/figures.json" in nowhere.output


def test_an_interrupt_ends_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    poems = [CorpusPoem("", "", ("日月山水雲，花風雨春秋。",))]
    monkeypatch.setattr(Trainer, "run", lambda self: setattr(self, "stopped", True))
    material = Material(PoemDataset.from_poems(poems, build_vocabulary(poems, 1, 100)), poems)
    with pytest.raises(KeyboardInterrupt):
        train(CONTESTANTS["model.lstm"], TrainConfig(hidden_size=8, embedding_size=8), material)


def test_a_transformer_refuses_a_state_to_continue_from() -> None:
    transformer = CausalTransformer(64, 1, 0.0)
    x = torch.zeros(3, 1, 64)
    _, state = transformer(x)
    with pytest.raises(ValueError, match="expected no state"):
        transformer(x, state)
