"""Runs of training: they learn, resume, and refuse what is not theirs."""

import dataclasses
from pathlib import Path

import pytest
import torch

from model.poetry_model import PoetryModel
from model.vocabulary import Era
from training.bits import bits
from training.config import TrainConfig
from training.corpus_poem import CorpusPoem
from training.material import Material, build_vocabulary
from training.metrics import Progress, read_rows
from training.poem_dataset import PoemDataset
from training.ranks import Ranks
from training.state import StateError
from training.trainer import Trainer, TrainingDiverged

CONFIG = TrainConfig(
    steps=12,
    batch_tokens=120,
    warmup_steps=2,
    embedding_size=8,
    hidden_size=12,
    num_layers=2,
    dropout=0.2,
    save_every=3,
    validate_every=4,
)


@pytest.fixture
def poems() -> list[CorpusPoem]:
    """Poems whose lines are runs of a cycle of characters: easy to learn."""
    cycle = "日月山水雲花風雨春秋"
    lines = [(cycle[start:] + cycle)[:5] for start in range(10)]
    return [
        CorpusPoem(
            author="李白" if number % 2 else "杜甫",
            title="",
            paragraphs=(f"{lines[number % 10]}，{lines[(number + 5) % 10]}。",) * 2,
            era=Era.TANG,
        )
        for number in range(40)
    ]


def trainer(poems: list[CorpusPoem], folder: Path, config: TrainConfig = CONFIG) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(config, material(poems), folder, dtype=torch.float32)


def material(poems: list[CorpusPoem]) -> Material:
    vocabulary = build_vocabulary(poems, min_count=1, min_poems=10)
    return Material(PoemDataset.from_poems(poems, vocabulary), poems[:4])


def measured(run: Trainer) -> float:
    bits = run.validation_bits()
    assert bits is not None
    return bits


def weights(run: Trainer) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in run.model.parameters()]


def test_training_learns(poems: list[CorpusPoem], tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, steps=80, learning_rate=0.03, dropout=0.0)
    run = trainer(poems, tmp_path, config)
    before = measured(run)
    run.run()
    assert measured(run) < 0.7 * before


def test_an_untrained_model_draws_tokens_by_their_frequency(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    run = trainer(poems, tmp_path)
    assert torch.equal(run.model.output_bias, run.material.dataset.log_frequencies())
    dull = PoetryModel(run.model.config)
    ignorant = Trainer(CONFIG, run.material, tmp_path / "dull", model=dull)
    assert measured(run) < measured(ignorant)


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    poems: list[CorpusPoem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trainer(poems, tmp_path / "whole")
    whole.run()
    killed = trainer(poems, tmp_path / "killed")
    kill_at(8, monkeypatch)
    with pytest.raises(KeyboardInterrupt):  # after the save at step 6
        killed.run()
    monkeypatch.undo()
    resumed = trainer(poems, tmp_path / "killed")
    assert resumed.state.step == 6
    resumed.run()
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    with whole.state.averaged(), resumed.state.averaged():
        assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    rows = [all_but_the_speed(tmp_path / name / "metrics.csv") for name in ("whole", "killed")]
    assert rows[0] == rows[1]


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End every run at a step, as a signal that cannot be caught does: before it saves."""

    def show(_: Progress, row: dict[str, float]) -> None:
        if row["step"] == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "show", show)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_save(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    run = trainer(poems, tmp_path)
    run.save()
    before = (tmp_path / "state.safetensors").read_bytes()
    with torch.no_grad():
        run.model.output_bias[0] = torch.nan
    with pytest.raises(TrainingDiverged, match="nothing was saved since step 0: try a lower"):
        run.run()
    assert (tmp_path / "state.safetensors").read_bytes() == before
    assert not (tmp_path / "poetry.safetensors").exists()


def test_training_poems_are_measured_beside_those_for_validation(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    measured = dataclasses.replace(material(poems), sample=poems[4:12], ci_validation=poems[12:14])
    run = Trainer(CONFIG, measured, tmp_path)
    run.run()
    (*_, last) = read_rows(tmp_path / "metrics.csv")
    with run.state.averaged():
        model, vocabulary = run.model.eval(), run.material.vocabulary
        for name, some in {
            "validation_bits": poems[:4],
            "training_bits": poems[4:8],
            "ci_bits": poems[12:14],
        }.items():
            expected = bits(model, vocabulary, some, run.dtype).bits_per_character
            assert last[name] == pytest.approx(expected)


def test_the_optimizer_is_as_it_was_asked_for(poems: list[CorpusPoem], tmp_path: Path) -> None:
    asked = dataclasses.replace(CONFIG, beta2=0.95, weight_decay=0.3)
    matrices, others = trainer(poems, tmp_path, asked).state.optimizer.param_groups
    assert matrices["betas"] == others["betas"] == (0.9, 0.95)
    assert (matrices["weight_decay"], others["weight_decay"]) == (0.3, 0.0)


def test_the_share_of_the_shi_is_drawn_only_beside_ci(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    few = dataclasses.replace(CONFIG, shi_share=0.0, steps=4)
    with pytest.raises(ValueError, match="leaves out shi beside ci, and there are no ci"):
        trainer(poems, tmp_path, few)
    ci = [dataclasses.replace(each, tune="滿江紅", author="") for each in poems[:2]]
    run = trainer([*poems, *ci], tmp_path, few)
    run.run()
    rows = read_rows(tmp_path / "metrics.csv")
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]  # one batch is all


@pytest.mark.parametrize("number", [0, 4])
def test_a_run_without_validation_poems_measures_nothing(
    poems: list[CorpusPoem], tmp_path: Path, number: int
) -> None:
    held_out = poems[:4] if number == 0 else []
    config = dataclasses.replace(CONFIG, validation_poems=number)
    run = Trainer(config, dataclasses.replace(material(poems), validation=held_out), tmp_path)
    run.run()
    assert run.validation_bits() is None
    rows = read_rows(tmp_path / "metrics.csv")
    assert len(rows) == CONFIG.steps
    assert not any("validation_bits" in row for row in rows)


def test_a_run_of_another_configuration_is_not_resumed(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    trainer(poems, tmp_path).run()
    other = dataclasses.replace(CONFIG, learning_rate=0.5, dropout=0.0)
    with pytest.raises(StateError, match="another learning_rate, dropout"):
        trainer(poems, tmp_path, other)


def test_a_run_on_other_poems_or_from_another_checkpoint_is_not_resumed(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    run = trainer(poems, tmp_path)
    run.run()
    exchanged = [dataclasses.replace(poems[0], paragraphs=("月日月日月，",)), *poems[1:]]
    with pytest.raises(StateError, match="another corpus; give"):
        trainer(exchanged, tmp_path)
    with pytest.raises(StateError, match="another checkpoint; give"):
        Trainer(CONFIG, run.material, tmp_path, started_from="abc")


def test_how_often_a_run_saves_and_validates_may_change(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    trainer(poems, tmp_path).run()
    changed = dataclasses.replace(CONFIG, save_every=5, validate_every=6, validation_poems=1)
    assert trainer(poems, tmp_path, changed).state.step == 12


def test_a_run_cannot_end_before_where_it_is(poems: list[CorpusPoem], tmp_path: Path) -> None:
    trainer(poems, tmp_path).run()
    with pytest.raises(StateError, match="12 steps into a run, which cannot end after 11"):
        trainer(poems, tmp_path, dataclasses.replace(CONFIG, steps=11))


def test_ranks_that_found_different_states_do_not_train(
    poems: list[CorpusPoem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ranks, "agree", lambda *_: False)
    with pytest.raises(StateError, match=r"the ranks found different states in .* one folder"):
        trainer(poems, tmp_path)


def test_each_rank_draws_dropout_of_its_own(
    poems: list[CorpusPoem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []
    monkeypatch.setattr(Ranks, "agree", lambda *_: True)

    def stop(*_: object, **__: object) -> None:
        seeds.append(torch.initial_seed())
        raise KeyboardInterrupt

    monkeypatch.setattr(PoetryModel, "features", stop)
    for rank in (0, 1):
        run = trainer(poems, tmp_path)
        run.ranks = Ranks(rank, 2)
        with pytest.raises(KeyboardInterrupt):
            run.run()
    assert len(set(seeds)) == 2


def test_a_run_may_be_made_longer(poems: list[CorpusPoem], tmp_path: Path) -> None:
    trainer(poems, tmp_path).run()
    longer = trainer(poems, tmp_path, dataclasses.replace(CONFIG, steps=15))
    assert longer.state.step == 12
    longer.run()
    assert longer.state.step == 15


def test_a_damaged_state_is_refused(poems: list[CorpusPoem], tmp_path: Path) -> None:
    (tmp_path / "state.safetensors").write_bytes(b"half a file")
    with pytest.raises(StateError, match="is damaged"):
        trainer(poems, tmp_path)


def all_but_the_speed(metrics: Path) -> list[dict[str, float]]:
    rows = read_rows(metrics)
    return [{name: row[name] for name in row if name != "tokens_per_s"} for row in rows]
