"""Chinese script: written forms to the model's characters, and back to the script asked for.

The model writes traditional characters, one for all glyph variants of a character. variants.tsv
beside this file lists what each other written form may stand for; training.tables.variants derives
it.
"""

from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any


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
    forms = standard_forms(character)
    return dict.fromkeys(forms, 1 / len(forms))


@cache
def reprints() -> dict[str, str]:
    """Return by print the characters that to_script() prints so but that it does not stand for.

    Simplified script prints 旂 as 旗, which is a word of its own with another rhyme.
    """
    standard = [c for c in map(chr, range(0x4E00, 0xA000)) if unify(c) == c]
    printed = to_script("，".join(standard), Script.SIMPLIFIED).split("，")
    found: dict[str, str] = {}
    for character, print_ in zip(standard, printed, strict=True):
        if character not in (print_, *standard_forms(print_)):
            found[print_] = found.get(print_, "") + character
    return found


def unify(text: str) -> str:
    """Return text with each written form replaced by the model's character, 1:1.

    A form that is itself one of the model's characters (里, which also stands for 裏) stays.
    """
    return text.translate(_unified())


def to_script(text: str, script: Script) -> str:
    """Return text of the model in a script, 1:1.

    The model's form of a character is the commonest of the corpus, which may be no printer's:
    隠 is answered as 隱, or as 隐.
    """
    printed = text.translate(_printed())
    if script is Script.TRADITIONAL:
        return printed
    converted: str = _converter("t2s").convert(printed)
    if len(converted) != len(text):
        return "".join(_converter("t2s").convert(character)[:1] for character in printed)
    return converted


@cache
def _table() -> dict[str, tuple[str, ...]]:
    file = resources.files("model.verse").joinpath("variants.tsv")
    rows = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return {row[0]: tuple(row[1]) for row in rows if len(row) == 2}


@cache
def _unified() -> dict[int, str]:
    rows = _table().items()
    return {ord(written): forms[0] for written, forms in rows if written not in forms}


@cache
def _printed() -> dict[int, str]:
    """Return the usual traditional form of the model's characters, where it is another.

    Big5 holds what is usual: 隱, not 隠; 真, not 眞.
    """
    printed: dict[int, str] = {}
    for character in filter(lambda c: not _is_in_big5(c), set(_unified().values())):
        for name in ("jp2t", "s2t"):
            usual = _converter(name).convert(character)
            if _is_in_big5(usual) and unify(usual) == character:
                printed[ord(character)] = usual
    return printed


def _is_in_big5(character: str) -> bool:
    try:
        character.encode("big5")
    except UnicodeEncodeError:
        return False
    return True


@cache
def _converter(name: str) -> Any:
    from opencc import OpenCC  # training machines do without it

    return OpenCC(name)
