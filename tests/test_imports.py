"""The house rule: app -> model, training -> model, and nothing else."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {"model": {"model"}, "app": {"app", "model"}, "training": {"training", "model"}}


def imported_packages(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it the import stands."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name, not relatively"
            packages.add((node.module or "").partition(".")[0])
    return packages


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
