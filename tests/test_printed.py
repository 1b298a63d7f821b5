"""What `yin generate` prints is read back by `yin check`."""

import pytest

from app.printed import read_printed
from model.verse.judge import judge

STORK = ("白日依山尽", "黄河入海流", "欲穷千里目", "更上一层楼")
UPRIGHT = "更　欲　黄　白\n上　穷　河　日\n一　千　入　依\n层　里　海　山\n楼　目　流　尽\n"
TITLED = (
    "更　欲　黄　白　登\n上　穷　河　日　楼\n"
    "一　千　入　依　　\n层　里　海　山　　\n楼　目　流　尽　　\n"
)
PLAIN = "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。"


@pytest.mark.parametrize("signature", ["", "— jueju-5, seed 7\n"])
def test_columns_are_read_from_right_to_left(signature: str) -> None:
    assert read_printed(UPRIGHT + signature) == [PLAIN]
    assert read_printed(TITLED + signature) == ["登楼\n" + PLAIN]
    stripped = "\n".join(row.rstrip("　") for row in TITLED.split("\n"))
    assert read_printed(stripped + signature) == ["登楼\n" + PLAIN]


def test_every_poem_with_a_signature_is_one() -> None:
    text = f"登楼\n{PLAIN}\n— jueju-5, seed 7\n\n{UPRIGHT}— jueju-5, seed 8\n"
    first, second = read_printed(text)
    assert first.strip() == f"登楼\n{PLAIN}"
    assert second == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"登鹳雀楼\n王之涣\n{PLAIN}\n— 王之涣, seed 7\n又及",
        "\n".join("　".join(line) for line in STORK),  # spread out, in rows
        "白\n日\n依\n山\n尽",
        "白　日　依　山　尽",
        "",
    ],
)
def test_anything_else_is_one_poem_as_it_stands(text: str) -> None:
    assert read_printed(text) == [text]


def test_a_ci_in_columns_is_judged_by_its_tune() -> None:
    columns = (
        "林　春　无　　　麦　蚕　秋　春\n梢　鸠　数　　　畦　桑　日　日\n"
        "洗　唤　寒　　　秧　天　暄　　\n尽　雨　梅　　　稻　意　和　　\n"
        "夕　一　开　　　敛　已　煦　　\n阳　如　未　　　田　欣　物　　\n"
        "看　年　遍　　　间　然　先　　\n— huanxisha, seed 14\n"
    )
    (text,) = read_printed(columns)
    assert text.split("\n")[0] == "春日"
    proof = judge(text)
    assert proof.pattern == "浣溪沙（四十二字）"
    assert proof.lines[0] == "秋日暄和煦物先"
    assert proof.regulated
    (unsigned,) = read_printed(columns.replace("huanxisha", "unknown"))
    assert unsigned.count("\n") == 4 - 1  # six lines in couplets, and the title
