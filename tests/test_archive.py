import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from model.vocabulary import Era
from training.archive import CorpusError, digest_of, folder_of, read_archive, read_ci

FILES = {
    "全唐诗/poet.tang.0.json": [{"title": "a"}, {"title": "b"}],
    "全唐诗/poet.tang.1000.json": [{"title": "c"}],
    "全唐诗/poet.song.0.json": [{"title": "d"}],
    "全唐诗/authors.tang.json": [{"name": "not a poem"}],
}


@pytest.fixture(params=["directory", "tar.gz", "tar.xz", "zip"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "directory":
        for name, poems in FILES.items():
            path = tmp_path / "top" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(poems), encoding="utf-8")
        return tmp_path / "top"
    path = tmp_path / f"archive.{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("top/", "")
            for name, poems in FILES.items():
                archive.writestr(f"top/{name}", json.dumps(poems))
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w:xz") as tar:
        for name, poems in FILES.items():
            content = json.dumps(poems).encode()
            entry = tarfile.TarInfo(f"top/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_poems_come_with_their_era_in_the_order_of_the_files(source: Path) -> None:
    poems = [(era, fields["title"]) for era, fields in read_archive(source)]
    assert sorted(poems) == [
        (Era.TANG, "a"), (Era.TANG, "b"), (Era.TANG, "c"), (Era.SONG, "d")
    ]  # fmt: skip
    assert [title for era, title in poems if era is Era.TANG] == ["a", "b", "c"]


def test_ci_come_with_their_era_in_the_order_of_the_files(tmp_path: Path) -> None:
    files = {
        "宋词/ci.song.1000.json": "b",
        "宋词/ci.song.0.json": "a",
        "宋词/ci.song.2019y.json": "c",
        "宋词/author.song.json": "no ci",
        "五代诗词/huajianji/huajianji-2-juan.json": "e",
        "五代诗词/huajianji/huajianji-x-juan.json": "d",
        "五代诗词/huajianji/huajianji-0-preface.json": "no ci",
        "五代诗词/nantang/poetrys.json": "f",
    }
    for name, title in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps([{"title": title}]), encoding="utf-8")
    found = [(era, fields["title"]) for era, fields in read_ci(tmp_path)]
    assert sorted(found) == sorted(
        [*((Era.TANG, t) for t in "def"), *((Era.SONG, t) for t in "abc")]
    )
    assert [title for era, title in found if era is Era.SONG] == ["a", "b", "c"]
    assert digest_of(tmp_path) != digest_of(tmp_path / "宋词")
    with pytest.raises(CorpusError, match="holds no 全唐诗"):
        list(read_archive(tmp_path))


def test_a_source_without_ci_has_none(source: Path) -> None:
    assert list(read_ci(source)) == []


def test_the_digests_of_two_sources_differ(source: Path) -> None:
    before = digest_of(source)
    assert len(before) == 64
    if source.is_dir():
        (source / "全唐诗/poet.tang.0.json").write_text("[]")
    else:
        source.write_bytes(source.read_bytes() + b"x")
    assert digest_of(source) != before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.tar", None, "holds no 全唐诗"),
        ("broken.tar.xz", b"half a file", "cannot be read as an archive"),
        ("missing.tar.xz", b"", "cannot be read as an archive"),
    ],
)
def test_what_is_no_corpus_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is None:
        tarfile.open(path, "w").close()
    elif content:
        path.write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        list(read_archive(path))


def test_an_archive_that_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.tar.gz"
    path.write_bytes(b"half a file")
    with pytest.raises(CorpusError) as refusal:
        list(read_archive(path))
    assert "\n" not in str(refusal.value)
    assert "(.tar.gz, .tar.xz, .zip)" in str(refusal.value)


def test_a_zip_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    content = "".join(chr(0x4E00 + i * i % 9973) for i in range(50_000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("top/全唐诗/poet.tang.0.json", content)
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(CorpusError, match="cannot be read as an archive"):
        list(read_archive(path))


@pytest.mark.parametrize("folder", ["top", "top/全唐诗"])
def test_a_directory_may_be_named_from_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    path = tmp_path / "top/全唐诗/poet.tang.0.json"
    path.parent.mkdir(parents=True)
    path.write_text('[{"title": "a"}]')
    monkeypatch.chdir(tmp_path / folder)
    assert list(read_archive(Path())) == [(Era.TANG, {"title": "a"})]


def test_the_top_folder_is_named(source: Path) -> None:
    assert folder_of(source) == "top"


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "全唐诗" / "poet.song.7.json"
    path.parent.mkdir()
    path.write_text("[{")
    with pytest.raises(CorpusError, match=r"poet\.song\.7\.json is not JSON"):
        list(read_archive(tmp_path))


def test_a_source_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        digest_of(tmp_path / "none")


@pytest.mark.parametrize("content", ['{"title": "a"}', '["a"]', "null"])
def test_json_that_is_no_list_of_poems_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "全唐诗" / "poet.tang.7.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(CorpusError, match=r"poet\.tang\.7\.json is not a list of poems"):
        list(read_archive(tmp_path))


@pytest.mark.parametrize("suffix", ["gz", "xz", "bz2"])
def test_an_archive_with_flipped_bits_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"archive.tar.{suffix}"
    content = "".join(chr(0x4E00 + i * i % 9973) for i in range(50_000)).encode()
    with tarfile.open(path, f"w:{suffix}") as tar:  # type: ignore[call-overload]
        entry = tarfile.TarInfo("top/全唐诗/poet.tang.0.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    packed = bytearray(path.read_bytes())
    for place in range(len(packed) // 2, len(packed) // 2 + 64):
        packed[place] ^= 0xFF
    path.write_bytes(packed)
    # gzip may first give back what is no text; the others check before they give.
    with pytest.raises(CorpusError, match=r"cannot be read as an archive|is not JSON"):
        list(read_archive(path))
