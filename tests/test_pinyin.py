import pytest

from app.pinyin import pinyin_of, pinyin_of_lines
from model.verse.proof import check


def test_a_poem_is_read_syllable_by_syllable_with_tone_marks() -> None:
    proof = check("春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。")
    found = pinyin_of_lines(proof.lines, proof.tones)
    assert [" ".join(line) for line in found] == [
        "chūn mián bù jué xiǎo",
        "chù chù wén tí niǎo",
        "yè lái fēng yǔ shēng",
        "huā luò zhī duō shǎo",
    ]


@pytest.mark.parametrize(
    ("line", "tones", "spot", "expected"),
    [
        ("遥看瀑布挂前川", "平平仄仄仄平平", 1, "kān"),  # as verse reads it, and not as speech
        ("却看妻子愁何在", "仄仄平仄平平仄", 1, "kàn"),
        ("谁家玉笛暗飞声", "平平仄仄仄平平", 3, "dí"),  # an entering tone may be any today
        ("重游曲江", "平平仄平", 0, "chóng"),
    ],
)
def test_of_several_readings_that_of_the_verse_is_given(
    line: str, tones: str, spot: int, expected: str
) -> None:
    assert pinyin_of_lines([line], [tones])[0][spot] == expected


def test_what_is_not_known_has_no_syllable() -> None:
    assert pinyin_of_lines(["白□□日"], ["仄？？仄"]) == [["bái", "", "", "rì"]]


def test_the_readings_of_a_character_are_those_of_a_tone() -> None:
    assert pinyin_of("看", "平") == ["kān"]
    assert pinyin_of("看", "去") == ["kàn"]
    assert pinyin_of("白", "入") == ["bái", "bó"]
    assert pinyin_of("山", "上") == ["shān"]  # none goes with it
    assert pinyin_of("□", "平") == []
