"""The processors that this process may keep busy: its affinity and its cgroup's quota.

A container with one processor of sixty-four sees all of them; threads for each would wait for each
other. Both versions of cgroups are read, and every group from the process's own up to the root of
what is mounted, because the narrowest one counts.

Sources
    The Linux kernel's documentation: admin-guide/cgroup-v2 (cpu.max) and scheduler/sched-bwc
    (cpu.cfs_quota_us, cpu.cfs_period_us).
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def available_cpus(root: Path = Path("/")) -> int:
    """Return how many processors this process may keep busy, at least 1.

    Args:
        root: Where proc and sys are.
    """
    cpus = len(os.sched_getaffinity(0))
    return max(1, int(min([cpus, *quotas(root)])))


def quotas(root: Path) -> Iterator[float]:
    """Yield every limit that is set, in processors."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux, or hidden
        return
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        if controllers not in ("", "cpu", "cpu,cpuacct"):
            continue
        mount = root / "sys/fs/cgroup" / controllers
        # In a container the path may be the host's, which is not there; the root always is.
        group = PurePosixPath(path.lstrip("/"))
        for folder in (mount / group, *(mount / parent for parent in group.parents)):
            quota = read_quota(folder)
            if quota is not None:
                yield quota


def read_quota(group: Path) -> float | None:
    """Return the processors that a cgroup may use; None if it says nothing."""
    try:
        if (group / "cpu.max").exists():
            limit, period = (group / "cpu.max").read_text().split()
        else:
            limit = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        microseconds = int(limit)
        return microseconds / int(period) if microseconds > 0 else None  # -1: no limit
    except (OSError, ValueError):  # "max": no limit
        return None
