"""What is said of a field that cannot be taken as it is, in a sentence of our own.

pydantic finds what is wrong; its types of error are said here in English and in Chinese.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from app.language import Language


class Saying(NamedTuple):
    """A sentence in both languages; {names} in it stand for what an error tells."""

    english: str
    chinese: str

    def in_language(self, language: Language, **told: object) -> str:
        """Return the sentence."""
        return (self.chinese if language is Language.CHINESE else self.english).format(**told)


class Said(ValueError):
    """A value that a field does not take, said in both languages.

    Args:
        english: What would be right.
        chinese: The same.
    """

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.english, self.chinese = english, chinese


WHOLE = Saying("must be a whole number", "须为整数")
NUMBER = Saying("must be a number", "须为数字")
TRUTH = Saying("must be true or false", "须为 true 或 false")
OBJECT = Saying("must be a JSON object, such as {{}}", "须为 JSON 对象，如 {{}}")
CHOICE = Saying("must be {expected}", "须为 {expected}")
SAYINGS = {
    "string_type": Saying("must be a text", "须为文字"),
    "string_unicode": Saying("must be a text in Unicode", "须为 Unicode 文字"),
    "string_too_short": Saying(
        "must have at least {min_length} characters, got {size}",
        "至少 {min_length} 字，现有 {size} 字",
    ),
    "string_too_long": Saying(
        "must have at most {max_length} characters, got {size}",
        "至多 {max_length} 字，现有 {size} 字",
    ),
    "list_type": Saying("must be a list", "须为列表"),
    "too_short": Saying(
        "must be a list of at least {min_length}, got {size}",
        "列表至少 {min_length} 项，现有 {size} 项",
    ),
    "too_long": Saying(
        "must be a list of at most {max_length}, got {size}",
        "列表至多 {max_length} 项，现有 {size} 项",
    ),
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_from_float": WHOLE,
    "int_parsing_size": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": Saying("must be a finite number", "须为有限的数"),
    "greater_than": Saying("must be more than {gt}", "须大于 {gt}"),
    "greater_than_equal": Saying("must be at least {ge}", "至少为 {ge}"),
    "less_than": Saying("must be less than {lt}", "须小于 {lt}"),
    "less_than_equal": Saying("must be at most {le}", "至多为 {le}"),
    "bool_type": TRUTH,
    "bool_parsing": TRUTH,
    "enum": CHOICE,
    "literal_error": CHOICE,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "dict_type": OBJECT,
    "missing": Saying("must be given", "不可缺少"),
    "extra_forbidden": Saying(
        "there is no such field; the fields are {fields}", "没有这一项；可用的有 {fields}"
    ),
    "json_invalid": Saying(
        "the body must be JSON in UTF-8; from character {at} on it is not",
        "内容须为 UTF-8 的 JSON；自第 {at} 个字符起不是",
    ),
}


def sayings(
    errors: Iterable[Any], language: Language = Language.ENGLISH, fields: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Return pydantic's errors in FastAPI's shape, each said in a sentence of ours.

    Without the input: it may be large or NaN.

    Args:
        errors: As ValidationError.errors() returns them.
        language: Of the sentences.
        fields: Those that there are, for a field that there is not.
    """
    known = list(fields)
    return [
        {"type": error["type"], "loc": error["loc"], "msg": _said(error, language, known)}
        for error in errors
    ]


def _said(error: Mapping[str, Any], language: Language, fields: Sequence[str]) -> str:
    """Return the sentence of one error; pydantic's own where we have none."""
    told = error.get("ctx", {})
    cause = told.get("error")
    if isinstance(cause, Said):
        return cause.chinese if language is Language.CHINESE else cause.english
    if isinstance(cause, ValueError):
        return str(cause)
    saying = SAYINGS.get(error["type"])
    if saying is None:
        return str(error["msg"])
    given, place = error.get("input"), error["loc"][-1] if error["loc"] else ""
    told = {
        **{name: f"{n:g}" if isinstance(n, float) else n for name, n in told.items()},
        "size": len(given) if isinstance(given, (str, list)) else told.get("actual_length"),
        "fields": _listed(nearest(str(place), fields), language),
        "at": place,
    }
    if "expected" in told:
        told["expected"] = _choices(str(told["expected"]), language)
    return singular(saying.in_language(language, **told))


def singular(sentence: str) -> str:
    """Return an English sentence in which one character is no characters."""
    return sentence.replace(" 1 characters", " 1 character")


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return names, those most like a name first."""
    return sorted(names, key=lambda each: -SequenceMatcher(None, name, each).ratio())


def either(choices: Sequence[str], language: Language) -> str:
    """Return choices as a text: a, b or c."""
    if language is Language.CHINESE:
        return "、".join(choices[:-1]) + f" 或 {choices[-1]}"
    return ", ".join(choices[:-1]) + f" or {choices[-1]}"


def _choices(expected: str, language: Language) -> str:
    """Return pydantic's 'a', 'b' or 'c' without its quotation marks."""
    return either(expected.replace("'", "").replace(" or ", ", ").split(", "), language)


def _listed(names: Sequence[str], language: Language) -> str:
    return ("、" if language is Language.CHINESE else ", ").join(names)
