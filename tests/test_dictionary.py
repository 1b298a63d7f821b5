import pytest

from model.poet.dictionary import Dictionary
from model.verse.script import unify

LINES = [
    "# a comment",
    "月 月 [yue4] /moon/month/",
    "冰輪 冰轮 [bing1 lun2] /round ice/the moon/",
    "電燈 电灯 [dian4 deng1] /electric lamp/CL:盞|盏[zhan3]/",
    "燈 灯 [deng1] /lamp/light/",
    "飲壺 饮壶 [yin3 hu2] /pot for tea or qahwa/",
    "飲茶 饮茶 [yin3 cha2] /to drink tea, such as qahwa drinkers do/",
    "茶 茶 [cha2] /tea/",
    "茶樓 茶楼 [cha2 lou2] /house for tea and qahwa/",
    "咖嗶 咖哔 [ka1 bi4] /qahwa (loanword)/",
    "咖嗶壺 咖哔壶 [ka1 bi4 hu2] /pot for qahwa/",
    "咖嗶樓 咖哔楼 [ka1 bi4 lou2] /house for qahwa/",
    "月 月 [Yue4] /a name that is the moon of all moons/",
    "一二三四五六七 一二三四五六七 [yi1] /too long/",
    "no entry at all",
    *(f"{chr(code)}乙 {chr(code)}乙 [yi3] /filler/" for code in range(0x5800, 0x5900)),
]


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Dictionary(LINES, lambda word: all(c in "月燈茶樓壺輪冰" for c in unify(word)))


def test_words_are_found_in_either_script(dictionary: Dictionary) -> None:
    assert len(dictionary) == 12 + 256
    assert "电灯" in dictionary
    assert "電燈" in dictionary
    assert "一二三四五六七" not in dictionary
    for written in ("电灯", "電燈"):
        (entry,) = dictionary.entries(written)
        assert entry.word == unify("電燈")
        assert entry.glosses == "electric lamp/CL:盞|盏[zhan3]"
    assert list(dictionary.entries("木")) == []


def test_the_words_of_the_corpus_are_found_by_what_they_are_called(dictionary: Dictionary) -> None:
    assert dictionary.named("moon") == {"月": 1.0, unify("冰輪"): 0.5}
    assert dictionary.named("tea") == {"茶": 1.0}
    assert dictionary.named("electric lamp") == {}  # the corpus has no 電


def test_what_stands_beside_a_word_leaves_out_what_is_made_of_it(dictionary: Dictionary) -> None:
    beside = dict(dictionary.beside("qahwa"))
    assert set(beside) == {"茶"}
    assert unify("壺") not in beside  # once alone, but for 咖嗶壺
    assert dict(dictionary.beside("qahwa", unify("咖嗶"))) == beside
    assert all(0 <= weight <= 1 for weight in beside.values())
    assert dict(dictionary.beside("unheard")) == {}


def test_names_are_called_nothing(dictionary: Dictionary) -> None:
    assert "月" not in dictionary.named("name")
    assert dictionary.uses("月") == 1
