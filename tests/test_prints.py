from collections import Counter

import pytest

from model.verse.rhymes import Reading, Rhymes
from training.tables import prints
from training.tables.prints import Forms, count, phrase_prints, table

LEVEL, OBLIQUE = Reading("平", "一東"), Reading("入", "一屋")
TABLES = {"TSPhrases": [("乾坤", ["乾坤"]), ("乾隆", ["乾隆"]), ("覆盂", ["复盂"])]}


def forms(**changes: object) -> Forms:
    """Return sources in which 餠 is a variant of 餅, and 旂 of 旗 with another rhyme."""
    fields: dict[str, object] = {
        "listed": frozenset("饼旗乾坤干复盂莺边绷只"),
        "simplified": {
            "餅": "饼",
            "旂": "旗",
            "乾": "干",
            "鶯": "莺",
            "邊": "边",
            "祇": "只",
            "綳": "绷",
            "繃": "绷",
            "鳬": "凫",
            "鳧": "凫",
        },
        "traditional": frozenset("餅乾"),
        "simplifications": frozenset("饼"),
        "variants": {"kSemanticVariant": {"餠": {"餅"}, "鶑": {"鶯"}, "旂": {"旗"}}},
        "counts": Counter("餅餅鶯"),
        "mere": {"邉": "邊", "秖": "祇", "䙀": "綳"},
        "rhymes": Rhymes({"餠": (LEVEL,), "餅": (LEVEL,), "旂": (LEVEL,), "旗": (OBLIQUE,)}),
    }
    return Forms(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("character", "printed"),
    [("餠", "饼"), ("鶑", "莺"), ("旂", "旂"), ("著", "着"), ("坤", "坤"), ("乾", "干")],
)
def test_a_character_is_printed_as_the_list_has_it_unless_that_sounds_otherwise(
    character: str, printed: str
) -> None:
    assert forms().print_simplified(character) == printed


def test_a_form_beyond_the_basic_plane_is_not_printed() -> None:
    assert forms(simplified={"闉": "\U0002cbb1"}).print_simplified("闉") == "闉"


def test_traditional_script_prints_what_big5_has() -> None:
    assert forms().print_traditional("餅") == "餅"
    assert forms().print_traditional("鶑") == "鶯"
    assert forms().print_traditional("裏") != "裏"
    assert forms().print_traditional("鳬") == "鳧"
    assert forms().print_traditional("邉") == "邊"
    assert forms().print_traditional("䙀") == "繃"
    assert forms(traditional=frozenset("裏")).print_traditional("裏") == "裏"


def test_pairs_in_which_a_character_stays_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints, "opencc_table", lambda name: iter(TABLES[name]))
    pairs = Counter({"乾坤": 9, "乾隆": 1, "覆盂": 9})
    found = phrase_prints(forms(), {"乾": "干"}, pairs)
    assert found["乾坤"] == "乾坤"
    assert not {"乾隆", "覆盂"} & found.keys()
    assert found["著書"] == "著书"


def test_the_table_lists_only_what_is_printed_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints, "opencc_table", lambda name: iter(TABLES[name]))
    rows = {written: (simple, usual) for written, simple, usual in table(forms(), Counter())}
    assert rows["鶑"] == ("莺", "鶯")
    assert "坤" not in rows


def test_characters_and_pairs_are_counted_by_poem() -> None:
    characters, pairs = count(["乾坤日", "日乾"])
    assert characters == {"乾": 2, "坤": 1, "日": 2}
    assert pairs == {"乾坤": 1, "坤日": 1, "日乾": 1}
