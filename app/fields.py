"""How fields of requests are read."""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from model.verse.scansion import split_lines
from model.verse.text import fold, read_lines
from model.verse.title import without_number
from model.vocabulary import Era

LONGEST_TEXT = 1000  # of a field that is read for its characters, as of a poem to judge


def _characters(text: object) -> object:
    """Return the Han characters of what a caller wrote; leave anything else to the type check."""
    if not isinstance(text, str):
        return text
    if len(text) > LONGEST_TEXT:  # to read it would hold the event loop
        raise ValueError(f"must be at most {LONGEST_TEXT} characters, marks included")
    return "".join(read_lines(text))


def _title(text: object) -> object:
    """Return the characters of a title as training reads those of the corpus."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT or not read_lines(text):
        return _characters(text)
    return "".join(split_lines(without_number(fold(text))))


AS_CHARACTERS = BeforeValidator(_characters)  # read as the check reads a poem
AS_TITLE = BeforeValidator(_title)


def choice(kind: Any) -> BeforeValidator:
    """Convert a string by calling kind; leave anything else to the type check."""
    return BeforeValidator(lambda value: kind(value) if isinstance(value, str) else value)


def none_for(*values: int) -> BeforeValidator:
    """Take numbers for None, as other servers do."""
    return BeforeValidator(lambda value: None if value in values and type(value) is int else value)


ERA_NAMES = [*(era.name.lower() for era in Era), *Era]


class Strict(BaseModel):
    """Takes no other types, no unknown fields, no infinities."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
