import pytest

from training.cleaning import clean_author, clean_body, clean_title

LINE = "日月山水雲，花風雨春秋。"


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        ([LINE, LINE], (LINE, LINE)),
        ([LINE + LINE], (LINE, LINE)),
        (["日月山（一作川）水雲，花風雨春秋。"], (LINE,)),
        (["日月山水雲，花風（見《詩》（卷一））雨春秋。"], (LINE,)),
        (["《日月》山水雲，「花風雨」春秋。"], (LINE,)),
        (["[日]月山水雲，花風雨春秋。"], (LINE,)),
        (["日月山水雲，花風雨春秋，"], (LINE,)),
        (["，日月山水雲,花風雨春秋.。"], (LINE,)),
        (["来月山水云，花风雨春秋？"], ("來月山水云，花風雨春秋？",)),
    ],
)
def test_notes_and_marks_go_and_the_poem_stays(
    paragraphs: list[str], expected: tuple[str, ...]
) -> None:
    assert clean_body(paragraphs) == (expected, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("日月□水雲，花風雨春秋。", "placeholder"),
        ("日月{釒基}水雲，花風雨春秋。", "placeholder"),
        ("日月山水雲，花風雨春秋1。", "placeholder"),
        ("詩題：日月山水雲，花風雨春秋。", "editor"),
        ("日月山水雲，花風雨春秋。日月", "mid-line"),
        ("日月。", "fragment"),
        ("", "fragment"),
        ("日月山水雲花風雨春秋。", "fragment"),
        ("日月山水雲花風雨春秋日月山水雲花風雨春秋，日。", "prose"),
    ],
)
def test_what_cannot_be_mended_is_dropped_with_its_reason(text: str, reason: str) -> None:
    sentences, why = clean_body([text])
    assert sentences == ()
    assert reason in why


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("登鸛雀樓", "登鸛雀樓"),
        ("帝京篇十首 一", "帝京篇"),
        ("逍搖堂五詠  其二", "逍摇堂五詠"),
        ("秋興八首 其三", "秋興"),
        ("江雪（一作雪江）", "江雪"),
        ("句", ""),
        ("失題", ""),
        ("同前", ""),
        ("偈頌一百零二首", "偈頌"),
        ("日" * 21, ""),
    ],
)
def test_titles_lose_their_numbers(title: str, cleaned: str) -> None:
    assert clean_title(title) == cleaned


def test_names_lose_their_notes_and_variants() -> None:
    assert clean_author("黄庭坚（宋）") == clean_author("黃庭堅")
