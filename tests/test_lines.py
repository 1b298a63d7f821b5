import json
from itertools import product
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.poet.line_filter import LineFilter
from model.verse.script import unify
from training.tables.lines import app, false_positives, read_commit, read_lines

BODIES = {
    "train": ["白日依山盡，黃河入海流。", "君不見，黃河之水天上來。"],
    "validation": ["床前明月光，疑是地上霜。"],
    "test": ["千山鳥飛絕，萬徑人蹤滅。", "白日依山盡，疑是地上霜。"],
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A directory as training.corpus writes it."""
    for split, bodies in BODIES.items():
        poems = [{"author": "", "title": "", "paragraphs": [body]} for body in bodies]
        text = "".join(json.dumps(poem, ensure_ascii=False) + "\n" for poem in poems)
        (tmp_path / f"{split}.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "report.json").write_text('{"commit": "99ebbef"}', encoding="utf-8")
    return tmp_path


def test_the_lines_of_all_splits_are_in_the_filter(corpus: Path) -> None:
    out = corpus / "lines.bin"
    result = CliRunner().invoke(app, ["--corpus", str(corpus), "--out", str(out)])
    assert result.exit_code == 0, result.output
    line_filter = LineFilter.load(out)
    bodies = "".join(body for group in BODIES.values() for body in group)
    lines = set(unify(bodies).replace("。", "，").split("，")) - {""}
    assert {line for line in lines if line in line_filter} == lines - {unify("君不見")}
    assert line_filter.corpus == "99ebbef"
    assert f"{len(lines) - 1} lines, {out.stat().st_size} bytes, false positives" in result.output


def test_false_positives_are_measured_on_lines_that_are_not_there() -> None:
    lines = {"甲乙丙丁戊", "甲乙丙丁己"}
    assert false_positives(LineFilter.build(lines), lines, 2000) < 0.01
    others = set(map("".join, product("甲乙", repeat=5)))
    known = others - {"甲甲甲甲甲"}
    # Strangers are 甲甲甲甲甲, on which a filter of all lines of five is wrong, and lines of seven.
    wrong = false_positives(LineFilter.build(others), known, 2000)
    assert 0 < wrong < 0.2


@pytest.mark.parametrize("missing", ["train.jsonl", "test.jsonl", "report.json"])
def test_a_corpus_that_is_not_whole_is_refused(corpus: Path, missing: str) -> None:
    (corpus / missing).unlink()
    out = corpus / "lines.bin"
    result = CliRunner().invoke(app, ["--corpus", str(corpus), "--out", str(out)])
    assert result.exit_code == 1
    assert missing in result.output.replace("\n", "")
    assert not out.exists()


def test_a_missing_split_is_an_error_of_the_system(corpus: Path) -> None:
    (corpus / "validation.jsonl").unlink()
    with pytest.raises(OSError, match="validation"):
        read_lines(corpus)
    with pytest.raises(OSError, match=r"report\.json"):
        read_commit(corpus / "nowhere")


@pytest.mark.parametrize("report", ["", "{}", "[]"])
def test_a_report_without_a_commit_is_refused(corpus: Path, report: str) -> None:
    (corpus / "report.json").write_text(report, encoding="utf-8")
    with pytest.raises(ValueError, match="does not name upstream's commit"):
        read_commit(corpus)


def test_a_damaged_split_is_refused(corpus: Path) -> None:
    (corpus / "test.jsonl").write_text("{\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"test\.jsonl, line 1"):
        read_lines(corpus)
