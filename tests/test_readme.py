"""README.md and README.zh.md say the same, each in its language."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENGLISH, CHINESE = ((ROOT / name).read_text() for name in ("README.md", "README.zh.md"))


def found(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, text, re.MULTILINE)


def without_comments(text: str) -> str:
    return re.sub(r" +#.*", "", text)


def test_each_leads_to_the_other() -> None:
    assert "(README.zh.md)" in ENGLISH.split("\n\n")[1]
    assert "(README.md)" in CHINESE.split("\n\n")[1]


@pytest.mark.parametrize(
    "pattern",
    [
        r"^> .*[，。].*$",  # the poem at the top
        r"^\| . \| .*<br>.* \| \d+ \|$",  # those of the starts, with their seeds
        r"^\| `[^`]+`(?= \|)",  # commands
        r"`[^`\n]*(?:[A-Z]{3,}|yin|python)[^`\n]*`",  # settings and commands in the text
        r'`\{"[^`]*\}`',  # requests
        r"\]\([^)]*\)",  # links
        r"^\w+/(?= +)",  # the tree
    ],
)
def test_both_have_the_same(pattern: str) -> None:
    english, chinese = (
        sorted(x for x in found(pattern, text) if "README" not in x) for text in (ENGLISH, CHINESE)
    )
    assert english
    assert {*chinese} == {*english}


def test_both_have_the_same_figures() -> None:
    english, chinese = (
        {*found(r"\d+(?:[.,]\d+)*", text.partition(f"\n## {title}\n")[2].partition("\n## ")[0])}
        for text, title in ((ENGLISH, "Measured"), (CHINESE, "实测"))
    )
    assert len(english) > 30
    assert english ^ chinese == {"19.5", "1,950", "4"}  # million and 万; a 4-gram is 四元


def test_the_commands_of_both_are_the_same() -> None:
    blocks = [found(r"```sh\n((?:.*\n)*?)```", text) for text in (ENGLISH, CHINESE)]
    assert len(blocks[0]) == 2
    assert [*map(without_comments, blocks[0])] == [*map(without_comments, blocks[1])]


def test_every_file_that_is_linked_is_there() -> None:
    for link in found(r"\]\(([^)#]+)", ENGLISH + CHINESE):
        assert link.startswith("https://") or (ROOT / link).is_file()
