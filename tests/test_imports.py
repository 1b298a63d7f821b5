"""The house rules: app -> model <- training; model.verse <- model <- model.poet; unique names."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {"model": {"model"}, "app": {"app", "model"}, "training": {"training", "model"}}
NEED_VERSE = {"guide", "poetry_model", "vocabulary"}  # of the engine: what a cue and a form are


def imported_modules(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it the import stands."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name, not relatively"
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def imported_packages(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {module.partition(".")[0] for module in imported_modules(path)}


def is_within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_depend_in_one_direction(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        forbidden = imported_packages(path) & (set(ALLOWED) - ALLOWED[package])
        assert not forbidden, f"{path.relative_to(ROOT)} imports {', '.join(forbidden)}"


@pytest.mark.parametrize("package", ["model", "training"])
def test_the_model_and_its_training_know_nothing_of_the_web(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert not imported_packages(path) & {"fastapi", "pydantic", "starlette", "uvicorn"}


def test_verse_needs_nothing_of_the_model_and_no_tensors() -> None:
    files = sorted((ROOT / "model/verse").glob("*.py"))
    assert files
    for path in files:
        own = {module for module in imported_modules(path) if is_within(module, "model")}
        assert all(is_within(module, "model.verse") for module in own), path
        assert not imported_packages(path) & {"torch", "numpy"}, path


def test_the_engine_knows_no_poet_and_next_to_nothing_of_verse() -> None:
    files = sorted((ROOT / "model").glob("*.py"))
    assert files
    for path in files:
        modules = imported_modules(path)
        assert not any(is_within(module, "model.poet") for module in modules), path
        if path.stem not in NEED_VERSE:
            assert not any(is_within(module, "model.verse") for module in modules), path


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_no_two_modules_of_a_package_have_the_same_name(package: str) -> None:
    names = Counter(path.stem for path in (ROOT / package).rglob("*.py"))
    assert [name for name, count in names.items() if count > 1 and name != "__init__"] == []


def test_a_client_loads_no_tensors() -> None:
    code = "import sys, app.client; print(*sorted({'torch', 'numpy', 'httpx'} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.split() == ["httpx"]
