import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from training.archive import CorpusError
from training.corpus import SPLITS, Report, build, meter_of, prolific_authors, write
from training.corpus_poem import RHYMED, CorpusPoem, read_poems

ROOT = Path(__file__).parent.parent
REAL = sorted((ROOT.parent / "shared" / "corpus").glob("*.tar.xz"))
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4F00)]


def made_up(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Upstream's fields of quatrains of random characters."""
    chance = random.Random(seed)
    poems = []
    for _ in range(count):
        lines = ["".join(chance.choices(CHARACTERS, k=5)) for _ in range(4)]
        couplets = [f"{lines[0]}，{lines[1]}。", f"{lines[2]}，{lines[3]}。"]
        poems.append({"author": "李白", "title": "", "paragraphs": couplets})
    return poems


def write_upstream(folder: Path, poems: list[dict[str, Any]]) -> Path:
    path = folder / "全唐诗" / "poet.tang.0.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(poems), encoding="utf-8")
    return folder


def test_a_poem_that_stands_twice_is_kept_once(tmp_path: Path) -> None:
    poems = made_up(3)
    near = {**poems[0], "paragraphs": [poems[0]["paragraphs"][0], poems[1]["paragraphs"][1][:6]
                                       + poems[0]["paragraphs"][1][6:]]}  # fmt: skip
    splits, report = build(write_upstream(tmp_path, [*poems, poems[2], near]))
    assert sum(map(len, splits.values())) == 3
    assert report.read == 5
    assert report.dropped["stands in another poem"] == 2


def test_poems_that_share_a_line_go_to_one_split(tmp_path: Path) -> None:
    poems = made_up(400)
    for one, other in zip(poems[::2], poems[1::2], strict=True):
        one["paragraphs"][0] = other["paragraphs"][0][:6] + one["paragraphs"][0][6:]
    splits, report = build(write_upstream(tmp_path, poems))
    assert report.clusters == 200
    lines = [{line for poem in splits[name] for line in poem.lines} for name in SPLITS]
    assert not lines[0] & lines[1]
    assert not lines[0] & lines[2]
    assert not lines[1] & lines[2]
    assert all(splits.values())


def test_the_split_follows_from_the_content_and_not_from_its_order(tmp_path: Path) -> None:
    poems = made_up(300)
    first, _ = build(write_upstream(tmp_path / "a", poems))
    second, _ = build(write_upstream(tmp_path / "b", poems[::-1]))
    for name in SPLITS:
        assert {poem.text for poem in first[name]} == {poem.text for poem in second[name]}


def test_the_split_does_not_follow_from_the_order_of_the_files(tmp_path: Path) -> None:
    poems = made_up(60)
    for folder, halves in {"a": (poems[:30], poems[30:]), "b": (poems[30:], poems[:30])}.items():
        write_upstream(tmp_path / folder, halves[0])
        other = tmp_path / folder / "全唐诗" / "poet.tang.1000.json"
        other.write_text(json.dumps(halves[1]), encoding="utf-8")
    first, _ = build(tmp_path / "a")
    second, _ = build(tmp_path / "b")
    assert first == second


@pytest.mark.parametrize("fields", [{}, {"author": "李白", "title": "月", "paragraphs": None}])
def test_a_poem_without_upstreams_fields_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    source = write_upstream(tmp_path, [*made_up(1), fields])
    with pytest.raises(CorpusError, match="poem 2 has not upstream's"):
        build(source)


@pytest.mark.skipif(not REAL, reason="the corpus is not beside the repository")
def test_no_line_of_test_or_validation_stands_in_the_training_poems(tmp_path: Path) -> None:
    subprocess.run(
        ["tar", "-xf", str(REAL[0]), "-C", str(tmp_path), "--wildcards", "*/poet.tang.?.json",
         "*/poet.tang.1?000.json"],
        check=True,
    )  # fmt: skip
    splits, report = build(tmp_path)
    lines = {name: {line for poem in splits[name] for line in poem.lines} for name in SPLITS}
    assert not lines["train"] & lines["validation"]
    assert not lines["train"] & lines["test"]
    assert not lines["validation"] & lines["test"]
    kept = sum(map(len, splits.values()))
    assert kept > 5000
    assert kept + report.dropped.total() == report.read


def test_prolific_authors_are_persons_with_many_poems() -> None:
    counts = {"李白": 3, "杜甫": 4, "不詳": 9, "王維": 1, "": 5}
    poems = [CorpusPoem(author, "", ()) for author, count in counts.items() for _ in range(count)]
    assert prolific_authors(poems, 3) == ["杜甫", "李白"]


@pytest.mark.parametrize(
    ("poem", "meter"),
    [
        ("白日依山盡 黃河入海流 欲窮千里目 更上一層樓", "aBbA"),
        ("春眠不覺曉 處處聞啼鳥 夜來風雨聲 花落知多少", RHYMED),
        ("日日日日日 月月月月月 日日日日日 山山山山山", ""),
    ],
)
def test_meter_names_templates_and_rhyme(poem: str, meter: str) -> None:
    assert meter_of(poem.split()) == meter


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.corpus", "--source", str(tmp_path / "none")]
    result = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "cannot be read" in result.stderr
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_report_stands_beside_its_own_splits_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits: dict[str, list[CorpusPoem]] = {name: [] for name in SPLITS}
    write(splits, Report("abc", "def"), tmp_path)
    assert (tmp_path / "report.json").exists()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write(splits, Report("abc", "def"), tmp_path)
    assert not (tmp_path / "report.json").exists()


def test_the_command_writes_the_splits_and_a_report_that_adds_up(tmp_path: Path) -> None:
    source, out = write_upstream(tmp_path / "source", made_up(200)), tmp_path / "out"
    command = [sys.executable, "-m", "training.corpus", "--source", str(source), "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    written = {name: list(read_poems(out / f"{name}.jsonl")) for name in SPLITS}
    assert {name: len(poems) for name, poems in written.items()} == report["splits"]
    assert report["read"] == 200 == sum(report["splits"].values())
    assert report["characters"] == 200 * 20
    assert report["forms"] == {"五绝": 200}
    assert report["eras"] == {"唐": 200}
    assert (report["commit"], report["verified"]) == ("", False)
    assert "200 poems read" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["report.json", *(f"{name}.jsonl" for name in SPLITS)]
    )
