import ctypes
from pathlib import Path

import pytest

from app.heap import trim_heap


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS"))


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc"
)
def test_what_was_given_back_goes_to_the_system() -> None:
    size = 64 * 1024  # below what the heap takes from the system one by one
    blocks = [bytearray(size) for _ in range(1000)]
    last = bytearray(size)  # keeps the heap from shrinking by itself
    full = resident_kib()
    del blocks
    trim_heap()
    assert resident_kib() < full - 1000 * size // 1024 // 2
    assert len(last) == size


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())  # noqa: ARG005
    assert not trim_heap()
