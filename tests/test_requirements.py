"""requirements.txt: what serving needs, at the versions of constraints.txt, each with hashes."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.txt").read_text()


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def needed(names: list[str]) -> set[str]:
    """The packages that names need here, PyTorch and its CUDA libraries left out."""
    seen: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name.startswith(("nvidia-", "cuda-", "triton")):
            continue
        for text in requires(name) or ():
            other = Requirement(text)
            extras = one.extras or {""}
            holds = other.marker is None or any(
                other.marker.evaluate({"extra": extra}) for extra in extras
            )
            if holds and canonicalize_name(other.name) not in seen:
                waiting.append(other)
        seen.add(name)
    return seen - {"torch"}


def test_every_pin_is_that_of_the_constraints() -> None:
    constraints = pins((ROOT / "constraints.txt").read_text())
    locked = pins(LOCK)
    assert len(locked) > 30
    foreign = {"colorama"}  # on Windows alone
    assert {name: constraints.get(name) for name in locked.keys() - foreign} == {
        name: version for name, version in locked.items() if name not in foreign
    }


def test_every_package_that_serving_needs_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert needed(project["dependencies"]) <= pins(LOCK).keys()


def test_every_package_has_a_hash() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.partition("make lock\n")[2].strip())
    assert len(entries) == len(pins(LOCK))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_a_package_without_a_wheel_of_its_own_has_the_hash_of_its_source_too() -> None:
    (entry,) = re.findall(r"^pypinyin==.*(?:\n +--hash=\S+(?: \\)?)+", LOCK, re.MULTILINE)
    assert entry.count("--hash=sha256:") == 2  # the wheel and the source archive
