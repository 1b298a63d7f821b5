"""GitHub's workflows: what they run is pinned, and they may do nothing but read."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = sorted((Path(__file__).parents[1] / ".github/workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(request.param.read_text())
    return loaded


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_is_one_to_check_and_one_to_audit() -> None:
    assert [path.stem for path in WORKFLOWS] == ["audit", "check"]


def test_actions_are_pinned_to_a_commit(workflow: dict[Any, Any]) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) for name in used)


def test_a_workflow_may_only_read_and_ends(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 30 for job in workflow["jobs"].values())


def test_what_is_run_is_there(workflow: dict[Any, Any]) -> None:
    root = Path(__file__).parents[1]
    targets = re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE)
    for step in steps(workflow):
        program, *arguments = step.get("run", "").split()[:2] or [""]
        if program == "make":
            assert arguments[0] in targets
        elif "/" in program:
            assert (root / program).stat().st_mode & 0o100
