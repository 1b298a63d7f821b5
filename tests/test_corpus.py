import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.vocabulary import Era
from training.archive import CorpusError
from training.ci import to_traditional
from training.corpus import Kind, Report, build, meter_of, write
from training.corpus_poem import RHYMED, CorpusPoem, read_poems
from training.splits import SPLITS

ROOT = Path(__file__).parent.parent
REAL = sorted((ROOT.parent / "shared" / "corpus").glob("*.tar.xz"))
REAL_CI = sorted((ROOT.parent / "shared" / "corpus-ci").glob("*.tar.xz"))
CHARACTERS = [c for c in map(chr, range(0x4E00, 0x4F80)) if to_traditional([c]) == [c]]


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
    splits, _, report = build(write_upstream(tmp_path, [*poems, poems[2], near]))
    assert sum(map(len, splits.values())) == 3
    assert report.shi.read == 5
    assert report.shi.dropped["stands in another poem"] == 2


def test_poems_that_share_a_line_go_to_one_split(tmp_path: Path) -> None:
    poems = made_up(400)
    for one, other in zip(poems[::2], poems[1::2], strict=True):
        one["paragraphs"][0] = other["paragraphs"][0][:6] + one["paragraphs"][0][6:]
    splits, _, report = build(write_upstream(tmp_path, poems))
    assert report.shi.clusters == 200
    lines = [{line for poem in splits[name] for line in poem.lines} for name in SPLITS]
    assert not lines[0] & lines[1]
    assert not lines[0] & lines[2]
    assert not lines[1] & lines[2]
    assert all(splits.values())


def test_the_split_follows_from_the_content_and_not_from_its_order(tmp_path: Path) -> None:
    poems = made_up(300)
    first, _, _ = build(write_upstream(tmp_path / "a", poems))
    second, _, _ = build(write_upstream(tmp_path / "b", poems[::-1]))
    for name in SPLITS:
        assert {poem.text for poem in first[name]} == {poem.text for poem in second[name]}


def test_the_split_does_not_follow_from_the_order_of_the_files(tmp_path: Path) -> None:
    poems = made_up(60)
    for folder, halves in {"a": (poems[:30], poems[30:]), "b": (poems[30:], poems[:30])}.items():
        write_upstream(tmp_path / folder, halves[0])
        other = tmp_path / folder / "全唐诗" / "poet.tang.1000.json"
        other.write_text(json.dumps(halves[1]), encoding="utf-8")
    first, _, _ = build(tmp_path / "a")
    second, _, _ = build(tmp_path / "b")
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
    splits, _, report = build(tmp_path)
    lines = {name: {line for poem in splits[name] for line in poem.lines} for name in SPLITS}
    assert not lines["train"] & lines["validation"]
    assert not lines["train"] & lines["test"]
    assert not lines["validation"] & lines["test"]
    kept = sum(map(len, splits.values()))
    assert kept > 5000
    assert kept + report.shi.dropped.total() == report.shi.read


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


def test_ci_of_an_earlier_corpus_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / "ci-train.jsonl").write_text("{}")
    write({name: [] for name in SPLITS}, {}, Report("abc", False, Kind("def")), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["report.json", *(f"{name}.jsonl" for name in SPLITS)]
    )


def test_a_report_stands_beside_its_own_splits_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits: dict[str, list[CorpusPoem]] = {name: [] for name in SPLITS}
    write(splits, {}, Report("abc", False, Kind("def")), tmp_path)
    assert (tmp_path / "report.json").exists()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write(splits, {}, Report("abc", False, Kind("def")), tmp_path)
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
    assert "200 shi read" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["report.json", *(f"{name}.jsonl" for name in SPLITS)]
    )


CI = [
    {"author": "晏殊", "rhythmic": "丑奴儿・采桑子", "paragraphs": ["日月，山水云来。"]},
    {"author": "晏殊", "rhythmic": "失调名", "paragraphs": ["风雨山河，日月山水。"]},
    {"author": "晏殊", "rhythmic": "浣溪沙", "paragraphs": ["一□红，日月山水云来。"]},
]


def made_up_ci(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Upstream's fields of ci of random characters."""
    poems = made_up(count, seed)
    return [
        {"author": p["author"], "rhythmic": "浣溪沙", "paragraphs": p["paragraphs"]} for p in poems
    ]


def write_upstream_ci(folder: Path, poems: list[dict[str, Any]]) -> Path:
    path = folder / "宋词" / "ci.song.0.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(poems), encoding="utf-8")
    return folder


def test_ci_have_splits_of_their_own_and_a_tune(tmp_path: Path) -> None:
    source = write_upstream(tmp_path, made_up(10))
    ci = {**CI[0], "paragraphs": ["日月山水云，来日。", "花、春夏秋冬。"]}
    shi, splits, report = build(write_upstream_ci(source, [ci, *CI[1:]]))
    (poem,) = splits["train"] + splits["validation"] + splits["test"]
    assert poem.tune == "採桑子"
    assert poem.text == "日月山水雲，來日。花、春夏秋冬。"
    assert (poem.era, poem.form, poem.title, poem.meter) == (Era.SONG, None, "", "")
    assert report.ci is not None
    assert report.ci.read == 3
    assert report.ci.dropped["has no tune"] == 1
    assert report.ci.dropped["has a placeholder or markup"] == 1
    assert report.ci.forms == {"採桑子": 1}
    assert sum(map(len, shi.values())) == 10


def test_what_becomes_of_the_shi_does_not_depend_on_the_ci(tmp_path: Path) -> None:
    shi = made_up(300)
    alone, _, _ = build(write_upstream(tmp_path / "alone", shi))
    ci = made_up_ci(300)
    for one, other in zip(ci[::2], shi[::2], strict=True):  # each shares a line
        one["paragraphs"][0] = other["paragraphs"][0][:6] + one["paragraphs"][0][6:]
    ci += [{**each, "rhythmic": "竹枝"} for each in shi[:20]]  # and some are shi
    both = write_upstream_ci(write_upstream(tmp_path / "both", shi), ci)
    beside, splits, report = build(both)
    assert beside == alone
    assert report.ci is not None
    assert report.ci.dropped["stands in another poem"] == 20
    lines = {
        name: {line for poem in (*beside[name], *splits[name]) for line in poem.lines}
        for name in SPLITS
    }
    assert not lines["train"] & lines["validation"]
    assert not lines["train"] & lines["test"]
    assert not lines["validation"] & lines["test"]
    assert all(splits.values())
    assert sum(map(len, splits.values())) + report.ci.dropped.total() == report.ci.read


def test_ci_may_come_from_a_source_of_their_own(tmp_path: Path) -> None:
    source = write_upstream(tmp_path / "shi", made_up(20))
    own = write_upstream_ci(tmp_path / "ci", made_up_ci(30))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "training.corpus", "--source", str(source)]
    command += ["--ci-source", str(own), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert (report["read"], report["ci"]["read"], report["ci"]["tunes"]) == (20, 30, 1)
    written = {name: list(read_poems(out / f"ci-{name}.jsonl")) for name in SPLITS}
    assert {name: len(poems) for name, poems in written.items()} == report["ci"]["splits"]
    assert {poem.tune for poems in written.values() for poem in poems} == {"浣溪沙"}


@pytest.mark.parametrize("fields", [{}, {"author": "晏殊", "rhythmic": None, "paragraphs": []}])
def test_a_ci_without_upstreams_fields_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    source = write_upstream_ci(write_upstream(tmp_path, made_up(1)), [*made_up_ci(1), fields])
    with pytest.raises(CorpusError, match="ci 2 has not upstream's"):
        build(source)


@pytest.mark.skipif(not REAL_CI, reason="the ci are not beside the repository")
def test_ci_of_the_corpus_keep_their_tunes_and_pauses(tmp_path: Path) -> None:
    subprocess.run(
        ["tar", "-xf", str(REAL_CI[0]), "-C", str(tmp_path), "--wildcards", "*/ci.song.1000.json",
         "*/huajianji-1-juan.json"],
        check=True,
    )  # fmt: skip
    source = write_upstream(tmp_path, made_up(1))
    _, splits, report = build(source)
    assert report.ci is not None
    assert report.ci.forms["菩薩蠻"] >= 14
    assert report.ci.eras[str(Era.TANG)] >= 40
    kept = [poem for poems in splits.values() for poem in poems]
    assert len(kept) > 0.85 * report.ci.read
    assert any("、" in poem.text for poem in kept)
    assert not any(c in poem.text for poem in kept for c in "门红说这")
