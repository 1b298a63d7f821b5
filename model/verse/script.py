"""Chinese script: written forms to the model's characters, and back to the script asked for.

The model writes traditional characters, one for all glyph variants of a character. variants.tsv
beside this file lists what each other written form may stand for; training.tables.variants derives
it.
"""

from enum import StrEnum
from functools import cache
from importlib import resources


class Script(StrEnum):
    """A script that poems are asked for in."""

    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"


def is_han(character: str) -> bool:
    """Return whether character is one Han ideograph."""
    if len(character) != 1:
        return False
    code = ord(character)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x3FFFD
        or 0xF900 <= code <= 0xFAFF
        or code == 0x3007  # 〇
    )


def standard_forms(character: str) -> tuple[str, ...]:
    """Return the model's characters that a written one may stand for, the commonest first."""
    return _table().get(character, (character,))


def form_shares(character: str) -> dict[str, float]:
    """Return the model's characters that a written one may stand for, by their share of its use."""
    return _shares().get(character, {character: 1.0})


def unify(text: str) -> str:
    """Return text with each written form replaced by the model's character, 1:1.

    A form that is itself one of the model's characters (里, which also stands for 裏) stays.
    """
    return text.translate(_unified())


def to_script(text: str, script: Script) -> str:
    """Return text of the model as it is printed in a script, 1:1.

    The model's form of a character is the commonest of the corpus, which may be no printer's:
    隠 is printed 隱, or 隐.
    """
    printed = text.translate(_prints(script))
    for phrase, own in _phrases(script).items():
        at = text.find(phrase)
        while at >= 0:
            printed = printed[:at] + own + printed[at + len(phrase) :]
            at = text.find(phrase, at + len(phrase))
    return printed


def settled(text: str, script: Script) -> int:
    """Return how many characters of a text that grows are printed in the same way ever after.

    乾 waits for what follows it: 乾坤 is printed otherwise than 乾 alone.
    """
    begins = text[-1:] and any(phrase[0] == text[-1] for phrase in _phrases(script))
    return len(text) - bool(begins)


def as_simplified(text: str) -> str:
    """Return text in either script as simplified script prints each character alone, 1:1."""
    return unify(text).translate(_prints(Script.SIMPLIFIED))


def is_traditional(text: str) -> bool:
    """Return whether text is in traditional script: more of it is not printed so in simplified."""
    simplified = _prints(Script.SIMPLIFIED)
    traditional = sum(ord(character) in simplified for character in text)
    others = sum(character not in standard_forms(character) for character in text)
    return traditional > others


def is_common(character: str) -> bool:
    """Return whether common fonts have the print of one of the model's characters.

    That is: in simplified script it is printed with a character of GB 2312 or of 通用规范汉字表, of
    the basic plane, and is no mere form of that one, which a poem has as well.
    """
    if character in _mere_forms():
        return False
    printed = to_script(character, Script.SIMPLIFIED)
    return _is_in_gb2312(printed) or printed in _listed()


@cache
def _rows(name: str) -> list[list[str]]:
    """Return the rows of a table beside this file, without its comment."""
    file = resources.files("model.verse").joinpath(name)
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


@cache
def _table() -> dict[str, tuple[str, ...]]:
    return {row[0]: tuple(row[1]) for row in _rows("variants.tsv")}


@cache
def _shares() -> dict[str, dict[str, float]]:
    return {
        character: {form: int(p) / 100 for form, p in zip(forms, percents.split(), strict=True)}
        for character, forms, percents in _rows("variants.tsv")
    }


@cache
def _unified() -> dict[int, str]:
    rows = _table().items()
    return {ord(written): forms[0] for written, forms in rows if written not in forms}


@cache
def _prints(script: Script) -> dict[int, str]:
    """Return the print of each character that is printed otherwise than it is written."""
    column = 1 if script is Script.SIMPLIFIED else 2
    return {ord(row[0]): row[column] for row in _rows("prints.tsv") if len(row[0]) == 1}


@cache
def _mere_forms() -> frozenset[str]:
    """Return the characters that are but another form of one, 邉 of 邊."""
    return frozenset(row[0] for row in _rows("prints.tsv") if row[3:])


@cache
def _phrases(script: Script) -> dict[str, str]:
    """Return the print of each pair of characters that is printed otherwise than the two alone."""
    column = 1 if script is Script.SIMPLIFIED else 2
    pairs = {row[0]: row[column] for row in _rows("prints.tsv") if len(row[0]) > 1}
    alone = _prints(script)
    return {pair: own for pair, own in pairs.items() if own != pair.translate(alone)}


@cache
def _listed() -> frozenset[str]:
    """Return the characters of 通用规范汉字表 that GB 2312 has not."""
    return frozenset("".join(row[0] for row in _rows("standard.tsv")))


def _is_in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
