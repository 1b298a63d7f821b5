"""Upstream's files: the poems of an archive or a directory, as they are."""

import hashlib
import json
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from model.vocabulary import Era

FILE_NAME = re.compile(r"全唐诗/poet\.(tang|song)\.(\d+)\.json$")
# What reading a broken archive raises.
UNREADABLE = (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error)
ERAS = {"tang": Era.TANG, "song": Era.SONG}


class CorpusError(Exception):
    """A corpus that cannot be read; the message says why and what would be right."""


def read_archive(source: Path) -> Iterator[tuple[Era, dict[str, Any]]]:
    """Yield era and upstream's fields of every poem, in the order of upstream's file names.

    Args:
        source: An archive (.tar.gz, .tar.xz) of upstream's repository, or a directory of it.

    Raises:
        CorpusError: If there is nothing to read there, or a file is not upstream's JSON.
    """
    files = sorted(_files(source), key=lambda file: (file[0].value, file[1]))
    if not files:
        raise CorpusError(f"{source} holds no 全唐诗/poet.tang.*.json or poet.song.*.json")
    names = {era: name for name, era in ERAS.items()}
    for era, number, content in files:
        name = f"poet.{names[era]}.{number}.json"
        try:
            poems = json.loads(content)
        except ValueError as error:
            raise CorpusError(f"{name} is not JSON: {error}") from error
        if not isinstance(poems, list) or not all(isinstance(poem, dict) for poem in poems):
            raise CorpusError(f"{name} is not a list of poems, each an object")
        yield from ((era, poem) for poem in poems)


def _files(source: Path) -> Iterator[tuple[Era, int, bytes]]:
    """Yield era, number and content of upstream's files of Tang and Song poems."""
    try:
        for name, content in _members(source):
            match = FILE_NAME.search(name)
            if match:
                yield ERAS[match[1]], int(match[2]), content.read()
    except UNREADABLE as error:
        raise CorpusError(
            f"{source} cannot be read as an archive or a directory: {error}"
        ) from error


def _members(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if source.is_dir():
        for path in sorted(source.rglob("poet.*.json")):
            with path.open("rb") as file:
                yield path.as_posix(), file
        return
    with tarfile.open(source) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content


def digest_of(source: Path) -> str:
    """Return the SHA-256, in hexadecimal, of an archive, or of a directory's files by name.

    Raises:
        CorpusError: If source cannot be read.
    """
    digest = hashlib.sha256()
    if source.is_dir():
        for era, number, content in sorted(_files(source)):
            digest.update(f"{era} {number} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()
    try:
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(f"{source} cannot be read: {error}") from error
