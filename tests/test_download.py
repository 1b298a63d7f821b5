import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from training.archive import CorpusError
from training.download import COMMIT, Origin, blob_id, download, origin_of, upstream_ids, verify

FILES = {
    "全唐诗/poet.tang.0.json": b'[{"author": "a"}]',
    "全唐诗/poet.song.1000.json": b"[]" * 200_000,
}
IDS = {path: blob_id(content) for path, content in FILES.items()}
QUIET = Console(quiet=True)


def pack(files: dict[str, bytes]) -> bytes:
    """An archive such as upstream's: one top folder, other files beside those of poems."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as tar:
        for path, content in {**files, "README.md": b"hello"}.items():
            entry = tarfile.TarInfo(f"chinese-poetry-99ebbef/{path}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = pack(FILES)


class Upstream(BaseHTTPRequestHandler):
    """Serves an archive; drops the first connections after so many bytes."""

    content: bytes
    drops: list[int]
    ranges: list[str | None]
    can_resume: bool
    is_chunked: bool
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.can_resume else 0
        if start >= len(self.content):
            self.send_error(416)
            return
        self.close_connection = True
        self.send_response(206 if asked and self.can_resume else 200)
        whole = "chunked" if self.is_chunked else str(len(self.content) - start)
        self.send_header("Transfer-Encoding" if self.is_chunked else "Content-Length", whole)
        self.end_headers()
        end = self.drops.pop(0) if self.drops else len(self.content)
        if not self.is_chunked:
            self.wfile.write(self.content[start:end])
            return
        for place in range(start, end, 50_000):
            chunk = self.content[place : min(place + 50_000, end)]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if end == len(self.content):
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def serving(
    content: bytes, *drops: int, can_resume: bool = True, is_chunked: bool = False
) -> Iterator[tuple[str, Upstream]]:
    fields = {"content": content, "drops": list(drops), "ranges": [], "can_resume": can_resume}
    handler = type("Handler", (Upstream,), {**fields, "is_chunked": is_chunked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/archive.tar.gz", handler  # type: ignore[misc]
        finally:
            server.shutdown()
            thread.join()


def is_upstreams(path: Path) -> bool:
    """Whether a file is the whole archive; a plain comparison would print half a megabyte."""
    return path.read_bytes() == ARCHIVE


def test_an_archive_is_downloaded_verified_and_kept(tmp_path: Path) -> None:
    with serving(ARCHIVE) as (url, upstream):
        path = download(tmp_path / "upstream", QUIET, url, IDS)
        assert download(tmp_path / "upstream", QUIET, url, IDS) == path
    assert is_upstreams(path)
    assert upstream.ranges == [None]
    assert [entry.name for entry in path.parent.iterdir()] == ["archive.tar.gz"]


@pytest.mark.parametrize("can_resume", [True, False])
def test_a_broken_download_is_resumed(tmp_path: Path, can_resume: bool) -> None:
    with serving(ARCHIVE, 100_000, can_resume=can_resume) as (url, upstream):
        with pytest.raises(CorpusError, match="run the same command to resume"):
            download(tmp_path, QUIET, url, IDS)
        assert not (tmp_path / "archive.tar.gz").exists()
        path = download(tmp_path, QUIET, url, IDS)
    assert is_upstreams(path)
    assert upstream.ranges == [None, "bytes=100000-"]


def test_a_download_in_chunks_without_a_length_is_resumed_too(tmp_path: Path) -> None:
    with serving(ARCHIVE, 400_000, is_chunked=True) as (url, upstream):
        with pytest.raises(CorpusError, match=r"cannot download .* give --source"):
            download(tmp_path, QUIET, url, IDS)
        assert not (tmp_path / "archive.tar.gz").exists()
        kept = (tmp_path / "archive.tar.gz.part").stat().st_size
        path = download(tmp_path, QUIET, url, IDS)
    assert is_upstreams(path)
    assert 0 < kept <= 400_000
    assert upstream.ranges == [None, f"bytes={kept}-"]


@pytest.mark.parametrize("place", [0, ARCHIVE.index(b"author"), len(ARCHIVE) // 2])
def test_a_flipped_byte_is_noticed_and_nothing_is_left(tmp_path: Path, place: int) -> None:
    flipped = bytearray(ARCHIVE)
    flipped[place] ^= 0x20
    with serving(bytes(flipped)) as (url, _), pytest.raises(CorpusError):
        download(tmp_path, QUIET, url, IDS)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.tar"
    with tarfile.open(path, "w") as tar:
        for top in ("a", "b"):
            tar.addfile(tarfile.TarInfo(f"{top}/全唐诗/poet.tang.0.json"))
    with pytest.raises(CorpusError, match=r"poet\.tang\.0\.json twice"):
        verify(path, {})


def test_a_download_that_is_whole_but_not_yet_verified_is_verified(tmp_path: Path) -> None:
    (tmp_path / "archive.tar.gz.part").write_bytes(ARCHIVE)
    with serving(ARCHIVE) as (url, _):
        assert is_upstreams(download(tmp_path, QUIET, url, IDS))


def test_without_a_server_the_message_names_a_way_out(tmp_path: Path) -> None:
    with serving(b"") as (url, _):
        pass
    with pytest.raises(CorpusError, match=r"cannot download http://127.* give --source"):
        download(tmp_path, QUIET, url, IDS)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({**FILES, "全唐诗/poet.tang.0.json": b"[]"}, r"poet.tang.0.json is not the file that"),
        ({"全唐诗/poet.tang.0.json": FILES["全唐诗/poet.tang.0.json"]}, r"lacks .*song.1000"),
        ({**FILES, "全唐诗/poet.tang.9.json": b"[]"}, r"poet.tang.9.json is not the file that"),
    ],
)
def test_an_archive_that_is_not_upstreams_is_named_and_thrown_away(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    with serving(pack(files)) as (url, _), pytest.raises(CorpusError, match=message):
        download(tmp_path, QUIET, url, IDS)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>")
    with pytest.raises(CorpusError, match="cannot be read as an archive"):
        verify(tmp_path / "page.html", IDS)


def write_directory(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_part_of_upstreams_files_comes_from_its_commit_too(tmp_path: Path) -> None:
    part = dict(list(FILES.items())[:1])
    assert origin_of(write_directory(tmp_path / "part", part), IDS) == Origin(COMMIT, verified=True)


def test_a_corpus_with_upstreams_files_comes_from_its_commit(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "clone", FILES)
    assert origin_of(directory, IDS) == Origin(COMMIT, verified=True)


@pytest.mark.parametrize(
    "files", [{"全唐诗/poet.tang.0.json": b"[]"}, {**FILES, "全唐诗/poet.tang.7.json": b""}]
)
def test_a_corpus_of_ones_own_comes_from_no_commit(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert origin_of(write_directory(tmp_path / "own", files), IDS) == Origin("", verified=False)


@pytest.mark.parametrize(
    ("name", "commit"),
    [
        ("chinese-poetry-99ebbef", COMMIT),
        (f"chinese-poetry-{COMMIT}", COMMIT),
        ("chinese-poetry-1234567", "1234567"),
        ("chinese-poetry-master", ""),
    ],
)
def test_a_corpus_that_was_changed_comes_from_where_its_name_says(
    tmp_path: Path, name: str, commit: str
) -> None:
    directory = write_directory(tmp_path / name, {"全唐诗/poet.tang.0.json": b"[]"})
    assert origin_of(directory, IDS) == Origin(commit, verified=False)
    with tarfile.open(tmp_path / "archive.tar.gz", "w:gz") as tar:
        tar.add(directory, name)
    assert origin_of(tmp_path / "archive.tar.gz", IDS) == Origin(commit, verified=False)


def test_upstreams_files_are_known_by_their_git_ids() -> None:
    ids = upstream_ids()
    assert len(ids) == 347
    assert all(
        len(identity) == 40 and path.startswith(("全唐诗/poet.", "宋词/ci.", "五代诗词/"))
        for path, identity in ids.items()
    )
    # What git itself says of "hello\n".
    assert blob_id(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
