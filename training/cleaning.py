"""Cleaning of upstream's fields: notes, markup, placeholders, broken lines, numbered titles."""

import re
from collections.abc import Iterable

from model.verse.script import is_han, unify
from model.vocabulary import PUNCTUATION

NOTES = re.compile(r"（[^（）]*）|\([^()]*\)|〖[^〖〗]*〗|〔[^〔〕]*〕|【[^【】]*】")
QUOTES = str.maketrans("", "", "《》〈〉「」『』“”‘’\"' \u3000\t\n[]")
MARKS = str.maketrans(
    {",": "，", ".": "。", "?": "？", "!": "！", ";": "；", ":": "：", "﹐": "，"}
)
DOUBLED = re.compile(f"([{PUNCTUATION}])[{PUNCTUATION}]+")
SENTENCE = re.compile(r"[^。？！；]+[。？！；]")
EDITORIAL = re.compile(r"詩題：|首句：|原無題|無題句|缺題|句：")
MAX_LINE = 15  # characters; what is longer is prose
MIN_CHARACTERS = 8

NUMBER = "[一二三四五六七八九十百零]"
SERIES = re.compile(
    rf"(?:[并並]?[序引]|(?:其|之|第){NUMBER}+|{NUMBER}+[首章絕韵韻]|{NUMBER}+[首章][其之]?{NUMBER}+|同前|又)$"
)
SERIES_NUMBER = re.compile(rf"[\s\u3000·]+(?:其|之)?{NUMBER}+$")
UNTITLED = frozenset(
    ("句", "失題", "無題", "闕題", "缺題", "殘句", "斷句", "詩", "偈", "頌", "絕句", "佚題")
)
MAX_TITLE = 20


def clean_body(paragraphs: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Return a poem's sentences, and why it must be dropped: an empty reason if it is good."""
    text = _without_notes("".join(paragraphs)).translate(QUOTES).translate(MARKS)
    text = DOUBLED.sub(r"\1", unify(text)).lstrip(PUNCTUATION)
    if EDITORIAL.search(text):
        return (), "is an editor's note"
    if not all(is_han(c) or c in PUNCTUATION for c in text) or "〇" in text:
        return (), "has a placeholder or markup"
    if text and text[-1] in "，、：":
        text = text[:-1] + "。"
    sentences = tuple(SENTENCE.findall(text))
    if "".join(sentences) != text:
        return (), "breaks off in mid-line"
    lines = re.split(f"[{PUNCTUATION}]", text)
    if sum(map(len, lines)) < MIN_CHARACTERS or len(lines) < 3:
        return (), "is a fragment or empty"
    if max(map(len, lines)) > MAX_LINE:
        return (), "is prose"
    return sentences, ""


def clean_title(title: str) -> str:
    """Return a title's Han characters without notes and series numbers; empty if none is left."""
    title = SERIES_NUMBER.sub("", _without_notes(title).strip())
    title = "".join(c for c in unify(title) if is_han(c))
    while (shorter := SERIES.sub("", title)) != title:
        title = shorter
    return "" if title in UNTITLED or len(title) > MAX_TITLE else title


def clean_author(author: str) -> str:
    """Return a name's Han characters without notes."""
    return "".join(c for c in unify(_without_notes(author)) if is_han(c))


def _without_notes(text: str) -> str:
    """Return text without anything in brackets, however nested."""
    while (shorter := NOTES.sub("", text)) != text:
        text = shorter
    return text
