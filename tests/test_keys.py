from pathlib import Path

import pytest

from app.keys import read_keys


def test_keys_are_read_without_what_is_around_them(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"\xef\xbb\xbffirst\r\n\n  second \n")
    assert read_keys(path) == [b"first", b"second"]


@pytest.mark.parametrize(("content", "message"), [(b"\n", "holds no key"), (b"\xff", "cannot be")])
def test_a_file_without_keys_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_keys(path)


def test_a_file_that_is_not_there_or_not_named_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ValueError, match="cannot be read"):
            read_keys(path)
    with pytest.raises(ValueError, match="is empty"):
        read_keys("")
