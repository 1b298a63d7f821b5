"""The folder of a run: one training at a time, and nothing left of one that was killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"  # its name in the folder; it holds the number of the process


class FolderInUse(Exception):
    """Another training writes to the folder."""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Make a folder and be the only one to train in it; remove what a killed run left half-written.

    The lock is the kernel's: it ends with the process, however that ends.

    Raises:
        FolderInUse: If another process trains there.
        OSError: If there can be no such folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise FolderInUse(
                f"another training (process {file.read().strip() or 'unknown'}) is writing to "
                f"{folder}; wait until it ends, or give another --out"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        for partial in folder.glob(".*.partial"):
            partial.unlink()
        yield
