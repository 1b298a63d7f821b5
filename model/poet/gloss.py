"""English glosses, taken apart: the senses of an entry, their phrases, the words that carry sense.

A gloss such as "(coll.) mother's mother; to drink (tea, coffee etc)" has the phrases "mother's
mother" and "to drink", and the words mother, drink, tea, coffee. Phrases and words are in lower
case, without their plural's ending; a verb's phrase begins with "to".
"""

import re
from collections.abc import Iterator

MAX_PHRASE = 40  # characters; what is longer explains, and is no name
ASIDE = ("CL:", "surname", "variant", "old variant", "erhua", "see ", "abbr", "also ", "Taiwan pr")
_EMPTY = (
    "a about abbr after all also an and any are archaic as at be been being big but by cl coll did "
    "dialect do does done each either esp etc ever every fig for formal from get give had has have "
    "he her him his how i idiom if in into is it its just kind large like lit loanword made make "
    "me much my name no nor not of off old on one ones onomatopoeia or our out over person pr "
    "really s sb see she small so some sth suffix surname t take taiwan than that the their them "
    "then there these they thing this those to too tw type up used us usu variant very was we were "
    "what when where which who whose will with word would written you your"
)
EMPTY = frozenset(_EMPTY.split())  # words that carry no sense of their own

_SPELLING = re.compile(r"\[[^\]]*\]")
_NOTE = re.compile(r"\([^)]*\)")
_ARTICLE = re.compile(r"^(?:to be|to|a|an|the) ")
_WORD = re.compile(r"[a-z]+")
_NAME = re.compile(r"[a-z' -]+")


def senses(glosses: str) -> list[str]:
    """Return the senses of an entry, divided by /; remarks on the word itself are left out.

    Of a foreign word spelt out, those alone in which it is one.
    """
    found = [_SPELLING.sub("", each) for each in glosses.split("/") if each]
    kept = [each for each in found if not each.startswith(ASIDE)]
    return [each for each in kept if is_foreign(each)] or kept


def is_foreign(glosses: str) -> bool:
    """Return whether a word only spells out a foreign one."""
    return "loanword" in glosses


def phrases(sense: str) -> Iterator[str]:
    """Yield the phrases by which a sense names what it means."""
    for phrase in re.split("[;,]", _NOTE.sub("", sense)):
        text = phrase.strip().lower()
        verb = "to " if text.startswith("to ") else ""
        text = _ARTICLE.sub("", text)
        if text and len(text) <= MAX_PHRASE and _NAME.fullmatch(text):
            yield verb + singular(text)


def words(text: str) -> list[str]:
    """Return the words of a text that carry sense."""
    return [singular(w) for w in _WORD.findall(text.lower()) if w not in EMPTY and len(w) > 1]


def singular(word: str) -> str:
    """Return a word, or a phrase, without its plural's ending."""
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word
