"""Upstream's files: the poems of an archive or a directory, as they are."""

import hashlib
import json
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from model.vocabulary import Era

SHI = re.compile(r"全唐诗/poet\.(tang|song)\.(\d+)\.json$")
CI = re.compile(
    r"(?:宋词/ci\.(song)\.(\d+)y?"
    r"|五代诗词/huajianji/huajianji-(\d|x)-juan"
    r"|五代诗词/nantang/poetrys)\.json$"
)
# What reading a broken archive raises; zipfile has a RuntimeError for one with a password.
UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    EOFError,
    OSError,
    RuntimeError,
    lzma.LZMAError,
    zlib.error,
)
ERAS = {"tang": Era.TANG, "song": Era.SONG}  # 全唐诗 has the poets of the Five Dynasties too


class CorpusError(Exception):
    """A corpus that cannot be read; the message says why and what would be right."""


def read_archive(source: Path) -> Iterator[tuple[Era, dict[str, Any]]]:
    """Yield era and upstream's fields of every shi, in the order of upstream's file names.

    Args:
        source: An archive (.tar.gz, .tar.xz, .zip) of upstream's repository, or a directory of it.

    Raises:
        CorpusError: If there is nothing to read there, or a file is not upstream's JSON.
    """
    files = list(upstream_files(source, SHI))
    if not files:
        raise CorpusError(f"{source} holds no 全唐诗/poet.tang.*.json or poet.song.*.json")
    yield from _poems(files)


def read_ci(source: Path) -> Iterator[tuple[Era, dict[str, Any]]]:
    """Yield era and upstream's fields of every ci (词); those of the Five Dynasties as Tang.

    Args:
        source: As for read_archive(); it need not have any.

    Raises:
        CorpusError: If source cannot be read, or a file is not upstream's JSON.
    """
    yield from _poems(list(upstream_files(source, CI)))


def _poems(files: list[tuple[str, bytes]]) -> Iterator[tuple[Era, dict[str, Any]]]:
    for path, content in sorted(files, key=lambda file: _order(file[0])):
        era, _ = _order(path)
        name = path.rpartition("/")[2]
        try:
            poems = json.loads(content)
        except ValueError as error:
            raise CorpusError(f"{name} is not JSON: {error}") from error
        if not isinstance(poems, list) or not all(isinstance(poem, dict) for poem in poems):
            raise CorpusError(f"{name} is not a list of poems, each an object")
        yield from ((era, poem) for poem in poems)


def _order(path: str) -> tuple[Era, int]:
    """Return era and number of one of upstream's files."""
    match = SHI.search(path) or CI.search(path)
    assert match, "upstream_files() yields no others"
    era, number, *_ = (*match.groups(), None)
    return ERAS[era or "tang"], int(number or 0)


def upstream_files(source: Path, *kinds: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    """Yield upstream's path and the content of each of its files of poems.

    Args:
        source: As for read_archive().
        kinds: SHI, CI; both if none is given.

    Raises:
        CorpusError: If source cannot be read.
    """
    try:
        for name, read in _members(source):
            match = next(filter(None, (kind.search(name) for kind in kinds or (SHI, CI))), None)
            if match:
                yield match[0], read()
    except UNREADABLE as error:
        why = str(error).partition("\n")[0].rstrip(":")  # tarfile has a line for each method
        raise CorpusError(
            f"{source} cannot be read as an archive (.tar.gz, .tar.xz, .zip) or a directory of "
            f"chinese-poetry: {why}"
        ) from error


def folder_of(source: Path) -> str:
    """Return the name of the top folder of an archive, or of a directory.

    Raises:
        CorpusError: If source cannot be read.
    """
    if source.is_dir():
        return source.resolve().name
    try:
        return next((name.partition("/")[0] for name, _ in _members(source)), "")
    except UNREADABLE as error:
        raise CorpusError(f"{source} cannot be read: {error}") from error


def _members(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the name of each file, and what reads it before the next is asked for."""
    if source.is_dir():
        for path in sorted(source.resolve().rglob("*.json")):
            yield path.as_posix(), path.read_bytes
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for name in archive.namelist():
                yield name, lambda name=name: archive.read(name)  # type: ignore[misc]
    else:
        with tarfile.open(source) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name, content.read


def digest_of(source: Path) -> str:
    """Return the SHA-256, in hexadecimal, of an archive, or of a directory's files by name.

    Raises:
        CorpusError: If source cannot be read.
    """
    digest = hashlib.sha256()
    if source.is_dir():
        for path, content in sorted(upstream_files(source)):
            digest.update(f"{path} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()
    try:
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(f"{source} cannot be read: {error}") from error
