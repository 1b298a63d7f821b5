import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from model.checkpoint import Checkpoint
from model.poetry_model import PoetryModel
from model.vocabulary import Era, Vocabulary
from training.bits import bits
from training.config import TrainConfig
from training.corpus_poem import CorpusPoem
from training.dataset import PoemDataset
from training.material import Material, build_vocabulary
from training.metrics import Progress, read_rows
from training.ranks import Ranks
from training.state import StateError
from training.train import app, export, start_from
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


def weights(run: Trainer) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in run.model.parameters()]


def test_training_learns(poems: list[CorpusPoem], tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, steps=80, learning_rate=0.03, dropout=0.0)
    run = trainer(poems, tmp_path, config)
    before = run.validation_bits()
    run.run()
    assert run.validation_bits() < 0.7 * before


def test_an_untrained_model_draws_tokens_by_their_frequency(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    run = trainer(poems, tmp_path)
    assert torch.equal(run.model.output_bias, run.material.dataset.log_frequencies())
    dull = PoetryModel(run.model.config)
    ignorant = Trainer(CONFIG, run.material, tmp_path / "dull", model=dull)
    assert run.validation_bits() < ignorant.validation_bits()


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


def test_a_run_is_measured_and_exported_with_averaged_weights(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    run = trainer(poems, tmp_path)
    run.run()
    last, exported = weights(run), export(run, "tiny", {})
    with run.state.averaged():
        assert not all(torch.equal(a, b) for a, b in zip(last, weights(run), strict=True))
        for name, weight in run.model.state_dict().items():
            assert torch.equal(exported.weights[name], weight.bfloat16())
        alone = bits(run.model.eval(), run.material.vocabulary, run.validation).bits_per_character
    assert exported.provenance["training"]["validation_bits"] == alone
    assert all(torch.equal(a, b) for a, b in zip(last, weights(run), strict=True))


def test_the_exported_checkpoint_is_the_trained_model(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    run = trainer(poems, tmp_path)
    run.run()
    export(run, "tiny", {"corpus": {"commit": "abc"}}).save(tmp_path / "poetry.safetensors")
    checkpoint = Checkpoint.load(tmp_path / "poetry.safetensors")
    assert checkpoint.provenance["training"]["step"] == CONFIG.steps
    assert checkpoint.provenance["corpus"] == {"commit": "abc"}
    tokens = torch.tensor([run.material.vocabulary.header()]).T
    run.model.eval()
    with run.state.averaged():
        logits = run.model(tokens)[0]
    torch.testing.assert_close(checkpoint.build_model()(tokens)[0], logits, atol=0.02, rtol=0.02)


def test_a_run_starts_from_the_weights_of_a_checkpoint(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    first = trainer(poems, tmp_path)
    first.run()
    checkpoint = export(first, "tiny", {})
    model = start_from(checkpoint, dataclasses.replace(CONFIG, dropout=0.5))
    assert model.config.dropout == 0.5
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, checkpoint.weights[name].float())


def test_skip_connections_added_to_a_checkpoint_change_nothing_at_first(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    without = dataclasses.replace(CONFIG, skip_connections=False)
    checkpoint = export(trainer(poems, tmp_path, without), "tiny", {})
    before, after = checkpoint.build_model(), start_from(checkpoint, CONFIG).eval()
    assert after.config.skip_connections
    tokens = torch.randint(len(checkpoint.vocabulary), (6, 3))
    torch.testing.assert_close(after(tokens)[0], before(tokens)[0])


def test_skip_connections_of_a_checkpoint_are_not_taken_away(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    checkpoint = export(trainer(poems, tmp_path), "tiny", {})
    with pytest.raises(ValueError, match=r"skip_connections=True.* the run wants .*=False"):
        start_from(checkpoint, dataclasses.replace(CONFIG, skip_connections=False))


def test_a_checkpoint_of_other_sizes_is_no_start(poems: list[CorpusPoem], tmp_path: Path) -> None:
    checkpoint = export(trainer(poems, tmp_path), "tiny", {})
    with pytest.raises(ValueError, match=r"hidden_size=12.* the run wants .*hidden_size=13"):
        start_from(checkpoint, dataclasses.replace(CONFIG, hidden_size=13))


def test_the_vocabulary_holds_what_is_frequent_and_prolific(poems: list[CorpusPoem]) -> None:
    rare = CorpusPoem(
        author="王維", title="", paragraphs=("空日月山水，日月山水雲。",), era=Era.TANG
    )
    vocabulary = build_vocabulary([*poems, rare], min_count=2, min_poems=10)
    assert "空" not in vocabulary
    assert set(vocabulary.characters) == set("日月山水雲花風雨春秋")
    assert sorted(vocabulary.authors) == ["李白", "杜甫"]


def write_corpus(folder: Path, poems: list[CorpusPoem]) -> None:
    lines = [json.dumps(dataclasses.asdict(poem), ensure_ascii=False) for poem in poems]
    for split in ("train", "validation"):
        (folder / f"{split}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "report.json").write_text('{"commit": "abc"}')


def option(name: str, value: object) -> list[str]:
    """A field of the configuration on the command line."""
    name = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", str(value)]


def command(folder: Path, steps: int) -> list[str]:
    options = dataclasses.asdict(CONFIG) | {"steps": steps}
    settings = [part for name, value in options.items() for part in option(name, value)]
    program = [sys.executable, "-m", "training.train", "--min-count", "1", "--min-poems", "10"]
    return [*program, "--corpus", str(folder), "--out", str(folder / "run"), *settings]


def test_a_run_killed_ten_times_at_random_ends_like_one_left_alone(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    for name in ("alone", "killed"):
        (tmp_path / name).mkdir()
        write_corpus(tmp_path / name, poems)
    steps, moments = 200, random.Random(7)
    subprocess.run(command(tmp_path / "alone", steps), check=True, capture_output=True)
    state = tmp_path / "killed/run/state.safetensors"
    for _ in range(10):
        before = written_at(state)
        process = subprocess.Popen(command(tmp_path / "killed", steps), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while written_at(state) == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.3))
        assert process.poll() is None  # else nothing is killed
        process.kill()
        process.wait()
    subprocess.run(command(tmp_path / "killed", steps), check=True, capture_output=True)
    files = [tmp_path / name / "run/poetry.safetensors" for name in ("alone", "killed")]
    alone, killed = map(load_file, files)
    assert all(torch.equal(alone[name], killed[name]) for name in alone)
    rows = [all_but_the_speed(tmp_path / name / "run/metrics.csv") for name in ("alone", "killed")]
    assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0]] == list(range(1, steps + 1))


def written_at(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def all_but_the_speed(metrics: Path) -> list[dict[str, float]]:
    rows = read_rows(metrics)
    return [{name: row[name] for name in row if name != "tokens_per_s"} for row in rows]


def test_a_finished_run_is_exported_once(poems: list[CorpusPoem], tmp_path: Path) -> None:
    write_corpus(tmp_path, poems)
    arguments = command(tmp_path, 3)[3:]
    exported = tmp_path / "run/poetry.safetensors"
    for content in (None, b"half a checkpoint"):
        if content is not None:
            exported.write_bytes(content)
        assert CliRunner().invoke(app, arguments).exit_code == 0
        first = exported.stat()
        assert Checkpoint.load(exported).provenance["training"]["step"] == 3
        assert CliRunner().invoke(app, arguments).exit_code == 0
        assert exported.stat() == first
    assert CliRunner().invoke(app, command(tmp_path, 4)[3:]).exit_code == 0
    assert Checkpoint.load(exported).provenance["training"]["step"] == 4


def test_a_damaged_report_of_the_corpus_is_reported(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    (tmp_path / "report.json").write_text("{")
    result = CliRunner().invoke(app, command(tmp_path, 3)[3:])
    assert result.exit_code == 1
    assert "report.json is damaged: " in result.output
    assert "prepare the corpus again" in result.output


def test_a_run_starts_from_a_checkpoint_and_records_it(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_corpus(tmp_path / name, poems)
    subprocess.run(command(tmp_path / "first", 3), check=True, capture_output=True)
    start = tmp_path / "first/run/poetry.safetensors"
    further = [*command(tmp_path / "second", 3), "--checkpoint", str(start)]
    subprocess.run(further, check=True, capture_output=True)
    before = Checkpoint.load(start)
    provenance = Checkpoint.load(tmp_path / "second/run/poetry.safetensors").provenance
    assert provenance["started_from"]["checksum"] == before.checksum
    assert provenance["started_from"]["training"] == before.provenance["training"]
    subprocess.run(["rm", "-r", str(tmp_path / "second/run")], check=True)
    start.write_bytes(b"no checkpoint")
    result = subprocess.run(further, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert "is not a safetensors file" in result.stderr


def test_two_ranks_continue_where_one_stopped_with_its_loss_curve(
    poems: list[CorpusPoem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So long that each has a batch to itself: the second rank has no part in it.
    long = [dataclasses.replace(poems[0], paragraphs=poems[0].paragraphs * n) for n in (4, 5, 6)]
    poems = [*poems, *long]
    write_corpus(tmp_path, poems)
    alone = [*command(tmp_path, 12), "--dropout", "0"]
    subprocess.run(alone, check=True, capture_output=True)
    stopped = trainer(poems, tmp_path / "together", dataclasses.replace(CONFIG, dropout=0.0))
    kill_at(5, monkeypatch)
    with pytest.raises(KeyboardInterrupt):  # after the save at step 3
        stopped.run()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    together = [*torchrun, *alone[1:], "--out", str(tmp_path / "together")]
    result = subprocess.run(together, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("step 12/12") == 1, "one rank reports for all"
    curves = [
        [(row["loss_bits"], row["grad_norm"], row["tokens"]) for row in read_rows(path)]
        for path in (tmp_path / "run/metrics.csv", tmp_path / "together/metrics.csv")
    ]
    assert len(curves[0]) == 12
    assert curves[1] == [pytest.approx(row, rel=2e-2) for row in curves[0]]


def test_an_interrupt_saves_and_says_how_to_continue(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    process = subprocess.Popen(
        command(tmp_path, 100_000), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    while not (tmp_path / "run/state.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command to continue." in output
    assert not (tmp_path / "run/poetry.safetensors").exists()


def test_vocabularies_are_the_same_for_the_same_poems(poems: list[CorpusPoem]) -> None:
    first, second = (build_vocabulary(poems, 1, 1) for _ in range(2))
    assert isinstance(first, Vocabulary)
    assert first.tokens == second.tokens
