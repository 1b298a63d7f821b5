import bz2
from collections import Counter
from pathlib import Path

import pytest

from model.verse.rhymes import Reading
from training.tables.phonetics import Phonetics, read_property, second_readings
from training.tables.usage import ReadingUsage

LIKE_DATA = (
    "# a comment\nU+5A77\tkPhonetic\t1345\nU+505C\tkPhonetic\t1345A 7*\nU+6F78\tkPhonetic\t8\n"
)
READINGS = (
    "U+5A77\tkMandarin\ttíng\nU+505C\tkMandarin\ttíng\nU+505C\tkHanyuPinyin\t10186.010:tíng,dìng\n"
)


@pytest.fixture
def variants(tmp_path: Path) -> Path:
    """The place of Unihan_Variants.txt.bz2, with what lies beside it."""
    for name, text in (("DictionaryLikeData", LIKE_DATA), ("Readings", READINGS)):
        (tmp_path / f"Unihan_{name}.txt.bz2").write_bytes(bz2.compress(text.encode()))
    return tmp_path / "Unihan_Variants.txt.bz2"


def test_the_files_beside_the_variants_are_read(variants: Path) -> None:
    phonetics = Phonetics.read(variants)
    assert phonetics.families["停"] == {"1345", "7"}
    assert phonetics.mandarin == {"婷": {"tíng"}, "停": {"tíng"}}
    assert phonetics.every == {"停": {"tíng", "dìng"}}
    assert phonetics.level_group("婷", {"停": [Reading("平", "九青")]}) == "九青"


def test_a_property_is_read_from_plain_text_too(tmp_path: Path) -> None:
    path = tmp_path / "Unihan_Readings.txt"
    path.write_text(READINGS, encoding="utf-8")
    assert read_property(path, "kMandarin") == {"婷": "tíng", "停": "tíng"}


def family(spellings: dict[str, str], every: dict[str, set[str]] | None = None) -> Phonetics:
    """Return characters of one phonetic with their Mandarin."""
    return Phonetics(
        {c: frozenset("1") for c in spellings},
        {c: frozenset({spelling}) for c, spelling in spellings.items()},
        {c: frozenset(found) for c, found in (every or {}).items()},
    )


def test_the_group_is_that_of_most_that_sound_alike() -> None:
    phonetics = family({"甲": "hú", "乙": "hú", "丙": "hú", "丁": "hú", "戊": "kū"})
    level, other = [Reading("平", "七虞")], [Reading("平", "六魚")]
    assert phonetics.level_group("甲", {"乙": level, "丙": level, "丁": other}) == "七虞"
    assert phonetics.level_group("甲", {"乙": level, "丁": other}) is None
    assert phonetics.level_group("甲", {"戊": level}) is None
    assert phonetics.level_group("己", {"乙": level}) is None


def test_what_mandarin_reads_in_an_oblique_tone_shows_no_level_group() -> None:
    phonetics = family({"桿": "gǎn", "趕": "gǎn"})
    assert phonetics.level_group("桿", {"趕": [Reading("平", "十三元")]}) is None


def test_a_second_reading_needs_a_relative_and_three_rhymes_that_are_no_neighbours() -> None:
    phonetics = family({"衰": "shuāi", "縗": "cuī"}, {"衰": {"shuāi", "cuī"}})
    readings = {"衰": [Reading("平", "四支")], "縗": [Reading("平", "十灰")]}

    def found(group: str, rhymes: int) -> list[tuple[str, Reading]]:
        table = {**readings, "縗": [Reading("平", group)]}
        usage = ReadingUsage({}, {"衰": Counter({group: rhymes})})
        return list(second_readings(phonetics, table, usage))

    assert found("十灰", 3) == [("衰", Reading("平", "十灰"))]
    assert found("十灰", 2) == []
    assert found("五微", 9) == []
    assert found("四支", 9) == []
