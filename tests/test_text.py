import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.verse.text import find_poem, fold, read_lines

LINES = ("白日依山尽", "黄河入海流", "欲穷千里目", "更上一层楼")
POEM = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
SEVENS = ("朝辞白帝彩云间", "千里江陵一日还", "两岸猿声啼不住", "轻舟已过万重山")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("更上⼀层楼", "更上一层楼"),  # a Kangxi radical
        ("\uf9d1書", "六書"),  # an ideograph for compatibility
        ("白\u00ad日\ufeff依\u200b山\ufe00尽\U000e0100", "白日依山尽"),
        ("悠々天地", "悠悠天地"),
        ("白日■山尽○〓*\ufffd", "白日□山尽□□□□"),
        ("白日X山尽", "白日□山尽"),
        ("白日{釒基}山尽", "白日□山尽"),
        ("白日（太阳）依山尽[1]，黄河【河】入海流②", "白日依山尽，黄河入海流"),
        ("（一（二）三）白日", "白日"),
        ("白bái日rì依yī山shān尽jìn", "白日依山尽"),
        ("白(bái)日(rì)依山尽", "白日依山尽"),
        ("白 日 依 山 尽", "白日依山尽"),
        ("白　日　依　山　尽，", "白日依山尽，"),
        ("白日依山尽　黄河入海流", "白日依山尽 黄河入海流"),
        ("“白日依山尽”，\r\n「黄河」\r入海流。\t", "白日依山尽，\n黄河\n入海流。"),
    ],
)
def test_what_people_paste_is_folded_to_characters_and_marks(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text("白日依山尽⼀\uf9d1々□■?X(（）)[1]，。 \u3000\t\r\n\u200b\ufe0fbái{}", max_size=30))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@pytest.mark.parametrize(
    "text",
    [
        POEM,
        POEM.replace("，", ",").replace("。", "."),
        "\r\n".join(LINES),
        " ".join(LINES),
        "　".join(LINES),
        "".join(LINES),
        "白日依山尽黄河入海流\n欲穷千里目更上一层楼",
        f"登鹳雀楼\n王之涣\n{POEM}",
        f"登鹳雀楼\n唐·王之涣\n\n{POEM}\n",
        f"《登鹳雀楼》 唐 王之涣 {POEM}",
        f"王之涣：{POEM}",
        f"{POEM}\n——王之涣《登鹳雀楼》",
        "登鹳雀楼\n王之涣\n" + "\n".join(LINES),
        "登鹳雀楼诗\n" + "\n".join(LINES),
        f"登鹳雀楼诗\n{POEM}",
        f"这首诗是王之涣写的，很有名。\n{POEM}\n【赏析】诗人登高望远，写出了开阔的景象。",
        "\n".join(" ".join(line) for line in LINES),
        "“白日依山尽，\n黄河入海流。\n欲穷千里目，\n更上一层楼。”",
        "1. 白日依山尽，\n2. 黄河入海流。\n3. 欲穷千里目，\n4. 更上一层楼。",
    ],
)
def test_the_poem_is_found_in_what_stands_around_it(text: str) -> None:
    assert find_poem(text).lines == LINES


def test_what_stands_around_the_poem_is_reported() -> None:
    found = find_poem(f"登鹳雀楼\n王之涣\n{POEM}\n录于秋夜")
    assert found.above == ("登鹳雀楼", "王之涣")
    assert found.below == ("录于秋夜",)


@pytest.mark.parametrize("lines", [SEVENS, SEVENS * 2, LINES * 2])
def test_characters_without_marks_are_cut_into_lines(lines: tuple[str, ...]) -> None:
    assert find_poem("".join(lines)).lines == lines


@pytest.mark.parametrize(
    "text", ["白日?山尽，黄河入海流。欲穷千里目，更上一层楼。", "白日□山尽，" + POEM[6:]]
)
def test_a_character_that_is_not_known_keeps_its_spot(text: str) -> None:
    assert find_poem(text).lines == ("白日□山尽", *LINES[1:])


def test_a_question_mark_ends_a_line() -> None:
    text = "借问酒家何处有?牧童遥指杏花村."
    assert find_poem(text).lines == ("借问酒家何处有", "牧童遥指杏花村")


def test_verse_of_unequal_lines_stays_whole() -> None:
    text = (
        "彩袖殷勤捧玉钟，当年拚却醉颜红。舞低杨柳楼心月，歌尽桃花扇底风。\n"
        "从别后，忆相逢，几回魂梦与君同。"
    )
    assert [len(line) for line in find_poem(text).lines] == [7, 7, 7, 7, 3, 3, 7]


def test_a_character_of_prose_in_a_line_of_verse_is_verse() -> None:
    lines = [*LINES[:2], "的的千里目", LINES[3]]
    assert find_poem("，\n".join(lines)).lines == tuple(lines)


@pytest.mark.parametrize("text", ["", "yin 123", "\u200b"])
def test_a_text_without_characters_has_no_poem(text: str) -> None:
    assert find_poem(text).lines == ()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("春 江", ["春", "江"]),
        ("更上⼀层楼", ["更上一层楼"]),
        ("日，", ["日"]),
        ("春夜·其一", ["春夜", "其一"]),
        ("《登楼》（其一）", ["登楼"]),
        ("「白日依山盡，\r\n黃河入海流。」[1]", ["白日依山盡", "黃河入海流"]),
        ("悠々\u200b我心", ["悠悠我心"]),
    ],
)
def test_what_a_caller_asks_for_is_read_as_a_poem_is(text: str, lines: list[str]) -> None:
    assert read_lines(text) == lines


@pytest.mark.parametrize(
    ("text", "stranger"), [("sun", "s"), ("春🌸", "🌸"), ("□日", "□"), ("春2", "2"), ("?日a", "a")]
)
def test_what_is_no_character_is_named(text: str, stranger: str) -> None:
    with pytest.raises(ValueError, match=f"Chinese characters only, without '{stranger}'"):
        read_lines(text)
