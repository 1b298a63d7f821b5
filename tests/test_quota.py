import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.quota import available_cpus

Tree = Callable[[dict[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write files under a root of their own."""

    def write(files: dict[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content + "\n")
        return tmp_path

    return write


@pytest.fixture(autouse=True)
def _eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def version_1(quota: str, mount: str = "cpu", path: str = "/docker/0a1b") -> dict[str, str]:
    """What a container sees on a host with version 1: the host's path, but its own group."""
    return {
        "proc/self/cgroup": f"4:memory:{path}\n1:{mount}:{path}\n0::/",
        f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us": quota,
        f"sys/fs/cgroup/{mount}/cpu.cfs_period_us": "100000",
    }


def version_2(limit: str) -> dict[str, str]:
    return {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": limit}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("100000 100000", 1), ("50000 100000", 1), ("350000 100000", 3), ("max 100000", 8)],
)
def test_the_quota_of_version_2_is_kept(tree: Tree, limit: str, expected: int) -> None:
    assert available_cpus(tree(version_2(limit))) == expected


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "expected"), [("100000", 1), ("250000", 2), ("-1", 8)])
def test_the_quota_of_version_1_is_kept(tree: Tree, mount: str, quota: str, expected: int) -> None:
    assert available_cpus(tree(version_1(quota, mount))) == expected


def test_the_narrowest_group_counts(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "0::/system.slice/yin.service",
            "sys/fs/cgroup/system.slice/cpu.max": "200000 100000",
            "sys/fs/cgroup/system.slice/yin.service/cpu.max": "400000 100000",
        }
    )
    assert available_cpus(root) == 2


def test_more_than_there_are_is_never_used(tree: Tree) -> None:
    assert available_cpus(tree(version_2("1600000 100000"))) == 8


def test_without_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    assert available_cpus(tmp_path) == 8


def test_what_cannot_be_read_is_no_limit(tree: Tree) -> None:
    assert available_cpus(tree(version_2("nonsense"))) == 8
