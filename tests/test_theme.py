import pytest

from model.poet.dictionary import Dictionary
from model.poet.theme import MAX_CHARACTERS, MAX_KEYWORDS, MAX_THEME, NoThemeFits, Theme, Themes
from model.poet.words import Word, Words
from model.verse.script import unify

KNOWN = [
    "雪",
    "夜",
    "月",
    "母",
    "婆",
    "茶",
    "車",
    "火",
    "思",
    "海",
    "上",
    "外",
    "雨",
    "天",
    "下",
    "明月",
]
LINES = [
    "月 月 [yue4] /moon/month/",
    "母 母 [mu3] /mother/",
    "思 思 [si1] /to miss/",
    "海 海 [hai3] /sea/",
    "婆 婆 [po2] /old woman/",
    "外婆 外婆 [wai4 po2] /mother's mother/",
    "火車 火车 [huo3 che1] /train/",
    "車 车 [che1] /car/train/",
    "想念 想念 [xiang3 nian4] /to miss/",
    "咖嗶 咖哔 [ka1 bi4] /qahwa (loanword)/",
    "飲茶 饮茶 [yin3 cha2] /to drink tea or qahwa/",
    "茶樓 茶楼 [cha2 lou2] /house for tea and qahwa/",
    "嗶嗶 哔哔 [bi4 bi4] /sound that nothing makes/",
    "在下 在下 [zai4 xia4] /myself, humbly/",
    *(f"{chr(code)}乙 {chr(code)}乙 [yi3] /filler/" for code in range(0x5800, 0x5A00)),
]


def count_loads(loads: list[int]) -> Themes:
    """Return what reads themes, and counts how often it asks for the dictionary."""
    corpus = Words({unify(word): Word(100_000, len(word) - 0.5) for word in KNOWN})

    def load() -> Dictionary:
        loads.append(1)
        return Dictionary(LINES, corpus.__contains__)

    return Themes(corpus, load)


@pytest.fixture(scope="module")
def themes() -> Themes:
    return count_loads([])


def words_of(theme: Theme) -> list[tuple[str, str]]:
    return [(keyword.word, keyword.of) for keyword in theme.keywords]


def test_words_of_the_corpus_stand_for_themselves_and_need_no_dictionary() -> None:
    loads = list[int]()
    themes = count_loads(loads)
    assert words_of(themes.read("明月")) == [("明月", "明月")]
    assert words_of(themes.read("雪")) == [("雪", "雪")]
    assert words_of(themes.read("明月，雪！")) == [("明月", "明月"), ("雪", "雪")]
    assert not loads
    themes.read("火车")
    themes.read("外婆")
    assert len(loads) == 1


def test_other_words_are_stood_in_for(themes: Themes) -> None:
    assert words_of(themes.read("想念我的外婆")) == [
        ("思", "想念"),
        ("母", "外婆"),
    ]
    assert words_of(themes.read("想念在海上的外婆")) == [
        ("思", "想念"),
        ("海", "海"),
        ("上", "上"),
        ("母", "外婆"),
    ]
    assert words_of(themes.read("火車")) == [(unify("車"), "火車")]


def test_a_foreign_word_is_stood_in_for_by_what_is_spoken_of_with_it(themes: Themes) -> None:
    assert words_of(themes.read("咖哔")) == [("茶", "咖哔")]
    assert words_of(themes.read("qahwa")) == [("茶", "qahwa")]


def test_english_words_are_read_as_glosses(themes: Themes) -> None:
    assert words_of(themes.read("The moon and my mother")) == [("月", "moon"), ("母", "mother")]
    assert words_of(themes.read("to miss the seas")) == [("思", "to miss"), ("海", "seas")]
    assert words_of(themes.read("MOON月moon")) == [("月", "MOON")]


def test_a_particle_is_no_part_of_another_word(themes: Themes) -> None:
    assert [of for _, of in words_of(themes.read("在下雨天"))] == ["下", "雨", "天"]


def test_what_nothing_stands_for_is_named_as_it_was_written(themes: Themes) -> None:
    theme = themes.read("雪夜的哔哔 xyzzy, xyzzy")
    assert words_of(theme) == [("雪", "雪"), ("夜", "夜")]
    assert theme.unmapped == ("哔哔", "xyzzy")
    assert theme.text == "雪夜"


@pytest.mark.parametrize(
    ("text", "named"),
    [("xyzzy", "xyzzy"), ("哔哔", "哔哔"), ("的", "particles"), ("  ...  123", "particles")],
)
def test_a_theme_that_leads_nowhere_is_refused(themes: Themes, text: str, named: str) -> None:
    with pytest.raises(NoThemeFits, match=f"that the poems know: .*{named}.*try others") as refusal:
        themes.read(text)
    assert refusal.value.field == "theme"


def test_as_many_keywords_are_kept_as_a_title_holds_those_that_say_most(themes: Themes) -> None:
    theme = themes.read("雪夜月母婆茶思海上外雨天" + "明月")
    assert len(theme.keywords) <= MAX_KEYWORDS
    assert len(theme.text) <= MAX_CHARACTERS
    assert ("明月", "明月") in words_of(theme)


def test_the_longest_themes_are_read_in_bounded_time(themes: Themes) -> None:
    for text in ("想念外婆火车咖哔" * 25, "qahwa miss " * 18):
        assert themes.read(text[:MAX_THEME]).keywords
    with pytest.raises(NoThemeFits) as refusal:
        themes.read("哔" * MAX_THEME)
    assert len(str(refusal.value)) < 200


def test_the_same_theme_is_read_once(themes: Themes) -> None:
    assert themes.read("火车") is themes.read("火车")


def test_two_words_stand_for_one_where_a_theme_has_few(packaged: Themes) -> None:
    assert words_of(packaged.read("外婆")) == [("婆", "外婆"), ("母", "外婆")]
    several = words_of(packaged.read("想念在雪夜的外婆"))
    assert [of for _, of in several] == ["想念", "雪夜", "外婆"]


@pytest.fixture(scope="module")
def packaged() -> Themes:
    corpus = Words.load()
    return Themes(corpus, lambda: Dictionary.load(corpus.__contains__))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("咖啡", "茶"),
        ("coffee", "茶"),
        ("moon", "月"),
        ("照片", "影"),
        ("雨伞", "傘"),
        ("图书馆", "圖"),
        ("汽車", "車"),
        ("妈妈", "母"),
        ("外婆", "母"),
        ("路灯", "燈"),
        ("孤独", "寂寞"),
    ],
)
def test_modern_words_lead_to_those_of_the_poems(packaged: Themes, text: str, word: str) -> None:
    assert word in [keyword.word for keyword in packaged.read(text).keywords]
