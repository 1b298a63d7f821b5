import json
from pathlib import Path

import pytest

from training.tables.glyphs import mere_forms, read_families
from training.tables.variants import Usage

# 邉 comes where 邊 comes, and 遍 elsewhere.
POEMS = ["日邉紅山，夜邉湖海，"] * 30 + ["日邊紅山，夜邊湖海，"] * 30 + ["春遍秋冬，"] * 60
MANDARIN = {"邉": "biān", "邊": "biān", "遍": "biàn"}


def mere(poems: list[str], **changes: object) -> dict[str, str]:
    """Return what 邉 is a mere form of, if it may be one of 邊 and 遍."""
    fields: dict[str, object] = {
        "families": {"邉": {"邊", "遍"}},
        "usage": Usage(poems, "邉邊遍"),
        "mandarin": MANDARIN,
        "sounds_alike": lambda *_: True,
    }
    return mere_forms(**(fields | changes))  # type: ignore[arg-type]


def test_a_form_that_is_used_and_sounds_as_another_character_is_that_character() -> None:
    assert mere(POEMS) == {"邉": "邊"}


def test_a_form_that_sounds_otherwise_in_verse_is_none() -> None:
    assert mere(POEMS, sounds_alike=lambda _, other: other != "邊") == {}


def test_a_form_that_is_used_otherwise_or_not_at_all_is_none() -> None:
    assert mere([*POEMS[30:], *["冬邉海紅，"] * 30]) == {}
    assert mere(POEMS[30:]) == {}


@pytest.mark.parametrize(("together", "found"), [(2, {}), (30, {"邉": "邊"})])
def test_what_mandarin_reads_otherwise_has_to_be_used_all_the_more_alike(
    together: int, found: dict[str, str]
) -> None:
    poems = ["日邉紅山，"] * together + [f"{c}邉{c}，" for c in "夜湖海春秋冬月"] * 5
    poems += ["日邊紅山，"] * 60
    assert mere(poems) == {"邉": "邊"}
    assert mere(poems, mandarin={}) == found


def test_the_list_is_read_by_the_models_characters_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "ja-itaiji.json"
    path.write_text(json.dumps({"邉": ["邉", "边", "邊"], "烟": ["煙", "烟"]}), encoding="utf-8")
    assert read_families(path) == {"邉": {"邊"}, "邊": {"邉"}, "煙": set()}


@pytest.mark.parametrize("content", ["{", "[1]", '{"邉": 1}'])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ja-itaiji.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="is not the list of ja-itaiji"):
        read_families(path)
