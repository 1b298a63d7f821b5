"""The folder of a run: one training at a time, and nothing left of one that was killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.run_folder import FolderInUse, owned

HOLDER = """
import sys
from pathlib import Path
from training.run_folder import owned
with owned(Path(sys.argv[1])):
    print("owned", flush=True)
    sys.stdin.read()
"""


def test_a_second_training_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout
        assert first.stdout.readline() == "owned\n"
        with (
            pytest.raises(FolderInUse, match=rf"process {first.pid}\) .* give another --out"),
            owned(tmp_path / "run"),
        ):
            pass
        first.kill()
    with owned(tmp_path / "run"):
        assert (tmp_path / "run/lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_is_free_again_when_a_training_ends(tmp_path: Path) -> None:
    for _ in range(2):
        with owned(tmp_path):
            pass


def test_what_a_killed_run_left_is_removed_and_the_rest_is_kept(tmp_path: Path) -> None:
    for name in (".state.safetensors.partial", "state.safetensors", ".hidden"):
        (tmp_path / name).write_text("x")
    with owned(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {
            "state.safetensors",
            ".hidden",
            "lock",
        }


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OSError, match="File exists"), owned(tmp_path / "run"):
        pass
