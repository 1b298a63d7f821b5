"""The command that trains, and the checkpoint that it writes."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from benchmarks.reliability.kills import kill
from model.checkpoint import Checkpoint
from model.vocabulary import Vocabulary
from tests.test_ranks import TORCHRUN
from tests.test_trainer import CONFIG, all_but_the_speed, kill_at, poems, trainer, weights
from training.bits import bits
from training.corpus_poem import CorpusPoem
from training.dataset import app as pack
from training.metrics import read_rows
from training.run_folder import owned
from training.train import app, export, start_from

__all__ = ["poems"]  # the fixture


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


def test_new_tokens_start_from_the_parts_of_their_names_and_change_next_to_nothing(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    run = trainer(poems, tmp_path)
    run.run()
    checkpoint = export(run, "tiny", {})
    old = checkpoint.vocabulary
    larger = Vocabulary(old.characters, old.authors, ["山水"], keywords=True)
    before, after = checkpoint.build_model(), start_from(checkpoint, CONFIG, larger).eval()
    ids = [larger.tokens.index(token) for token in old.tokens]
    for name in ("embedding.weight", "output_bias"):
        assert torch.equal(after.state_dict()[name][ids], before.state_dict()[name])
    mean = before.embedding.weight[old.encode("山水")].mean(0)
    new = larger.tune_id("山水")
    torch.testing.assert_close(after.embedding.weight[new], mean)
    tokens = torch.randint(len(old), (6, 3))
    moved = torch.tensor(ids)[tokens]
    probabilities = after(moved)[0].softmax(-1)
    torch.testing.assert_close(
        probabilities[..., ids], before(tokens)[0].softmax(-1), atol=0.01, rtol=0.1
    )
    assert probabilities[..., new].max() < 0.02


def test_new_tokens_without_a_known_part_start_small_and_apart(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    whole = export(trainer(poems, tmp_path), "tiny", {})
    old = Vocabulary(whole.vocabulary.characters, whole.vocabulary.authors)  # without keywords
    kept = [whole.vocabulary.tokens.index(token) for token in old.tokens]
    weights = dict(whole.weights)
    for name in ("embedding.weight", "output_bias"):
        weights[name] = weights[name][kept]
    config = dataclasses.replace(whole.config, vocab_size=len(old))
    checkpoint = Checkpoint("tiny", config, old, weights, {})
    larger = Vocabulary([*old.characters, "鹿", "鶴"], old.authors, keywords=True)
    after = start_from(checkpoint, CONFIG, larger)
    new = [larger.tokens.index(token) for token in ("<keyword>", "鹿", "鶴")]
    rows = after.embedding.weight[new]
    spread = checkpoint.weights["embedding.weight"].float().std()
    assert 0 < rows.std(1).min() <= rows.std(1).max() < spread / 2
    assert torch.unique(rows, dim=0).shape == rows.shape
    assert torch.equal(rows, start_from(checkpoint, CONFIG, larger).embedding.weight[new])


def test_a_vocabulary_that_lacks_tokens_of_the_checkpoint_is_refused(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    checkpoint = export(trainer(poems, tmp_path), "tiny", {})
    smaller = Vocabulary(
        checkpoint.vocabulary.characters[1:], checkpoint.vocabulary.authors, keywords=True
    )
    with pytest.raises(ValueError, match="lacks 1 tokens of the checkpoint's, such as"):
        start_from(checkpoint, CONFIG, smaller)


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


def options_of_run() -> list[str]:
    options = dataclasses.asdict(CONFIG)
    del options["steps"]
    settings = [part for name, value in options.items() for part in option(name, value)]
    return ["--min-count", "1", "--min-poems", "10", *settings]


def command(folder: Path, steps: int) -> list[str]:
    program = [sys.executable, "-m", "training.train", "--steps", str(steps), *options_of_run()]
    return [*program, "--corpus", str(folder), "--out", str(folder / "run")]


def test_a_run_killed_ten_times_at_random_ends_like_one_left_alone(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    report = kill(tmp_path, tmp_path, times=10, steps=200, options=options_of_run())
    assert report.faults == []
    assert report.figures["killed"] == 10
    rows = [all_but_the_speed(tmp_path / name / "metrics.csv") for name in ("alone", "killed")]
    assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0]] == list(range(1, 201))


def test_a_finished_run_is_exported_once(poems: list[CorpusPoem], tmp_path: Path) -> None:
    write_corpus(tmp_path, poems)
    arguments = command(tmp_path, 3)[3:]
    exported = tmp_path / "run/poetry.safetensors"

    def version() -> tuple[int, int]:
        status = exported.stat()
        return status.st_ino, status.st_mtime_ns

    for content in (None, b"half a checkpoint"):
        if content is not None:
            exported.write_bytes(content)
        assert CliRunner().invoke(app, arguments).exit_code == 0
        first = version()
        assert Checkpoint.load(exported).provenance["training"]["step"] == 3
        assert CliRunner().invoke(app, arguments).exit_code == 0
        assert version() == first, "it was written again"
    assert CliRunner().invoke(app, command(tmp_path, 4)[3:]).exit_code == 0
    assert Checkpoint.load(exported).provenance["training"]["step"] == 4


def test_a_corpus_without_validation_poems_gives_a_checkpoint_that_says_so(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    (tmp_path / "validation.jsonl").write_text("")
    result = CliRunner().invoke(app, command(tmp_path, 3)[3:])
    assert result.exit_code == 0, result.output
    assert "there are no validation poems" in result.output
    checkpoint = Checkpoint.load(tmp_path / "run/poetry.safetensors")
    assert checkpoint.provenance["training"]["validation_bits"] is None


def test_what_the_vocabulary_covers_is_reported_and_too_little_is_refused(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    refused = CliRunner().invoke(app, [*command(tmp_path, 3)[3:], "--min-count", "1000"])
    assert refused.exit_code == 1
    assert "covers 0.0% of the characters" in refused.output
    assert "give --min-count 15" in refused.output
    assert not (tmp_path / "run").exists()
    covered = CliRunner().invoke(app, command(tmp_path, 3)[3:])
    assert "cover 100.0% of the characters of 40 sequences" in covered.output


def test_a_run_from_a_packed_file_and_workers_is_the_run_from_the_poems(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    options = ["--min-count", "1", "--min-poems", "10"]
    packed = [*options, "--corpus", str(tmp_path), "--out", str(tmp_path / "packed")]
    result = CliRunner().invoke(pack, packed)
    assert result.exit_code == 0, result.output
    assert "40 sequences" in result.output
    assert CliRunner().invoke(app, command(tmp_path, 12)[3:]).exit_code == 0
    from_file = [*command(tmp_path, 12), "--data", str(tmp_path / "packed"), "--workers", "1"]
    from_file += ["--out", str(tmp_path / "again"), "--corpus", str(tmp_path / "nowhere")]
    again = subprocess.run(from_file, check=False, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    one, other = (load_file(tmp_path / f"{name}/poetry.safetensors") for name in ("run", "again"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_packed_material_with_another_vocabulary_than_the_checkpoint_is_refused(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    assert CliRunner().invoke(app, command(tmp_path, 3)[3:]).exit_code == 0
    start = str(tmp_path / "run/poetry.safetensors")
    packing = ["--corpus", str(tmp_path), "--out", str(tmp_path / "packed")]
    further = [*command(tmp_path, 3)[3:], "--data", str(tmp_path / "packed")]
    further += ["--checkpoint", start, "--out", str(tmp_path / "second")]
    assert CliRunner().invoke(pack, [*packing, "--min-count", "1"]).exit_code == 0
    refused = CliRunner().invoke(app, further)
    assert refused.exit_code == 1
    assert "pack the corpus with training.dataset --checkpoint" in refused.output
    assert CliRunner().invoke(pack, [*packing, "--checkpoint", start]).exit_code == 0
    assert CliRunner().invoke(app, further).exit_code == 0


def test_training_needs_neither_pydantic_nor_what_reads_the_corpus() -> None:
    program = "import sys, training.train; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = set(result.stdout.split())
    assert not loaded & {"opencc", "pydantic", "fastapi", "httpx", "matplotlib"}


def test_a_second_training_in_one_folder_is_refused(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    with owned(tmp_path / "run"):
        result = CliRunner().invoke(app, command(tmp_path, 3)[3:])
    assert result.exit_code == 1
    assert f"error: another training (process {os.getpid()}) is writing to" in result.output
    assert CliRunner().invoke(app, command(tmp_path, 3)[3:]).exit_code == 0


def test_what_a_killed_training_left_half_written_is_removed(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    (tmp_path / "run").mkdir()
    for name in ("state.safetensors", "poetry.safetensors", "metrics.csv", "loss.svg"):
        (tmp_path / f"run/.{name}.partial").write_text("half")
    assert CliRunner().invoke(app, command(tmp_path, 3)[3:]).exit_code == 0
    assert not list((tmp_path / "run").glob(".*"))


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
    together = [*TORCHRUN, *alone[1:], "--out", str(tmp_path / "together")]
    result = subprocess.run(together, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("step 12/12") == 1, "one rank reports for all"
    curves = [
        [(row["loss_bits"], row["grad_norm"], row["tokens"]) for row in read_rows(path)]
        for path in (tmp_path / "run/metrics.csv", tmp_path / "together/metrics.csv")
    ]
    assert len(curves[0]) == 12
    assert curves[1] == [pytest.approx(row, rel=2e-2) for row in curves[0]]


@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_interrupt_saves_and_says_how_to_continue(
    poems: list[CorpusPoem], tmp_path: Path, workers: str
) -> None:
    write_corpus(tmp_path, poems)
    process = subprocess.Popen(
        [*command(tmp_path, 100_000), "--workers", workers],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "run/state.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers too
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command to continue." in output
    assert not (tmp_path / "run/poetry.safetensors").exists()
