"""The poems in which the readings of characters are counted (the counts: tests/test_rhymes.py)."""

import json
from pathlib import Path

from training.tables.usage import read_verses

FOUR = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"


def test_poems_of_a_regulated_measure_are_read(tmp_path: Path) -> None:
    path = tmp_path / "poems.jsonl"
    bodies = [FOUR, 2 * FOUR, "君不見，黃河之水天上來。", 3 * FOUR]
    rows = [json.dumps({"paragraphs": [body]}, ensure_ascii=False) for body in bodies]
    path.write_text("\n".join(rows), encoding="utf-8")
    assert [len(lines) for lines in read_verses(path)] == [4, 8, 12]
