"""A compact filter of the corpus's lines: does a line stand there? Wrong once in two thousand.

Each line has a hash in [0, N 2^11), N being the number of lines; a line that is not in the corpus
meets one of the N hashes by chance once in 2^11. The sorted hashes are kept as their differences,
whose mean is 2^11: a Golomb-Rice code takes about 12.5 bits each.

Source: Golomb (1966); Rice (1979); as a filter, Putze, Sanders & Singler (2007).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import compress
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.replacement import replacing
from model.sampling import mix

MAGIC = b"yin-lines"
VERSION = 2
RANGE_BITS = 11  # log2 of the range for each line, and of 1 / the false positives
RICE_BITS = 10
SIEVE_BITS = 8  # log2 of the neighbouring hashes that share a bit of the sieve
LOW_BITS = 16  # of a hash are kept; what is above them says where in the memory they stand
MIN_LINE = 5  # characters; shorter lines are nobody's own
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Words = NDArray[np.uint64]
Codes = NDArray[np.uint32]


class LineFilterError(Exception):
    """A file that cannot be used as a filter; the message says why."""


@dataclass(frozen=True)
class Header:
    """What a file says of its filter.

    Args:
        count: N, the number of different lines.
        range: The hashes are below it.
        hashes: The number of different hashes; some lines share one.
        corpus: Upstream's commit that the lines come from.
    """

    count: int
    range: int
    hashes: int
    corpus: str


class LineFilter:
    """The lines of a corpus.

    Args:
        hashes: Sorted and different, each below count 2^11.
        count: N, the number of different lines that were hashed.
        corpus: Upstream's commit that the lines come from; empty if from elsewhere.
    """

    def __init__(self, hashes: Words, count: int, corpus: str = "") -> None:
        self.corpus, self._count = corpus, count
        self._range = max(1, count) << RANGE_BITS
        # Spares nearly nine of ten strangers a search all over the memory.
        sieve = np.zeros(self._range >> SIEVE_BITS, dtype=np.bool_)
        sieve[hashes >> np.uint64(SIEVE_BITS)] = True
        self._sieve = np.packbits(sieve, bitorder="little")
        # A third of the memory that whole hashes would take.
        highs = np.arange((self._range >> LOW_BITS) + 2, dtype=np.uint64) << np.uint64(LOW_BITS)
        self._starts = np.searchsorted(hashes, highs)  # of the hashes with the same high bits
        self._lows = hashes.astype(np.uint16)

    @classmethod
    def build(cls, lines: Iterable[str], corpus: str = "") -> Self:
        """Return the filter of the lines that have at least five characters."""
        distinct = {line for line in lines if len(line) >= MIN_LINE}
        words = [_hash(_columns(group)) for group in _by_length(distinct)]
        hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *words])
        hashes %= np.uint64(max(1, len(distinct)) << RANGE_BITS)
        return cls(np.unique(hashes), len(distinct), corpus)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, line: str) -> bool:
        """Return whether a line, in the model's script, stands in the corpus."""
        if len(line) < MIN_LINE:
            return False
        number = _hash_one(line) % self._range
        byte, bit = divmod(number >> SIEVE_BITS, 8)
        if not self._sieve[byte] >> bit & 1:
            return False
        high, low = divmod(number, 1 << LOW_BITS)
        start, end = self._starts[high : high + 2]
        return bool((self._lows[start:end] == low).any())

    def known(self, lines: Iterable[str]) -> set[str]:
        """Return those of lines that stand in the corpus: many are much faster than one by one."""
        found = set[str]()
        for group in _by_length(line for line in lines if len(line) >= MIN_LINE):
            found.update(compress(group, self._holds(_hash(_columns(group)))))
        return found

    def completions(self, prefix: str, code_points: Codes, suffix: str = "") -> NDArray[np.bool_]:
        """Return for each character whether it makes a line of the corpus, with what is around it.

        Args:
            prefix: What stands before the character.
            code_points: (M,), the characters to try.
            suffix: What stands after it.
        """
        if len(prefix) + 1 + len(suffix) < MIN_LINE:
            return np.zeros(len(code_points), dtype=np.bool_)
        return self._holds(_hash([*_columns([prefix]), code_points, *_columns([suffix])]))

    def save(self, path: Path) -> None:
        """Write the filter to path: whole or not at all.

        Raises:
            OSError: If the file cannot be written; what stood at path is still there.
        """
        hashes = self._hashes
        header = Header(self._count, self._range, len(hashes), self.corpus)
        content = json.dumps(asdict(header)).encode() + b"\n" + _encode(hashes)
        with replacing(path) as partial:
            partial.write_bytes(_first_line(content) + content)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and verify a filter.

        Raises:
            LineFilterError: If there is no file, or it is not a filter of this version, whole.
        """
        header, payload = _read(path)
        return cls(_decode(payload, header.hashes), header.count, header.corpus)

    def _holds(self, words: Words) -> NDArray[np.bool_]:
        """Return for each line's word, (M,), whether its hash is one of the filter's."""
        hashes = words % np.uint64(self._range)
        bits = hashes >> np.uint64(SIEVE_BITS)
        found = (self._sieve[bits >> np.uint64(3)] >> (bits & np.uint64(7)).astype(np.uint8)) & 1
        likely = np.flatnonzero(found)
        found[likely] = self._stand(hashes[likely])
        kept: NDArray[np.bool_] = found.astype(np.bool_)
        return kept

    def _stand(self, hashes: Words) -> NDArray[np.bool_]:
        """Return for each hash, (M,), whether it is kept."""
        highs = hashes >> np.uint64(LOW_BITS)
        start, end = self._starts[highs], self._starts[highs + np.uint64(1)]
        width = int((end - start).max(initial=0))
        indices = start[:, None] + np.arange(width)  # (M, width)
        lows = self._lows[np.minimum(indices, len(self._lows) - 1)]
        same = (lows == hashes.astype(np.uint16)[:, None]) & (indices < end[:, None])
        return np.asarray(same.any(1))

    @property
    def _hashes(self) -> Words:
        highs = np.repeat(np.arange(len(self._starts) - 1), np.diff(self._starts))
        return highs.astype(np.uint64) << np.uint64(LOW_BITS) | self._lows


def _hash(columns: Iterable[Codes]) -> Words:
    """Return a word for each line, given the code points of each column: (M,), or (1,) for all."""
    words = np.zeros(1, dtype=np.uint64)
    for column in columns:
        words = _mix(words ^ column)
    return words  # (M,)


def _hash_one(line: str) -> int:
    """Return the word of one line: for so few, Python's own numbers are faster."""
    word = 0
    for character in line:
        word = mix(word ^ ord(character))
    return word


def _mix(words: Words) -> Words:
    """Scramble 64 bits each: splitmix64's finalizer after one increment (Steele et al. 2014)."""
    words = words + GOLDEN
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _by_length(lines: Iterable[str]) -> Iterable[list[str]]:
    groups: dict[int, list[str]] = {}
    for line in lines:
        groups.setdefault(len(line), []).append(line)
    return groups.values()


def _columns(lines: list[str]) -> Codes:
    """Return the code points of lines of one length, (characters, N)."""
    codes = np.frombuffer("".join(lines).encode("utf-32-le"), dtype="<u4")
    return codes.reshape(len(lines), -1).T


def _first_line(content: bytes) -> bytes:
    """Return what a file opens with: its kind, its version, and a checksum of all that follows."""
    digest = hashlib.sha256(content).hexdigest()
    return b"%s %d %s\n" % (MAGIC, VERSION, digest.encode())


def _read(path: Path) -> tuple[Header, bytes]:
    """Return what a file holds, once it is known to be what was saved."""
    try:
        first, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError as error:
        raise LineFilterError(f"there is no filter of lines at {path}") from error
    except OSError as error:
        raise LineFilterError(f"{path} cannot be read: {error}") from error
    magic, _, rest = first.partition(b" ")
    if magic != MAGIC:
        raise LineFilterError(f"{path} is not a filter of lines")
    version = rest.partition(b" ")[0].decode(errors="replace")
    if version != str(VERSION):
        raise LineFilterError(f"{path} has version {version}, this release reads {VERSION}")
    if first + b"\n" != _first_line(content):
        raise LineFilterError(f"{path} is damaged: its content does not match its checksum")
    line, _, payload = content.partition(b"\n")
    fields: dict[str, Any] = json.loads(line)
    return Header(**fields), payload


def _encode(hashes: Words) -> bytes:
    """Return sorted numbers in a Golomb-Rice code of their differences.

    First the lowest bit of all remainders, then the next, and so on; then all quotients, each as
    so many zeros and a one.
    """
    deltas = np.diff(hashes, prepend=np.uint64(0)).astype(np.int64)
    planes = [np.packbits((deltas >> bit & 1).astype(np.uint8)) for bit in range(RICE_BITS)]
    ends = np.cumsum((deltas >> RICE_BITS) + 1) - 1
    quotients = np.zeros(ends[-1] + 1 if len(ends) else 0, dtype=np.uint8)
    quotients[ends] = 1
    return b"".join(bits.tobytes() for bits in (*planes, np.packbits(quotients)))


def _decode(payload: bytes, count: int) -> Words:
    """Return the numbers that _encode() wrote."""
    packed, size = np.frombuffer(payload, dtype=np.uint8), -(-count // 8)
    ends = np.flatnonzero(np.unpackbits(packed[RICE_BITS * size :]))
    deltas = (np.diff(ends, prepend=-1) - 1) << RICE_BITS
    for bit in range(RICE_BITS):
        plane = np.unpackbits(packed[bit * size : (bit + 1) * size], count=count)
        deltas |= plane.astype(np.int64) << bit
    return np.cumsum(deltas).astype(np.uint64)
