from typing import Any

import httpx
import pytest

SAME = {"seed": 1, "candidates": 1, "meter": "free"}


def notes(client: httpx.Client, language: str = "en", **fields: Any) -> list[dict[str, str]]:
    headers = {"Accept-Language": language}
    response = client.post("/generate", json={**SAME, **fields}, headers=headers)
    assert response.status_code == 200, response.text
    found: list[dict[str, str]] = response.json()["notes"]
    return found


def test_a_length_that_no_couplets_have_is_said_to_be_read_as_another(client: httpx.Client) -> None:
    (note,) = notes(client, length=27)
    assert note == {
        "field": "length",
        "kind": "length",
        "written": "27",
        "read": "20",
        "message": "length 27 was read as 20: a poem has whole couplets of equal lines",
    }
    (note,) = notes(client, "zh", length=27)
    assert note["message"] == "字数 27 按 20 写：诗由整联组成，每句字数相同"
    assert notes(client, length=28) == []


@pytest.mark.parametrize(
    ("fields", "field", "written", "read"),
    [
        ({"start": "秌"}, "start", "秌", "秋"),
        ({"opening": "日月山湖春，秌日月山湖"}, "opening", "秌", "秋"),
        ({"acrostic": "日秌", "form": "五绝"}, "acrostic", "秌", "秋"),
        ({"acrostic": "日月山秌", "form": "五绝"}, "acrostic", "秌", "秋"),
        ({"title": "日她月她"}, "title", "她", "他"),
        ({"author": "东坡"}, "author", "东坡", "苏轼"),
        ({"author": "東坡", "script": "traditional"}, "author", "東坡", "蘇軾"),
    ],
)
def test_what_was_read_otherwise_is_named(
    client: httpx.Client, fields: dict[str, str], field: str, written: str, read: str
) -> None:
    (note,) = notes(client, **fields)
    assert note["kind"] == ("alias" if field == "author" else "substituted")
    assert (note["field"], note["written"], note["read"]) == (field, written, read)
    assert note["message"] == f"{written} was read as {read}"
    (chinese,) = notes(client, "zh", **fields)
    sign = "即" if field == "author" else "读作"
    assert chinese["message"] == f"“{written}”{sign}“{read}”"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"start": "红"},
        {"start": "紅"},
        {"start": "里", "title": "后楼", "script": "traditional"},
        {"author": "苏轼"},
        {"author": "蘇軾"},
        {"form": "七绝", "length": 28},
    ],
)
def test_what_was_read_as_it_was_written_needs_no_note(
    client: httpx.Client, fields: dict[str, Any]
) -> None:
    assert notes(client, **fields) == []


def test_a_stream_ends_with_the_notes_too(client: httpx.Client) -> None:
    response = client.post(
        "/generate/stream", json={**SAME, "start": "秌"}, headers={"Accept-Language": "zh"}
    )
    assert "“秌”读作“秋”" in response.text


def test_an_alias_gives_the_poem_of_the_poets_own_name(client: httpx.Client) -> None:
    poems = [
        client.post("/generate", json={**SAME, "author": name}).json()["poems"]
        for name in ("东坡", "苏轼")
    ]
    assert poems[0] == poems[1]


def test_a_revision_takes_an_alias(client: httpx.Client) -> None:
    text = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
    fields = {"text": text, "line": 3, "seed": 1}
    answers = [
        client.post("/revise", json={**fields, "author": name}).json().get("suggestions")
        for name in ("太白", "李白")
    ]
    assert answers[0] == answers[1] is not None
    refused = client.post("/revise", json={**fields, "author": "莎士比亚"})
    assert refused.json()["detail"][0]["loc"] == ["body", "author"]


def test_pinyin_comes_on_wish(client: httpx.Client) -> None:
    (poem,) = client.post("/generate", json={**SAME, "pinyin": True}).json()["poems"]
    assert [len(line) for line in poem["meter"]["pinyin"]] == [len(line) for line in poem["lines"]]
    (plain,) = client.post("/generate", json=SAME).json()["poems"]
    assert plain["meter"]["pinyin"] is None
    assert {**poem, "meter": {**poem["meter"], "pinyin": None}} == plain
    text = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。"
    proof = client.post("/check", json={"text": text, "pinyin": True}).json()
    assert proof["pinyin"][0] == ["chūn", "mián", "bù", "jué", "xiǎo"]
    assert client.post("/check", json={"text": text}).json() == {**proof, "pinyin": None}
