"""What is said of fields, against pydantic's own sentences."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.checking import CheckRequest
from app.fields import Strict
from app.language import Language
from app.revision import ReviseRequest
from app.saying import sayings
from app.schemas import GenerateRequest

MODELS: list[type[Strict]] = [GenerateRequest, ReviseRequest, CheckRequest]
FIELDS = [(model, field) for model in MODELS for field in [*model.model_fields, "colour"]]
PYDANTIC = re.compile(
    r"Input should|should have|should be|Value error|Extra inputs|Field required|Assertion|"
    r"not permitted|valid (string|number|integer|list|dictionary)"
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=30)
    | st.text("日月山湖七绝阳韵", max_size=40)
    | st.sampled_from(["", "\ud800", "tang", "strict", "七阳", "日" * 1001, 2**70, -(2**70)]),
    lambda inner: (
        st.lists(inner, max_size=35) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=40,
)


def said(model: type[Strict], language: Language, fields: Any) -> list[tuple[str, str]]:
    """What is said of fields; nothing where a model takes them."""
    try:
        model.model_validate(fields)
    except ValidationError as error:
        found = sayings(error.errors(), language, model.model_fields)
        return [(".".join(map(str, each["loc"])), each["msg"]) for each in found]
    return []


@pytest.mark.parametrize(("model", "field"), FIELDS)
@settings(max_examples=25, deadline=None)
@given(value=ANYTHING)
def test_no_field_is_answered_in_a_sentence_of_pydantic(
    model: type[Strict], field: str, value: object
) -> None:
    base = {} if model is GenerateRequest else {"text": "日月"}
    for language in Language:
        found = said(model, language, {**base, field: value})
        for where, message in found:
            assert where.partition(".")[0] == field
            assert not PYDANTIC.search(message), message
            assert "{" not in message
            assert message.encode()  # none of it breaks the answer
            if language is Language.CHINESE:
                assert re.search("[一-鿿]", message)
        assert len({where for where, _ in found}) == len(found), "each is said once"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("body", [None, [], "日", 3])
def test_a_body_that_is_no_object_is_told_so(model: type[Strict], body: object) -> None:
    assert said(model, Language.ENGLISH, body) == [("", "must be a JSON object, such as {}")]
    assert said(model, Language.CHINESE, body) == [("", "须为 JSON 对象，如 {}")]


@pytest.mark.parametrize(
    ("fields", "english", "chinese"),
    [
        ({"start": "日" * 10}, "must have at most 9 characters, got 10", "至多 9 字，现有 10 字"),
        ({"start": ""}, "must have at least 1 character, got 0", "至少 1 字，现有 0 字"),
        ({"start": "sun"}, "must be Chinese .* without 's'", "只能是汉字，不能有“s”"),
        ({"length": 9}, "must be at least 10", "至少为 10"),
        ({"guidance": 5.5}, "must be at most 5", "至多为 5"),
        ({"meter": "tight"}, "must be strict, rhyme or free", "须为 strict、rhyme 或 free"),
        ({"meter": 3}, "must be strict, rhyme or free", "须为 strict、rhyme 或 free"),
        ({"era": "明"}, r"must be tang \(唐\) or song \(宋\)", "须为 tang（唐）或 song（宋）"),
        ({"form": "浣溪砂"}, "no form .* huanxisha", "须为 五绝、.*词牌有 浣溪沙"),
        (
            {"form": "律詩"},
            r"'律詩' leaves .*: ask for lushi-5 \(五律\) or lushi-7 \(七律\)$",
            "“律詩”未定几言，须为 五律 或 七律$",
        ),
        ({"form": "俳句"}, "no form is called [^;]*; [^;]*$", r"须为 五绝、.*词牌名（GET /forms"),
        ({"form": "日" * 41}, "must be jueju-5, .* or a tune, such as huanxisha", "须为 五绝"),
        ({"pattern": "仄"}, "must be 仄起 or 平起", "须为 仄起 或 平起"),
        ({"rhyme": "x"}, "must be a rhyme group", "须为平水韵的韵部，如 七阳"),
        ({"opening": "日月"}, "must be complete lines", "须为完整的句子"),
        ({"opening": "日月山湖春" * 50}, "must be complete lines", "须为完整的句子"),
        ({"opening": ["日月山湖春"] * 41}, ".*at most 200 characters, got 205", "至多 200 字"),
        (
            {"n": 16, "candidates": 5},
            "n times candidates must be at most 64",
            "n 与 candidates 之积至多为 64",
        ),
        ({"title": "，" * 1001}, "must be at most 1000 characters", "连标点至多 1000 字"),
        ({"rare": 1}, "must be true or false", "须为 true 或 false"),
        (
            {"lenght": 28},
            "there is no such field; the fields are length, ",
            "没有这一项；可用的有 length、",
        ),
    ],
)
def test_what_would_be_right_is_said_in_both_languages(
    fields: dict[str, object], english: str, chinese: str
) -> None:
    for language, expected in ((Language.ENGLISH, english), (Language.CHINESE, chinese)):
        ((_, message),) = said(GenerateRequest, language, fields)
        assert re.match(expected, message), message


def test_a_spot_is_told_where_it_is_wrong() -> None:
    found = said(ReviseRequest, Language.ENGLISH, {"text": "日", "spots": [[1, 0], [1]]})
    assert found == [
        ("spots.0.1", "must be at least 1"),
        ("spots.1", "must be [line, character], such as [4, 1]"),
    ]


@pytest.mark.parametrize("spot", [[1], [1, 2, 3], [], 4, "4.1", None, {"line": 4}])
def test_what_is_no_spot_is_told_what_one_is(spot: object) -> None:
    for language, message in (
        (Language.ENGLISH, "must be [line, character], such as [4, 1]"),
        (Language.CHINESE, "须为 [句, 字]，如 [4, 1]"),
    ):
        found = said(ReviseRequest, language, {"text": "日", "spots": [[4, 1], spot]})
        assert found == [("spots.1", message)]


def test_a_title_is_told_in_both_languages_what_is_no_character() -> None:
    for language, message in ((Language.ENGLISH, "must be Chinese"), (Language.CHINESE, "只能是")):
        ((_, found),) = said(GenerateRequest, language, {"title": "moon"})
        assert found.startswith(message)
