"""The tools that a language model gets: each call is one request to the API.

So schemas, refusals, limits and answers are the API's own.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel, Field

from app.answers import CheckedOut, GenerateResponse
from app.checking import CheckRequest
from app.fields import (
    AS_CHARACTERS,
    FORMS_IN_ENGLISH,
    AScript,
    Strict,
    choice,
    forms_in_chinese,
)
from app.forms import FormCard
from app.revision import ReviseRequest, ReviseResponse
from app.rhyming import RhymesOut
from app.schemas import GenerateRequest
from model.verse.script import Script
from model.verse.tunes import form_called


class RhymesRequest(Strict):
    """What to look up."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=6,
            description="One character, or a rhyme group of 平水韵 such as 七阳, in either script.",
        ),
        AS_CHARACTERS,
    ]
    script: Annotated[AScript, Field(description="The script of the answer.")] = Script.SIMPLIFIED


def _known(name: str) -> str:
    """Return a name that a form has.

    Raises:
        ValueError: If none has it.
    """
    form_called(name)
    return name


class FormsRequest(Strict):
    """Which form to show."""

    name: Annotated[
        Annotated[str, choice(_known, english=FORMS_IN_ENGLISH, chinese=forms_in_chinese)] | None,
        Field(
            description="A form or a tune, by code, Chinese name or pinyin, to show it in full; "
            "all of them, in short, if absent.",
        ),
    ] = None


class FormsAnswer(BaseModel):
    """The forms."""

    forms: list[FormCard] = Field(description="Without variants and cards where all are listed.")


class Asked(NamedTuple):
    """A request to the API."""

    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None


class Tool(NamedTuple):
    """A tool.

    Args:
        title: For a person.
        description: For the language model.
        takes: What its arguments are.
        gives: What it answers.
        ask: Returns the request of a call.
        read: Returns its answer from the API's.
    """

    title: str
    description: str
    takes: type[Strict]
    gives: type[BaseModel]
    ask: Callable[[Mapping[str, Any]], Asked]
    read: Callable[[Any], Any] = lambda answer: answer


def _post(path: str) -> Callable[[Mapping[str, Any]], Asked]:
    return lambda arguments: Asked("POST", path, body=arguments)


def _look_up(arguments: Mapping[str, Any]) -> Asked:
    asked = RhymesRequest.model_validate(arguments)
    return Asked("GET", f"/rhymes/{quote(asked.name, safe='')}", {"script": asked.script})


def _list(arguments: Mapping[str, Any]) -> Asked:
    name = FormsRequest.model_validate(arguments).name
    return Asked("GET", "/forms" if name is None else f"/forms/{quote(name, safe='')}")


def _forms(answer: Any) -> dict[str, Any]:
    if isinstance(answer, dict):
        return {"forms": [answer]}
    return {"forms": [{**form, "variants": []} for form in answer]}


TOOLS = {
    "write_poem": Tool(
        "Write a poem",
        "Writes classical Chinese poems (诗 and 词). Tones and rhymes of regulated verse, or of a "
        "tune, are guaranteed and proved in the answer, which a language model by itself seldom "
        "keeps. All arguments are optional; name what the poem is about in title, in Chinese.",
        GenerateRequest,
        GenerateResponse,
        _post("/generate"),
    ),
    "check_poem": Tool(
        "Check a poem",
        "Judges a classical Chinese poem by the rules of regulated verse, or a ci by its tune: the "
        "tone of every character, the rhymes, and each fault with its place.",
        CheckRequest,
        CheckedOut,
        _post("/check"),
    ),
    "revise": Tool(
        "Revise a poem",
        "Suggests what may stand at some places of a poem, or in place of a line, and keeps every "
        "rule that the rest keeps. Mark them by spots, by line, or by □ in the text.",
        ReviseRequest,
        ReviseResponse,
        _post("/revise"),
    ),
    "rhymes": Tool(
        "Look up rhymes",
        "How a character is read in verse (tone, rhyme group, pinyin) and what rhymes with it; or "
        "the characters of a rhyme group.",
        RhymesRequest,
        RhymesOut,
        _look_up,
    ),
    "forms": Tool(
        "List forms and tunes",
        "The verse forms, and the tunes of ci (词牌); by name one in full, with the tones and "
        "rhymes of every line.",
        FormsRequest,
        FormsAnswer,
        _list,
        _forms,
    ),
}
