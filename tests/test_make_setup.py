"""`make setup` says what it does, a line for each stage."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Stands for python3 and for the environment's: makes the environment, notes what else it does.
STAND_IN = f"""#!{sys.executable}
import os, shutil, sys
arguments = sys.argv[1:]
if arguments[:1] == ["--version"]:
    print("Python 3.11.0")
elif arguments[:2] == ["-m", "venv"]:
    os.makedirs(arguments[2] + "/bin")
    shutil.copy(__file__, arguments[2] + "/bin/python")
else:
    with open("log", "a") as log:
        print(*arguments, file=log)
    if os.environ.get("FAILING", "none") in arguments:
        sys.exit("error: no such package")
"""


def setup(folder: Path, *variables: str, failing: str = "none") -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    python = folder / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    environment = {**os.environ, "FAILING": failing}
    command = ["make", "--no-print-directory", "setup", f"PYTHON={python}", *variables]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("variables", "torch"),
    [
        ([], "with CUDA: several gigabytes"),
        (["TORCH_INDEX=https://example.org/cpu"], "from https://example.org/cpu"),
    ],
)
def test_every_stage_has_a_line_and_nothing_else_is_printed(
    tmp_path: Path, variables: list[str], torch: str
) -> None:
    result = setup(tmp_path, *variables)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        ".venv: an environment of Python 3.11.0",
        ".venv: what serving needs (requirements.txt)",
        f".venv: PyTorch, {torch}; this takes minutes",
        ".venv: Yin itself",
        ".venv: what training and tests need",
        ".venv: ready",
    ]
    installed = (tmp_path / "log").read_text().splitlines()
    assert all("--quiet" in row for row in installed)
    assert "--require-hashes" in installed[0]
    assert len(installed) == 4


def test_a_stage_that_fails_is_the_last_line(tmp_path: Path) -> None:
    result = setup(tmp_path, failing="--require-hashes")
    assert result.returncode == 2
    assert result.stdout.splitlines()[-1] == ".venv: what serving needs (requirements.txt)"
    assert result.stderr.startswith("error: no such package\n")
