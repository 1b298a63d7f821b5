"""The page of an evaluation: tables in Markdown, between their marks."""

from pathlib import Path

import pytest

from training.bits import Bits
from training.evaluation.page import (
    BEGIN,
    END,
    bits_table,
    markdown_sections,
    markdown_table,
    positions_table,
    read_frame,
    write_page,
)


def test_a_table_has_its_first_columns_on_the_left() -> None:
    table = markdown_table(("form", "poems"), [["五绝", "3"]], left=1)
    assert table == "| form | poems |\n| --- | ---: |\n| 五绝 | 3 |"


def test_bits_are_per_character() -> None:
    table = bits_table({"all": Bits(6.5, 2, 40)})
    assert table.splitlines()[0] == "| test poems | poems | characters | bits per character |"
    assert table.splitlines()[-1] == "| all | 2 | 40 | 6.500 |"


def test_a_position_that_shorter_lines_lack_is_left_empty() -> None:
    table = positions_table({1: {"1": 9.0, "end": 1.0}, 2: {"1": 8.0, "2": 7.0, "end": 0.5}})
    assert table.splitlines()[0] == "| lines of | 1 | 2 | end |"
    assert table.splitlines()[2:] == [
        "| 1 characters | 9.00 |  | 1.00 |",
        "| 2 characters | 8.00 | 7.00 | 0.50 |",
    ]


def test_sections_stand_under_their_titles() -> None:
    assert markdown_sections({"A": "a", "B": "b"}) == "## A\n\na\n\n## B\n\nb"


def test_what_stands_around_the_tables_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_page(path, read_frame(path), "new")
    assert path.read_text("utf-8") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


@pytest.mark.parametrize("page", ["", f"{END} {BEGIN}", f"{BEGIN} {BEGIN} {END}"])
def test_a_page_without_its_marks_is_refused(tmp_path: Path, page: str) -> None:
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    with pytest.raises(ValueError, match="once each in"):
        read_frame(path)
