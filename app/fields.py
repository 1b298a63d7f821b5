"""How fields of requests are read."""

import math
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    InstanceOf,
    WithJsonSchema,
    field_validator,
)

from app.language import Language
from app.saying import Said, either
from model.poet.poem import Meter
from model.verse.form import Form
from model.verse.pattern_name import PATTERN_NAMES, Pattern
from model.verse.scansion import split_lines
from model.verse.script import Script, to_script
from model.verse.text import StrangeCharacter, fold, read_lines
from model.verse.title import without_number
from model.verse.tune import Tune, TuneVariant
from model.verse.tunes import Tunes, form_called
from model.vocabulary import Era

LONGEST_TEXT = 1000  # of a field that is read for its characters, as of a poem to judge


def _characters(text: object) -> object:
    """Return the Han characters of what a caller wrote; leave anything else to the type check."""
    if not isinstance(text, str):
        return text
    if len(text) > LONGEST_TEXT:  # to read it would hold the event loop
        raise Said(
            f"must be at most {LONGEST_TEXT} characters, marks included",
            f"连标点至多 {LONGEST_TEXT} 字",
        )
    return "".join(chinese_lines(text))


def chinese_lines(text: str) -> list[str]:
    """Return the runs of Han characters of what a caller wrote.

    Raises:
        Said: If there is anything else in it.
    """
    try:
        return read_lines(text)
    except StrangeCharacter as error:
        shown = repr(error.character)[1:-1]  # half a character, too, can be sent
        raise Said(str(error), f"只能是汉字，不能有“{shown}”") from error


def _title(text: object) -> object:
    """Return the characters of a title as training reads those of the corpus."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT or not chinese_lines(text):
        return _characters(text)
    return "".join(split_lines(without_number(fold(text))))


AS_CHARACTERS = BeforeValidator(_characters)  # read as the check reads a poem
AS_TITLE = BeforeValidator(_title)


def choice(
    kind: Callable[[str], Any], *, english: str, chinese: str | Callable[[str], str]
) -> BeforeValidator:
    """Convert a string by calling kind, and say what can be chosen where it is none.

    Args:
        kind: Raises ValueError for what is none.
        english: What a refusal says, but for a string what kind says, unless it is an Enum.
        chinese: The same, in all cases; perhaps of what was asked for.
    """

    def read(value: object) -> object:
        if not (value is None or isinstance(value, (str, bool, int, float, list, dict))):
            return value  # one already
        asked = value if isinstance(value, str) and len(value) <= LONGEST_NAME else ""
        in_chinese = chinese(asked) if callable(chinese) else chinese
        if not asked:
            raise Said(english, in_chinese)
        try:
            return kind(asked)
        except ValueError as error:
            in_english = english if isinstance(kind, type) else str(error)
            raise Said(in_english, in_chinese) from error

    return BeforeValidator(read)


def none_for(*values: int) -> BeforeValidator:
    """Take numbers for None, as other servers do."""
    return BeforeValidator(lambda value: None if value in values and type(value) is int else value)


LONGEST_NAME = 40  # that a refusal repeats
EXACT = 2.0**53  # from here on all floats are whole numbers
ERA_NAMES = [*(era.name.lower() for era in Era), *Era]
ERA = choice(
    Era.parse, english="must be tang (唐) or song (宋)", chinese="须为 tang（唐）或 song（宋）"
)
SCRIPT = choice(
    Script,
    english="must be simplified or traditional",
    chinese="须为 simplified（简体）或 traditional（繁体）",
)
PATTERN = choice(
    Pattern.parse,
    english="must be a name, such as 仄起首句入韵",
    chinese="须为 仄起 或 平起，首句入韵 或 首句不入韵，或两者相连，如 仄起首句入韵",
)


FORM_NAMES = [form.code for form in Form] + [form.value for form in Form]


def forms_in_chinese(name: str) -> str:
    """Return what a form can be: those of a genre, or all, and the tunes that are called alike."""
    meant = Form.of_genre(name)
    if meant:
        return f"“{name}”未定几言，须为 {either(meant, Language.CHINESE)}"
    near = "、".join(to_script(tune.name, Script.SIMPLIFIED) for tune in Tunes.load().near(name))
    like = f"；相近的词牌有 {near}" if near else ""
    return f"须为 {'、'.join(Form)} 之一，或词牌名{like}（GET /forms 列出全部）"


FORMS_IN_ENGLISH = f"must be {', '.join(form.code for form in Form)} or a tune, such as huanxisha"
FORM = choice(form_called, english=FORMS_IN_ENGLISH, chinese=forms_in_chinese)
METER = choice(
    Meter,
    english=f"must be {either([*Meter], Language.ENGLISH)}",
    chinese=f"须为 {either([*Meter], Language.CHINESE)}",
)


TUNE_SCHEMA = {"type": "string", "examples": ["huanxisha", "浣溪沙", "临江仙-2"]}
AForm = Annotated[
    Annotated[Form, WithJsonSchema({"type": "string", "enum": FORM_NAMES})]
    | Annotated[InstanceOf[Tune] | InstanceOf[TuneVariant], WithJsonSchema(TUNE_SCHEMA)],
    FORM,
]
AMeter = Annotated[Meter, METER]
AnEra = Annotated[Era, ERA, WithJsonSchema({"type": "string", "enum": ERA_NAMES})]
APattern = Annotated[Pattern, PATTERN, WithJsonSchema({"type": "string", "enum": PATTERN_NAMES})]
AScript = Annotated[Script, SCRIPT]


def text_or_lines(opening: object) -> object:
    """Refuse what is neither a text nor a list of texts."""
    each = opening if isinstance(opening, list) else [opening]
    if opening is not None and not all(isinstance(line, str) for line in each):
        raise Said("must be a text, or a list of lines", "须为文字，或诗句的列表")
    return opening


class Strict(BaseModel):
    """Takes no other types, no unknown fields, no infinities."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _huge_is_whole(cls, value: object) -> object:
        """Read 1e30 as the whole number that it is, so that a field says how much it takes."""
        if isinstance(value, float) and EXACT <= abs(value) < math.inf:
            return int(value)
        return value
