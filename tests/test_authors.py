import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.poet.authors import find_authors
from model.vocabulary import Era
from training.tables.authors import LEAST, app, count_poems


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus in which 李白 has the most poems, in two splits and ci, and 杜甫 too few."""
    files = {
        "train": [("李白", "唐")] * 12 + [("杜甫", "唐")] * (LEAST - 1) + [("佚名", "唐")] * 40,
        "validation": [("李白", "唐")] * 8 + [("李白", "")] + [("蘇軾", "宋")] * 10,
        "ci-train": [("苏轼", "宋")] * 10 + [("李白", "唐"), ("", "宋"), ("李白", "宋")],
    }
    for name, poems in files.items():
        rows = (
            {"author": author, "era": era, "title": "", "paragraphs": ["白日依山盡。"]}
            for author, era in poems
        )
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_poems_of_all_splits_are_counted_by_era(corpus: Path) -> None:
    counts = count_poems(corpus)
    assert list(counts) == ["李白", "蘇軾", "杜甫"]
    assert counts["李白"] == {Era.TANG: 21, Era.SONG: 1}
    assert counts["蘇軾"] == {Era.SONG: 20}


def test_authors_of_few_poems_are_not_listed(corpus: Path) -> None:
    out = corpus / "authors.tsv"
    result = CliRunner().invoke(app, ["--corpus", str(corpus), "--out", str(out)])
    assert result.exit_code == 0, result.output
    rows = [row for row in out.read_text(encoding="utf-8").splitlines() if row[0] != "#"]
    assert rows == ["李白\t21\t1", "蘇軾\t0\t20"]
    assert result.output == "2 of 3 authors\n"


def test_a_corpus_that_is_none_is_reported(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("{", encoding="utf-8")
    result = CliRunner().invoke(app, ["--corpus", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "line 1" in result.output


@pytest.mark.parametrize(
    ("part", "names"),
    [("", ["陸游", "蘇軾", "某甲"]), ("陆", ["陸游"]), ("軾", ["蘇軾"]), ("乙", [])],
)
def test_authors_are_found_by_a_part_of_the_name_in_either_script(
    part: str, names: list[str]
) -> None:
    found = list(find_authors(["陸游", "蘇軾", "某甲"], part))
    assert [author.name for author in found] == names
    for author in found:
        assert (sum(author.poems.values()) > 2000) == (author.name != "某甲")
