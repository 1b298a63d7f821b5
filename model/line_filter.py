"""A compact filter of the corpus's lines: does a line stand there? Wrong once in a thousand.

Each line has a hash in [0, N 2^10), N being the number of lines; a line that is not in the corpus
meets one of the N hashes by chance once in 2^10. The sorted hashes are kept as their differences,
whose mean is 2^10: a Golomb-Rice code takes about 11.5 bits each.

Source: Golomb (1966); Rice (1979); as a filter, Putze, Sanders & Singler (2007).
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

MAGIC = b"yin-lines\n"
VERSION = 1
RICE_BITS = 10
MIN_LINE = 5  # characters; shorter lines are nobody's own
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Words = NDArray[np.uint64]


class LineFilterError(Exception):
    """A file that cannot be used as a filter; the message says why."""


class LineFilter:
    """The lines of a corpus.

    Args:
        hashes: Sorted and different, each below count 2^10.
        count: N, the number of lines that were hashed.
    """

    def __init__(self, hashes: Words, count: int) -> None:
        self._hashes, self._range = hashes, np.uint64(max(1, count) << RICE_BITS)
        self._count = count

    @classmethod
    def build(cls, lines: Iterable[str]) -> Self:
        """Return the filter of the lines that have at least five characters."""
        distinct = sorted({line for line in lines if len(line) >= MIN_LINE})
        empty = cls(np.zeros(0, dtype=np.uint64), len(distinct))
        by_length: dict[int, list[str]] = {}
        for line in distinct:
            by_length.setdefault(len(line), []).append(line)
        hashes = [empty._hash(_code_points(group)) for group in by_length.values()]
        return cls(np.unique(np.concatenate(hashes or [empty._hashes])), len(distinct))

    def __len__(self) -> int:
        return self._count

    def __contains__(self, line: str) -> bool:
        """Return whether a line, in the model's script, stands in the corpus."""
        if len(line) < MIN_LINE:
            return False
        return bool(self._holds(self._hash(_code_points([line])))[0])

    def completions(self, prefix: str, code_points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Return for each last character whether prefix and it make a line of the corpus."""
        if len(prefix) + 1 < MIN_LINE:
            return np.zeros(len(code_points), dtype=np.bool_)
        rows = np.empty((len(code_points), len(prefix) + 1), dtype=np.uint32)
        rows[:, :-1] = _code_points([prefix])
        rows[:, -1] = code_points
        return self._holds(self._hash(rows))

    def save(self, path: Path) -> None:
        """Write the filter to path: whole or not at all."""
        payload = _encode(self._hashes)
        header = {
            "version": VERSION,
            "count": self._count,
            "hashes": len(self._hashes),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(MAGIC + json.dumps(header).encode() + b"\n" + payload)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and verify a filter.

        Raises:
            LineFilterError: If there is no file, or it is not a filter of this version, whole.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise LineFilterError(f"there is no filter of lines at {path}: {error}") from error
        if not content.startswith(MAGIC):
            raise LineFilterError(f"{path} is not a filter of lines")
        line, _, payload = content[len(MAGIC) :].partition(b"\n")
        header = _header(line, path)
        if hashlib.sha256(payload).hexdigest() != header["sha256"]:
            raise LineFilterError(f"{path} is damaged: its content does not match its checksum")
        return cls(_decode(payload, header["hashes"]), header["count"])

    def _hash(self, rows: NDArray[np.uint32]) -> Words:
        """Return the hash of each row of code points, (N, characters)."""
        words = np.full(len(rows), rows.shape[1], dtype=np.uint64)
        for column in rows.T.astype(np.uint64):
            words = _mix(words ^ column)
        return words % self._range

    def _holds(self, hashes: Words) -> NDArray[np.bool_]:
        if not len(self._hashes):
            return np.zeros(len(hashes), dtype=np.bool_)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        found: NDArray[np.bool_] = self._hashes[places] == hashes
        return found


def _header(line: bytes, path: Path) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads(line)
        version = header["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise LineFilterError(f"{path} is damaged: its header cannot be read") from error
    if version != VERSION:
        raise LineFilterError(f"{path} has version {version}, this release reads {VERSION}")
    return header


def _mix(words: Words) -> Words:
    """Scramble 64 bits each: splitmix64's finalizer after one increment (Steele et al. 2014)."""
    words = words + GOLDEN
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _code_points(lines: list[str]) -> NDArray[np.uint32]:
    """Return lines of one length as rows, (N, characters)."""
    codes = np.frombuffer("".join(lines).encode("utf-32-le"), dtype=np.uint32)
    return codes.reshape(len(lines), -1)


def _encode(hashes: Words) -> bytes:
    """Return sorted numbers in a Golomb-Rice code of their differences: all remainders, then all
    quotients, each as so many zeros and a one."""
    deltas = np.diff(hashes, prepend=np.uint64(0)).astype(np.int64)
    remainders = (deltas[:, None] >> np.arange(RICE_BITS) & 1).astype(np.uint8)
    ends = np.cumsum((deltas >> RICE_BITS) + 1) - 1
    quotients = np.zeros(int(ends[-1]) + 1 if len(ends) else 0, dtype=np.uint8)
    quotients[ends] = 1
    return np.packbits(remainders).tobytes() + np.packbits(quotients).tobytes()


def _decode(payload: bytes, count: int) -> Words:
    """Return the numbers that _encode() wrote."""
    size = -(-count * RICE_BITS // 8)
    bits = np.unpackbits(np.frombuffer(payload[:size], dtype=np.uint8))
    remainders = bits[: count * RICE_BITS].reshape(count, RICE_BITS).astype(np.int64)
    ends = np.flatnonzero(np.unpackbits(np.frombuffer(payload[size:], dtype=np.uint8)))[:count]
    quotients = np.diff(ends, prepend=-1) - 1
    deltas = (remainders << np.arange(RICE_BITS)).sum(1) + (quotients << RICE_BITS)
    return np.cumsum(deltas).astype(np.uint64)
