import re
from pathlib import Path

import pytest

from app.poet_names import NAMES, PoetNames
from app.settings import Settings
from model.checkpoint import Checkpoint

ALIASES = Path(__file__).parents[1] / "app" / "page" / "aliases.js"


AUTHORS = ["李白", "白居易", "蘇軾", "高適", "楊萬里"]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("东坡", "蘇軾"),
        ("東坡居士", "蘇軾"),
        ("太白", "李白"),
        ("樂天", "白居易"),
        ("苏轼", "蘇軾"),
        ("蘇軾", "蘇軾"),
        ("高适", "高適"),  # 适 is a character of its own, too
        ("杨万里", "楊萬里"),
        ("莎士比亚", "莎士比亚"),
        ("子美", "子美"),  # whose poet the model does not know
    ],
)
def test_a_poet_is_found_by_any_name(name: str, own: str) -> None:
    assert PoetNames(AUTHORS).own_name(name) == own


def test_a_name_that_is_a_poets_own_is_no_alias() -> None:
    assert PoetNames([*AUTHORS, "東坡"]).own_name("东坡") == "東坡"


def test_an_alias_has_one_poet_and_the_page_the_same_table() -> None:
    aliases = [alias for names in NAMES.values() for alias in names.split()]
    assert len(set(aliases)) == len(aliases) > 100
    page = re.findall(r'^  "(.+?)": "(.+?)",$', ALIASES.read_text(), re.MULTILINE)
    assert dict(page) == NAMES


def test_the_model_knows_every_poet_of_the_table() -> None:
    authors = Checkpoint.load(Settings().checkpoint).vocabulary.authors
    names = PoetNames(authors)
    assert [name for name in NAMES if names.own_name(name) not in authors] == []
