"""The commands that measure a checkpoint."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model.checkpoint import Checkpoint
from model.poetry_model import PoetryConfig, PoetryModel
from model.vocabulary import Vocabulary

VOCABULARY = Vocabulary("日月山水雲")


@pytest.fixture
def model() -> PoetryModel:
    torch.manual_seed(3)
    return PoetryModel(PoetryConfig(len(VOCABULARY), 4, 6, 2)).eval()


def run_bits(checkpoint: Path, poems: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.evaluate", "bits"]
    files = ["--checkpoint", str(checkpoint), "--poems", str(poems)]
    return subprocess.run([*command, *files], capture_output=True, text=True, check=False)


def test_the_command_prints_one_json_object(model: PoetryModel, tmp_path: Path) -> None:
    path, poems = tmp_path / "poetry.safetensors", tmp_path / "poems.jsonl"
    Checkpoint("tiny", model.config, VOCABULARY, model.state_dict(), {}).save(path)
    fields = {"author": "李白", "title": "", "paragraphs": ["日月山水雲，雲水山月日。"], "id": "x"}
    poems.write_text(json.dumps(fields, ensure_ascii=False) + "\n", encoding="utf-8")
    result = run_bits(path, poems)
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["poems"] == 1
    assert printed["characters"] == 10
    assert 0 < printed["bits_per_character"] < 10


def test_the_command_refuses_a_missing_checkpoint(tmp_path: Path) -> None:
    result = run_bits(tmp_path / "none", tmp_path / "poems.jsonl")
    assert result.returncode == 1
    assert "there is no checkpoint at" in result.stderr
