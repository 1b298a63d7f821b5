"""Titles: what one says of a poem, without its number in a series.

The corpus has 秋興八首 其三 and 帝京篇十首 一; the poems are about 秋興 and 帝京篇. So the model
learns titles, and so it hears them.
"""

import re

from model.verse.script import is_han, unify

NUMBER = "[一二三四五六七八九十百零]"
SERIES = re.compile(
    rf"(?:[并並]?[序引]|(?:其|之|第){NUMBER}+|{NUMBER}+[首章絕韵韻]|{NUMBER}+[首章][其之]?{NUMBER}+|同前|又)$"
)
SERIES_NUMBER = re.compile(rf"[\s\u3000·]+(?:其|之)?{NUMBER}+$")
UNTITLED = frozenset(
    ("句", "失題", "無題", "闕題", "缺題", "殘句", "斷句", "詩", "偈", "頌", "絕句", "佚題")
)
LONGEST = 20  # characters


def without_number(title: str) -> str:
    """Return a title without the number that stands apart at its end."""
    return SERIES_NUMBER.sub("", title.strip())


def read_title(title: str) -> str:
    """Return the characters that say what a poem is about, in the model's script.

    Args:
        title: Without notes in brackets.

    Returns:
        Nothing if the title says nothing (無題), or is longer than any.
    """
    title = "".join(c for c in unify(without_number(title)) if is_han(c))
    while (shorter := SERIES.sub("", title)) != title:
        title = shorter
    return "" if title in UNTITLED or len(title) > LONGEST else title
