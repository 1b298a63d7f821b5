"""Files that are replaced whole or not at all."""

import os
from pathlib import Path

import pytest

from model.replacement import replacing


def test_a_file_is_replaced_once_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_is_on_the_disk_before_it_replaces_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "poems.txt", list[tuple[int, bool]]()
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.append((os.fstat(number).st_ino, path.exists()))
    )
    with replacing(path) as partial:
        partial.write_text("new")
    assert synced == [(path.stat().st_ino, False)]


@pytest.mark.parametrize("error", [OSError("disk full"), ValueError("no"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as partial:
            partial.write_text("ne")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_the_system_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "poems.txt"
    with (
        pytest.raises(OSError, match=r"cannot write .*nowhere/poems\.txt: .*No such file"),
        replacing(path) as partial,
    ):
        partial.write_text("new")


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    with replacing(tmp_path / "poems.txt") as partial:
        partial.write_text("half")
        left = partial
        os.link(partial, tmp_path / "kept")
    (tmp_path / "kept").rename(left)  # as a kill would have left it
    with replacing(tmp_path / "poems.txt") as partial:
        assert not partial.exists()
        partial.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["poems.txt"]
