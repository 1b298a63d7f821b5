"""Files that are replaced whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield where to write what is to replace path, and replace it once that is on the disk.

    What a killed process left there is named after path, and the next one removes it.

    Raises:
        OSError: If it cannot be written; what stood at path is still there.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):  # a disk that has become read-only refuses this too
            partial.unlink()
        if isinstance(error, OSError):
            raise OSError(f"cannot write {path}: {error}") from error
        raise
