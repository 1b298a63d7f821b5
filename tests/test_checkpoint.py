import dataclasses
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model.checkpoint import Checkpoint, CheckpointError
from model.poetry_model import PoetryConfig, PoetryModel
from model.vocabulary import Vocabulary


@pytest.fixture
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    vocabulary = Vocabulary("日月山水", ["李白"])
    config = PoetryConfig(len(vocabulary), embedding_size=4, hidden_size=6, num_layers=2)
    weights = {name: w.bfloat16() for name, w in PoetryModel(config).state_dict().items()}
    return Checkpoint("tiny", config, vocabulary, weights, {"step": 3, "validation_bits": 8.5})


@pytest.fixture
def path(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    path = tmp_path / "poetry.safetensors"
    checkpoint.save(path)
    return path


def test_loading_gives_back_what_was_saved(checkpoint: Checkpoint, path: Path) -> None:
    loaded = Checkpoint.load(path)
    assert loaded.name == "tiny"
    assert loaded.config == checkpoint.config
    assert loaded.vocabulary.tokens == checkpoint.vocabulary.tokens
    assert loaded.provenance == checkpoint.provenance
    assert loaded.checksum == checkpoint.checksum
    for name, weight in checkpoint.weights.items():
        assert torch.equal(loaded.weights[name], weight)


def test_a_loaded_model_gives_the_same_logits(checkpoint: Checkpoint, path: Path) -> None:
    tokens = torch.tensor([[1], [2], [3]])
    ours, loaded = checkpoint.build_model(), Checkpoint.load(path).build_model()
    assert torch.equal(ours(tokens)[0], loaded(tokens)[0])


def test_the_checksum_tells_any_two_checkpoints_apart(checkpoint: Checkpoint) -> None:
    renamed = dataclasses.replace(checkpoint, name="other")
    weights = dict(checkpoint.weights) | {"output_bias": checkpoint.weights["output_bias"] + 1}
    changed = dataclasses.replace(checkpoint, weights=weights)
    assert len({checkpoint.checksum, renamed.checksum, changed.checksum}) == 3


def test_saving_leaves_nothing_else_behind(path: Path) -> None:
    assert [entry.name for entry in path.parent.iterdir()] == ["poetry.safetensors"]


def test_everybody_may_read_a_checkpoint(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_save_that_fails_keeps_the_old_file(
    checkpoint: Checkpoint, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="no space left"):
        dataclasses.replace(checkpoint, name="newer").save(path)
    assert Checkpoint.load(path).name == "tiny"
    assert len(list(path.parent.iterdir())) == 1


def test_a_disk_that_became_read_only_is_told_as_such(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match=r"cannot write .*poetry: read-only file system"):
        checkpoint.save(tmp_path / "poetry")


def test_every_flipped_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for position in range(0, len(content), 37):
        flipped = bytearray(content)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            Checkpoint.load(path)


def test_a_truncated_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is not a safetensors file"):
        Checkpoint.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint at"):
        Checkpoint.load(tmp_path / "nowhere.safetensors")


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "poetry.safetensors"
    path.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    with pytest.raises(CheckpointError, match="is not a safetensors file"):
        Checkpoint.load(path)


def test_someone_elses_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of yin-poetry"):
        Checkpoint.load(path)


def test_another_format_version_is_refused(path: Path) -> None:
    save_file(load_file(path), path, {"format": "yin-poetry", "format_version": "2"})
    with pytest.raises(CheckpointError, match="format version 2, this release reads version 1"):
        Checkpoint.load(path)


def test_metadata_without_a_vocabulary_is_refused(
    checkpoint: Checkpoint, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Vocabulary, "to_dict", lambda _: {"authors": []})
    checkpoint.save(path)
    with pytest.raises(CheckpointError, match="metadata that cannot be read: 'characters'"):
        Checkpoint.load(path)


def test_a_missing_tensor_is_named(checkpoint: Checkpoint, path: Path) -> None:
    weights = {n: w for n, w in checkpoint.weights.items() if n != "output_bias"}
    dataclasses.replace(checkpoint, weights=weights).save(path)
    with pytest.raises(CheckpointError, match="lacks the tensor output_bias"):
        Checkpoint.load(path)


def test_a_tensor_too_many_is_named(checkpoint: Checkpoint, path: Path) -> None:
    weights = {**checkpoint.weights, "extra": torch.zeros(1)}
    dataclasses.replace(checkpoint, weights=weights).save(path)
    with pytest.raises(CheckpointError, match="has a tensor extra that the model lacks"):
        Checkpoint.load(path)


def test_a_tensor_of_another_shape_is_named(checkpoint: Checkpoint, path: Path) -> None:
    weights = {**checkpoint.weights, "output_bias": torch.zeros(1)}
    dataclasses.replace(checkpoint, weights=weights).save(path)
    with pytest.raises(CheckpointError, match=r"output_bias of shape \(1,\), expected"):
        Checkpoint.load(path)


def test_a_vocabulary_that_does_not_fit_is_refused(checkpoint: Checkpoint, path: Path) -> None:
    dataclasses.replace(checkpoint, vocabulary=Vocabulary("日月")).save(path)
    with pytest.raises(CheckpointError, match=r"a vocabulary of \d+ tokens for a model of"):
        Checkpoint.load(path)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"num_layers": 10_000_000}, "the tensors of 2 layers for a model of 10000000"),
        ({"num_layers": 1}, "the tensors of 2 layers for a model of 1"),
        ({"hidden_size": 10**12}, r"weight_hh of shape \(24, 6\), expected \(4000000000000,"),
        ({"embedding_size": 10**15}, r"embedding.weight of shape \(\d+, 4\), expected"),
        ({"hidden_size": 6.0}, "sizes that are not whole numbers"),
        ({"num_layers": "two"}, "metadata that cannot be read"),
    ],
)
def test_a_forged_size_is_refused_before_a_model_of_it_is_built(
    checkpoint: Checkpoint,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sizes: dict[str, object],
    message: str,
) -> None:
    forged = checkpoint.config.to_dict() | sizes
    monkeypatch.setattr(PoetryConfig, "to_dict", lambda _: forged)
    checkpoint.save(path)
    with pytest.raises(CheckpointError, match=message):
        Checkpoint.load(path)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.float64, torch.bool])
def test_weights_in_a_format_that_is_none_of_ours_are_refused(
    checkpoint: Checkpoint, path: Path, dtype: torch.dtype
) -> None:
    weights = {name: weight.to(dtype) for name, weight in checkpoint.weights.items()}
    dataclasses.replace(checkpoint, weights=weights).save(path)
    with pytest.raises(CheckpointError, match=r"in \w+, expected one of float32, bfloat16"):
        Checkpoint.load(path)


def test_a_pipe_and_a_folder_are_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(CheckpointError, match="is not a file"):
            Checkpoint.load(path)


def test_a_file_that_may_not_be_read_is_not_called_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError, match="cannot be read: Permission denied"):
        Checkpoint.load(path)
