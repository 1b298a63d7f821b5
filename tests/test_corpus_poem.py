"""The poems of the corpus and their files."""

import json
from pathlib import Path

import pytest

from model.verse.form import Form
from model.vocabulary import Era
from training.corpus_poem import CorpusPoem, read_poems

ROOT = Path(__file__).parent.parent
REAL = sorted((ROOT.parent / "shared" / "corpus").glob("*.tar.xz"))
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4F00)]


def test_poems_come_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "poems.jsonl"
    upstream = {"author": "李白", "title": "月", "paragraphs": ["来月，", "山水。"], "id": "x"}
    ours = {**upstream, "era": "宋", "meter": "aBbA"}
    path.write_text(json.dumps(upstream) + "\n" + json.dumps(ours) + "\n", encoding="utf-8")
    first, second = read_poems(path)
    assert first == CorpusPoem("李白", "月", ("来月，", "山水。"))
    assert first.text == "來月，山水。"
    assert first.lines == ["來月", "山水"]
    assert (second.era, second.meter) == (Era.SONG, "aBbA")


def test_blank_lines_a_byte_order_mark_and_another_dynasty_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "poems.jsonl"
    line = '{"paragraphs": ["日月。"], "author": null, "era": "明"}'
    path.write_text(f"\n{line}\r\n \n{line}\n\n", encoding="utf-8")
    assert list(read_poems(path)) == [CorpusPoem("", "", ("日月。",))] * 2
    path.write_text(line, encoding="utf-8-sig")
    assert list(read_poems(path)) == [CorpusPoem("", "", ("日月。",))]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "Expecting property name"),
        (b"[]", r"expected an object with a poem's fields, got \[\]"),
        (b'{"title": "x"}', 'expected "paragraphs" to be a list of strings, got None'),
        (b'{"paragraphs": "x"}', "expected \"paragraphs\" to be a list of strings, got 'x'"),
        (b'{"paragraphs": [1]}', r'expected "paragraphs" to be a list of strings, got \[1\]'),
        (b'{"paragraphs": [], "title": 5}', 'expected "title" to be a string, got 5'),
        ('{"paragraphs": ["日"]}'.encode("gb18030"), "codec can't decode"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_a_line_that_is_no_poem_is_refused_by_number(
    tmp_path: Path, line: bytes, message: str
) -> None:
    path = tmp_path / "poems.jsonl"
    path.write_bytes(b'{"paragraphs": []}\n' + line + b"\n")
    with pytest.raises(ValueError, match=f"poems.jsonl, line 2: .*{message}"):
        list(read_poems(path))


def test_a_ci_has_a_tune_and_no_form(tmp_path: Path) -> None:
    path = tmp_path / "poems.jsonl"
    fields = {"author": "", "title": "", "paragraphs": ["日月山水雲，花風雨春秋。"] * 2}
    rows = [json.dumps(fields), json.dumps({**fields, "tune": "竹枝"})]
    path.write_text("\n".join(rows), encoding="utf-8")
    shi, ci = read_poems(path)
    assert (shi.tune, shi.form) == ("", Form.WUJUE)
    assert (ci.tune, ci.form) == ("竹枝", None)


def test_a_poem_has_the_form_of_its_measure() -> None:
    assert CorpusPoem("", "", ("日月山水雲，花風雨春秋。",) * 2).form is Form.WUJUE
