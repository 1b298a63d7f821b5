"""Cleaning of upstream's fields: notes, markup, placeholders, broken lines, numbered titles."""

import re
from collections.abc import Iterable

from model.verse.script import is_han, unify
from model.verse.title import read_title
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
    return read_title(_without_notes(title))


def clean_author(author: str) -> str:
    """Return a name's Han characters without notes."""
    return "".join(c for c in unify(_without_notes(author)) if is_han(c))


def _without_notes(text: str) -> str:
    """Return text without anything in brackets, however nested."""
    while (shorter := NOTES.sub("", text)) != text:
        text = shorter
    return text
