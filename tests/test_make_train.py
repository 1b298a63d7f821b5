"""`make train`, whole, on a tiny corpus."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from model.checkpoint import Checkpoint
from tests.test_corpus import made_up, write_upstream

ROOT = Path(__file__).parent.parent
RECIPE = (
    "--steps 40 --batch-tokens 400 --embedding-size 8 --hidden-size 8 --save-every 2 --min-count 1"
)


def make(folder: Path, *, wait: bool = True) -> subprocess.Popen[str]:
    """Run `make train` with paths that have spaces in them."""
    variables = {
        "bin": Path(sys.executable).parent,
        "SOURCE": folder / "the source",
        "CORPUS": folder / "the corpus",
        "RUN": folder / "the run",
        "RECIPE": f"{RECIPE} --name tiny",
    }
    # Not -C: it would print the folder; and the environment is there already.
    command = ["make", "-o", ".venv/ready-test", "train"]
    process = subprocess.Popen(
        [*command, *(f"{name}={value}" for name, value in variables.items())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if wait:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    return process


def test_make_train_leads_from_an_archive_to_a_checkpoint_though_it_is_killed(
    tmp_path: Path,
) -> None:
    write_upstream(tmp_path / "the source", made_up(120))
    process = make(tmp_path, wait=False)
    state, exported = (tmp_path / "the run" / f"{n}.safetensors" for n in ("state", "poetry"))
    deadline = time.monotonic() + 120
    while not state.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    output, _ = process.communicate()
    assert state.exists(), output
    assert not exported.exists()
    make(tmp_path)
    checkpoint = Checkpoint.load(exported)
    assert checkpoint.name == "tiny"
    assert checkpoint.provenance["training"]["step"] == 40
    assert checkpoint.provenance["corpus"]["commit"] == ""
    before = exported.stat().st_ino
    make(tmp_path)
    assert exported.stat().st_ino == before, "a finished run was exported again"
