"""Downloads upstream's archive, and verifies it file by file against git's own ids."""

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from training.archive import CorpusError, folder_of, upstream_files

COMMIT = "99ebbef7e1345c0985c44b9fd96a3f9e776f117b"
URL = f"https://github.com/chinese-poetry/chinese-poetry/archive/{COMMIT}.tar.gz"
CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60.0
FOLDER = re.compile("chinese-poetry-([0-9a-f]{7,40})")  # as upstream's archives have it


def download(
    folder: Path, console: Console, url: str = URL, ids: Mapping[str, str] | None = None
) -> Path:
    """Return the path of upstream's archive in folder, downloaded unless it is there already.

    A broken download is resumed; only what was verified gets the final name.

    Args:
        folder: Where the archive is kept.
        console: Where progress is shown.
        url: Where it comes from.
        ids: Git's blob id of each file by its path; upstream's own if None.

    Raises:
        CorpusError: If it cannot be had, or is not upstream's.
    """
    archive = folder / url.rpartition("/")[2]
    if archive.exists():
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(f"{archive.name}.part")
    try:
        _fetch(url, partial, console)
    except (http.client.HTTPException, OSError) as error:  # a chunked body cut short is the former
        raise CorpusError(
            f"cannot download {url}: {error}; run the same command to resume, or give --source "
            "with an archive or a directory of chinese-poetry"
        ) from error
    try:
        verify(partial, upstream_ids() if ids is None else ids)
    except CorpusError:
        partial.unlink()
        raise
    return partial.replace(archive)


def verify(archive: Path, ids: Mapping[str, str]) -> None:
    """See that an archive holds exactly the files that upstream has.

    Raises:
        CorpusError: If a file is missing, comes twice or is not upstream's, or the archive
            cannot be read.
    """
    found: dict[str, str] = {}
    for path, content in upstream_files(archive):
        if path in found:
            raise CorpusError(f"the archive has {path} twice")
        found[path] = blob_id(content)
    for path in sorted(ids.keys() | found.keys()):
        if path not in found:
            raise CorpusError(f"the archive lacks {path}")
        if found[path] != ids.get(path):
            raise CorpusError(f"{path} is not the file that upstream has at commit {COMMIT}")


class Origin(NamedTuple):
    """Where a corpus comes from."""

    commit: str  # of upstream; empty if it is not upstream's, or not known
    verified: bool  # whether every file is the one that upstream has there


def origin_of(source: Path, ids: Mapping[str, str] | None = None) -> Origin:
    """Return where an archive or a directory comes from, by its files or else by its name.

    Args:
        source: What training.archive reads.
        ids: Git's blob id of each file by its path; upstream's own if None.

    Raises:
        CorpusError: If source cannot be read.
    """
    found = {path: blob_id(content) for path, content in upstream_files(source)}
    known = upstream_ids() if ids is None else ids
    if found and all(known.get(path) == identity for path, identity in found.items()):
        return Origin(COMMIT, verified=True)
    match = FOLDER.fullmatch(folder_of(source))
    claimed = match[1] if match else ""
    return Origin(COMMIT if claimed and COMMIT.startswith(claimed) else claimed, verified=False)


def blob_id(content: bytes) -> str:
    """Return the id that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def upstream_ids() -> dict[str, str]:
    """Return git's blob id of each of upstream's files by its path."""
    table = resources.files("training").joinpath("upstream.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {path: identity for identity, _, path in rows}


def _fetch(url: str, partial: Path, console: Console) -> None:
    """Download to partial, from where it ends if the server can resume."""
    done = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left to send
            return
        raise
    with response:
        resumed = response.status == 206
        size = response.headers.get("Content-Length")
        total = int(size) + done * resumed if size else None
        with partial.open("ab" if resumed else "wb") as file, _progress(console) as progress:
            task = progress.add_task("download", total=total, completed=done * resumed)
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                progress.advance(task, len(chunk))
    if total is not None and partial.stat().st_size != total:
        raise OSError(f"{partial.stat().st_size} of {total} bytes received")


def _progress(console: Console) -> Progress:
    columns: tuple[Any, ...] = (
        TextColumn("downloading"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console)
