"""The shell: the page's files as its worker keeps them, for where the service cannot be reached."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

WORKER = "worker.js"
NOT_KEPT = {WORKER, "docs.html", "docs.js", "docs.css"}  # the API's page needs the service


@dataclass(frozen=True)
class Shell:
    """The files of a page.

    Args:
        files: The SHA-256 digest of each file that is kept, by its name.
        source: The worker's own script.
    """

    files: dict[str, str]
    source: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the files of a folder; not those of the folders in it, such as the face."""
        paths = (path for path in sorted(folder.iterdir()) if path.is_file())
        files = {
            p.name: sha256(p.read_bytes()).hexdigest() for p in paths if p.name not in NOT_KEPT
        }
        return cls(files, (folder / WORKER).read_text(encoding="utf-8"))

    @property
    def version(self) -> str:
        """What changes when any file does."""
        return sha256(json.dumps([self.files, self.source]).encode()).hexdigest()[:16]

    @property
    def worker(self) -> str:
        """The script of the worker that keeps these files."""
        return (
            f"const VERSION = {json.dumps(self.version)}, FILES = {json.dumps(self.files)};\n"
            f"{self.source}"
        )
