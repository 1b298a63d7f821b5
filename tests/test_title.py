import pytest

from app.schemas import GenerateRequest
from model.verse.title import read_title
from training.cleaning import clean_title

HEARD = [  # as it is written, as it is shown, as the model hears it
    ("登楼（其一）", "登楼", "登樓"),
    ("登楼 其一", "登楼", "登樓"),
    ("登楼·其一", "登楼", "登樓"),
    ("帝京篇十首　一", "帝京篇十首", "帝京篇"),
    ("春日　二", "春日", "春日"),
    ("秋兴八首其三", "秋兴八首其三", "秋興"),
    ("《登楼》", "登楼", "登樓"),
    ("「登楼」[1]\r\n", "登楼", "登樓"),
    ("读《史记》", "读史记", "讀史記"),
    ("春夜·忆友", "春夜忆友", "春夜憶友"),
    ("登⼀楼", "登一楼", "登一樓"),
    ("无题", "无题", ""),
    ("其一", "其一", ""),
]


@pytest.mark.parametrize(("written", "shown", "heard"), HEARD)
def test_a_title_is_heard_as_training_reads_those_of_the_corpus(
    written: str, shown: str, heard: str
) -> None:
    title = GenerateRequest(title=written).title
    assert title == shown
    assert read_title(title) == heard

    if "[" not in written and "⼀" not in written:  # which upstream has not
        assert clean_title(written) == heard


def test_a_title_that_is_longer_than_any_says_nothing() -> None:
    assert read_title("日" * 20) == "日" * 20
    assert read_title("日" * 21) == ""


def test_a_number_that_stands_apart_is_none_of_the_title() -> None:
    assert read_title("春日 二") == read_title("春日·其十") == "春日"
    assert read_title("春日二") == "春日二"
