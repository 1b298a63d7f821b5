import gzip
import json
import math
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.answers import ModelCard, ModelOut
from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.verse.proof import check
from model.verse.script import Script, to_script
from tests.conftest import serving


def generate(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    response = client.post("/generate", json=fields)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def refusal(client: httpx.Client, fields: Any, status: int = 422) -> str:
    response = client.post("/generate", content=json.dumps(fields), headers=JSON)
    assert response.status_code == status, response.text
    (error,) = response.json()["detail"]
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


JSON = {"Content-Type": "application/json"}


def test_nothing_asked_gives_a_regulated_poem(client: httpx.Client) -> None:
    (poem,) = generate(client)["poems"]
    assert poem["form"] == "jueju-7"
    assert poem["characters"] == 28
    assert poem["meter"]["regulated"]
    assert re.fullmatch(r"(\w{7}，\w{7}。\n?){2}", poem["text"])


@pytest.mark.parametrize("start", ["日", "红", "紅", "山", "夜", "湖", "海", "月"])
def test_a_poem_begins_with_its_start(client: httpx.Client, start: str) -> None:
    answer = generate(client, start=start, length=28, temperature=0.8)
    assert answer["poems"][0]["text"].startswith(start.replace("紅", "红"))


def test_the_answer_comes_in_the_script_asked_for(client: httpx.Client) -> None:
    simplified, traditional = (
        generate(client, start="红", seed=1, script=script)["poems"][0]
        for script in ("simplified", "traditional")
    )
    assert traditional["text"].startswith("紅")
    assert to_script(traditional["text"], Script.SIMPLIFIED) == simplified["text"]


@pytest.mark.parametrize("length", [10, 14, 28, 40, 56, 120, 199, 200])
def test_a_length_is_filled_with_whole_couplets(client: httpx.Client, length: int) -> None:
    (poem,) = generate(client, start="日", length=length)["poems"]
    assert length - 14 < poem["characters"] <= length
    lengths = set(map(len, poem["lines"]))
    assert len(lengths) == 1
    assert len(poem["lines"]) % 2 == 0
    assert poem["text"].endswith("。")


@pytest.mark.parametrize("form", ["jueju-5", "七绝", "五律", "lushi-7"])
def test_a_form_decides_the_length_and_strict_verse_is_proved(
    client: httpx.Client, form: str
) -> None:
    (poem,) = generate(client, form=form)["poems"]
    assert poem["meter"]["regulated"]
    assert all(rule["holds"] for rule in poem["meter"]["checks"].values())
    assert check(poem["text"]).regulated


def test_the_same_seed_gives_the_same_poem_and_another_another(client: httpx.Client) -> None:
    first, again, other = (generate(client, start="月", seed=s)["poems"][0] for s in (5, 5, 6))
    assert first == again
    assert first["text"] != other["text"]


def test_a_drawn_seed_is_told_and_brings_the_poem_back(client: httpx.Client) -> None:
    (poem,) = generate(client, start="月")["poems"]
    assert generate(client, start="月", seed=poem["seed"])["poems"] == [poem]


def test_several_poems_differ_and_each_comes_back_by_its_own_seed(client: httpx.Client) -> None:
    poems = generate(client, form="jueju-5", n=4, seed=3)["poems"]
    assert len({poem["text"] for poem in poems}) == 4
    for poem in poems:
        assert generate(client, form="jueju-5", seed=poem["seed"])["poems"] == [poem]


def test_candidates_and_guidance_decide_the_poem_and_are_said(client: httpx.Client) -> None:
    def write(**fields: Any) -> Any:
        return generate(client, form="jueju-5", title="登楼", seed=3, **fields)["poems"][0]

    several = write(candidates=4, guidance=4)
    assert several == write(candidates=4, guidance=4)
    assert several["meter"]["regulated"]
    assert (several["candidates"], several["guidance"]) == (4, 4)
    others = [write(candidates=1), write(candidates=1, guidance=1), write(candidates=1, guidance=5)]
    assert len({poem["text"] for poem in [several, *others]}) == 4


def test_a_theme_is_read_as_words_of_the_poems_and_they_are_named(client: httpx.Client) -> None:
    poem = generate(client, theme="雪夜 xyzzy", script="traditional", seed=1)["poems"][0]
    assert poem["keywords"] == [{"word": "雪夜", "of": "雪夜"}]
    assert poem["unmapped"] == ["xyzzy"]
    assert poem["title"] is None
    without = generate(client, script="traditional", seed=1)["poems"][0]
    assert without["keywords"] == without["unmapped"] == []
    assert without["text"] != poem["text"]
    titled = generate(client, title="雪", theme="夜", script="traditional", seed=1)["poems"][0]
    assert titled["title"] == "雪"
    assert titled["text"] == poem["text"]  # one header, whatever of it is the title


def test_keywords_come_in_the_script_asked_for(client: httpx.Client) -> None:
    words = {
        script: [
            each["word"]
            for each in generate(client, theme="雲", script=script)["poems"][0]["keywords"]
        ]
        for script in ("simplified", "traditional")
    }
    assert words == {"simplified": ["云"], "traditional": ["雲"]}


def test_eight_lines_have_a_figure_for_each_middle_couplet(client: httpx.Client) -> None:
    figures = generate(client, form="lushi-5", seed=1)["poems"][0]["meter"]["parallelism"]
    assert [each["lines"] for each in figures] == [[3, 4], [5, 6]]
    assert all(len(each["quartiles"]) == 3 and -1 <= each["likeness"] <= 1 for each in figures)
    assert generate(client, form="jueju-5", seed=1)["poems"][0]["meter"]["parallelism"] == []


def test_wishes_go_together(client: httpx.Client) -> None:
    (poem,) = generate(
        client, form="七绝", acrostic="春夏秋冬", title="登楼", author="苏轼", era="宋", seed=2
    )["poems"]
    assert [line[0] for line in poem["lines"]] == list("春夏秋冬")
    assert poem["title"] == "登楼"
    assert poem["meter"]["regulated"]


@pytest.mark.parametrize("count", [14, 28])
def test_an_acrostic_may_be_as_long_as_a_poem(client: httpx.Client, count: int) -> None:
    acrostic = "日月山湖" * 7
    (poem,) = generate(client, acrostic=acrostic[:count], form="七古", length=196)["poems"]
    assert [line[0] for line in poem["lines"][:: 28 // count]] == list(acrostic[:count])


def test_an_opening_is_gone_on_from(client: httpx.Client) -> None:
    (first,) = generate(client, form="jueju-5", seed=9)["poems"]
    opening = "，".join(first["lines"][:2]) + "。"
    (poem,) = generate(client, form="jueju-5", opening=opening, seed=10)["poems"]
    assert poem["lines"][:2] == first["lines"][:2]
    assert poem["lines"][2:] != first["lines"][2:]


def test_an_ambiguous_start_tells_what_it_was_read_as(client: httpx.Client) -> None:
    (poem,) = generate(client, start="里", script="traditional")["poems"]
    assert poem["start"] in ("里", "裏")
    assert poem["text"].startswith(poem["start"])


def test_an_old_style_form_stays_one_at_the_length_of_a_quatrain(client: httpx.Client) -> None:
    (poem,) = generate(client, form="五古", length=20, seed=3)["poems"]
    assert (poem["form"], poem["characters"]) == ("gushi-5", 20)
    assert poem["meter"]["checks"]["押韵"]["holds"]
    assert "平韵" in poem["meter"]["checks"]
    assert not poem["meter"]["regulated"]  # rhyme alone is asked of old style


def test_old_style_told_to_keep_every_rule_has_eight_lines(client: httpx.Client) -> None:
    (poem,) = generate(client, form="五古", meter="strict", seed=3)["poems"]
    assert (poem["form"], poem["characters"]) == ("gushi-5", 40)
    assert poem["meter"]["regulated"]


@pytest.mark.parametrize(("start", "read_as"), [("山干春湖", "幹"), ("山干春夜", "乾干")])
def test_an_ambiguous_start_is_read_as_the_rules_can_take_it(
    client: httpx.Client, start: str, read_as: str
) -> None:
    (poem,) = generate(client, form="jueju-5", start=start)["poems"]
    assert poem["start"][1] in read_as
    assert poem["text"].startswith(start)
    assert poem["meter"]["regulated"]


def test_a_start_and_an_acrostic_may_share_an_ambiguous_character(client: httpx.Client) -> None:
    for start in ("后", "後"):
        (poem,) = generate(client, start=start, acrostic="后日", script="traditional")["poems"]
        assert poem["start"] in ("后", "後")
        if start == "後":
            assert poem["start"] == start
        assert poem["lines"][0][0] == poem["start"]


@pytest.mark.parametrize("temperature", [0, 0.2, 1.5, 2])
def test_every_temperature_gives_a_whole_poem(client: httpx.Client, temperature: float) -> None:
    assert generate(client, temperature=temperature)["poems"][0]["meter"]["regulated"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start": ""}, "start: .*at least 1 character"),
        ({"start": "日" * 8}, "start: line 1: a line has 7 characters, not 8"),
        ({"start": "日" * 10}, "start: .*at most 9 characters"),
        ({"start": "日日日日日日", "form": "jueju-5"}, "start: .*a line has 5 characters, not 6"),
        ({"start": "sun"}, "start: .*must be Chinese characters only, without 's'"),
        ({"start": "🌞"}, "start: .*without '🌞'"),
        ({"start": "ひ"}, "start: .*without 'ひ'"),
        ({"start": "龘"}, "start: .*does not know the character '龘'"),
        ({"length": 0}, "length: .*at least 10"),
        ({"length": 9}, "length: .*at least 10"),
        ({"length": 201}, "length: .*at most 200"),
        ({"length": "28"}, "length: .*must be a whole number"),
        ({"length": 28.5}, "length: .*must be a whole number"),
        ({"length": True}, "length: .*must be a whole number"),
        ({"length": 12, "form": "gushi-7"}, "length: .*needs a length of at least 14, got 12"),
        ({"temperature": -1}, "temperature: .*at least 0"),
        ({"temperature": 3}, "temperature: .*at most 2"),
        ({"temperature": "hot"}, "temperature: .*must be a number"),
        ({"temperature": math.nan}, "temperature: must be a finite number"),
        ({"top_k": -2}, "top_k: .*at least 1"),
        ({"top_p": 0}, "top_p: .*more than 0"),
        ({"seed": -2}, "seed: .*at least 0"),
        ({"seed": 2**63}, "seed: .*at most 9223372036854775807"),
        ({"form": "sonnet"}, "form: .*the forms are jueju-5"),
        ({"meter": "loose"}, "meter: must be strict, rhyme or free"),
        ({"script": "latin"}, "script: must be simplified or traditional"),
        ({"era": "明"}, r"era: .*must be tang \(唐\) or song \(宋\)"),
        ({"author": "莎士比亞"}, "author: .*does not know the author '莎士比亞'"),
        (
            {"acrostic": "春夏秋", "form": "jueju-5"},
            "acrostic: an acrostic here takes 2 .* or 4 .*not 3",
        ),
        ({"acrostic": "春夏秋冬", "start": "月"}, "acrostic: .*start and acrostic must agree"),
        ({"acrostic": "日" * 15}, "acrostic: .*takes 14 .* or 28 .*not 15"),
        ({"acrostic": "日" * 29}, "acrostic: .*at most 28"),
        ({"opening": "日月"}, "opening: .*complete lines, all of 5 or all of 7"),
        ({"opening": "日紅山夜湖", "form": "七绝"}, "opening: .*line 1: a line has 7 .* not 5"),
        ({"theme": ""}, "theme: .*at least 1"),
        ({"theme": "雪" * 201}, "theme: .*at most 200"),
        ({"theme": "xyzzy"}, "theme: none of its words .*poems know: xyzzy; try others"),
        ({"theme": 7}, "theme: must be a text"),
        ({"n": 17}, "n: .*at most 16"),
        ({"n": 16, "candidates": 5}, "body: .*n times candidates must be at most 64"),
        (
            {"n": 2, "temperature": 0, "meter": "free"},
            "n: .*fewer than 2 different poems; ask for fewer, or try a higher temperature",
        ),
        ({"colour": "red"}, r"colour: there is no such field; the fields are (\w+, )+\w+$"),
        ({"length": 40, "form": "jueju-7"}, "length: jueju-7 has 28 .* not 40: .* lushi-5"),
        ({"form": ["七绝"]}, "form: must be jueju-5, .* or a tune"),
        ({"opening": [1]}, "opening: must be a text, or a list of lines"),
        ({"title": "\ud800"}, r"title: .*without '\\ud800'"),
        ({"rhyme": "\ud800"}, "rhyme: must be a text in Unicode"),
        ({"form": "\ud800"}, "form: no form is called"),
        ({"seed": 1e30}, "body.seed: must be at most 9223372036854775807$"),
        ({"seed": -1e30}, "body.seed: must be at least 0$"),
        ({"seed": 1.5}, "body.seed: must be a whole number$"),
        ({"temperature": 1e300}, "body.temperature: must be at most 2$"),
        ([], "body: must be a JSON object"),
        ("日", "body: must be a JSON object"),
        (None, "body: must be a JSON object"),
    ],
)
def test_bad_input_is_told_what_would_be_right(
    client: httpx.Client, fields: Any, expected: str
) -> None:
    assert re.search(expected, refusal(client, fields))


@pytest.mark.parametrize(
    ("field", "most"), [("seed", "9223372036854775807"), ("n", "16"), ("temperature", "2")]
)
def test_a_number_too_long_to_read_is_told_the_most(
    client: httpx.Client, field: str, most: str
) -> None:
    content = f'{{"{field}": {"9" * 5000}}}'
    response = client.post("/generate", content=content, headers=JSON)
    assert response.status_code == 422
    (error,) = response.json()["detail"]
    assert (error["loc"], error["msg"]) == (["body", field], f"must be at most {most}")


@pytest.mark.parametrize(
    ("path", "fields"), [("/authors?qq=苏", "q, limit"), ("/rhymes/花?scrpt=traditional", "script")]
)
def test_a_field_that_no_query_has_is_refused(client: httpx.Client, path: str, fields: str) -> None:
    response = client.get(path)
    assert response.status_code == 422
    (error,) = response.json()["detail"]
    name = path.partition("?")[2].partition("=")[0]
    assert error["loc"] == ["query", name]
    assert error["msg"] == f"there is no such field; the fields are {fields}"
    assert client.get(path.partition("?")[0]).status_code == 200


def test_broken_json_is_refused(client: httpx.Client) -> None:
    response = client.post("/generate", content=b'{"start": "', headers=JSON)
    assert response.status_code == 422
    assert "JSON" in response.text


def test_a_body_that_is_not_even_text_is_refused(client: httpx.Client) -> None:
    response = client.post("/generate", content=b"\xff\xfe\x00", headers=JSON)
    assert (response.status_code, response.json()["detail"][0]["msg"]) == (
        422,
        "the body must be JSON in UTF-8",
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/generate", "POST"), ("PUT", "/check", "POST"), ("DELETE", "/forms", "GET, HEAD")],
)
def test_a_method_that_a_path_lacks_is_refused_with_those_it_has(
    client: httpx.Client, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "path",
    ["/health/live", "/health/ready", "/metrics", "/model", "/authors", "/forms", "/", "/docs"],
)
def test_what_can_be_fetched_can_be_asked_for_its_head(client: httpx.Client, path: str) -> None:
    head = client.head(path)
    assert head.status_code == client.get(path).status_code == 200
    assert head.content == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/generate/", 404),
        ("GET", "/none", 404),
        ("GET", "/font", 404),
        ("GET", "/.", 404),
        ("OPTIONS", "/docs", 404),
        ("OPTIONS", "/generate", 405),
        ("GET", "/health", 404),
    ],
)
def test_what_is_not_there_is_not_found_and_nobody_is_sent_elsewhere(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        head = f"{method} {path} HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "elsewhere" not in answer


def test_a_compressed_body_is_refused_as_such(client: httpx.Client) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    response = client.post("/generate", content=gzip.compress(b"{}"), headers=headers)
    assert response.status_code == 415
    assert "'gzip'" in response.json()["detail"]


@pytest.mark.parametrize("fields", [{"seed": -1}, {"top_k": 0}, {"top_k": -1}])
def test_what_other_servers_take_for_none_is_taken_for_none(
    client: httpx.Client, fields: dict[str, int]
) -> None:
    (poem,) = generate(client, **{"seed": 3, **fields})["poems"]
    if "seed" in fields:
        assert poem["seed"] >= 0
    else:
        assert [poem] == generate(client, seed=3)["poems"]


def test_another_content_type_is_refused(client: httpx.Client) -> None:
    response = client.post(
        "/generate", content=b'{"start": "x"}', headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_a_megabyte_is_refused(client: httpx.Client, chunked: bool) -> None:
    body = b'{"start": "' + b"x" * 1_000_000 + b'"}'
    content = iter([body[:500_000], body[500_000:]]) if chunked else body
    response = client.post("/generate", content=content, headers=JSON)
    assert response.status_code == 413
    assert response.json()["detail"] == "the body must be at most 16384 bytes"


def test_strict_verse_that_cannot_be_is_refused_with_its_line(client: httpx.Client) -> None:
    message = refusal(client, {"meter": "strict", "length": 60})
    assert "regulated verse has 4 or 8 lines" in message


def test_check_judges_a_poem_of_the_caller(client: httpx.Client) -> None:
    (poem,) = generate(client, form="lushi-5")["poems"]
    response = client.post("/check", json={"text": poem["text"]})
    assert response.status_code == 200
    assert response.headers["x-yin-cost"] == "4"  # of 49 characters, marks and line ends included
    assert response.json()["regulated"]
    spoiled = "".join(poem["lines"][::-1])
    lines = [spoiled[i : i + 5] for i in range(0, 40, 5)]
    judged = client.post("/check", json={"text": "，".join(lines)}).json()
    assert not judged["regulated"]


def test_check_names_the_poem_and_the_lines_that_it_judged(client: httpx.Client) -> None:
    text = "登鹳雀楼\n王之涣\n白日依山尽，黄河入海流。欲穷千里目[1]，更上一层楼。\n录于秋夜"
    judged = client.post("/check", json={"text": text}).json()
    assert judged["lines"] == ["白日依山尽", "黄河入海流", "欲穷千里目", "更上一层楼"]
    assert (judged["genre"], judged["regulated"]) == ("律绝", True)


def test_check_refuses_a_text_without_characters(client: httpx.Client) -> None:
    response = client.post("/check", json={"text": "hello"})
    assert response.status_code == 422


def test_forms_are_listed(client: httpx.Client) -> None:
    forms = {form["code"]: form for form in client.get("/forms").json()}
    shi = ["jueju-5", "jueju-7", "lushi-5", "lushi-7", "gushi-5", "gushi-7"]
    assert [code for code, form in forms.items() if form["genre"] == "诗"] == shi
    assert forms["lushi-7"]["num_lines"] == 8
    tune = forms["huanxisha"]
    assert (tune["name"], tune["category"], tune["characters"]) == ("浣溪沙", "小令", 42)
    assert tune["variants"][0]["stanzas"] == [["7。", "7。", "7。"], ["7，", "7。", "7。"]]
    assert len([form for form in forms.values() if form["genre"] == "词"]) >= 70


def test_a_form_is_shown_in_full_by_any_of_its_names(client: httpx.Client) -> None:
    card = client.get("/forms/蝶恋花").json()
    assert card == client.get("/forms/dielianhua").json() == client.get("/forms/鵲踏枝").json()
    line = card["cards"][0]["lines"][0]
    assert line["pattern"] == "中仄中平平仄仄"
    assert line["rhyme"] == "a"
    assert client.get("/forms/七绝").json()["num_lines"] == 4
    missing = client.get("/forms/浣溪砂")
    assert missing.status_code == 404
    assert "huanxisha (浣溪沙)" in missing.json()["detail"]
    chinese = client.get("/forms/浣溪砂", headers={"Accept-Language": "zh"})
    assert chinese.json()["detail"].startswith("须为 五绝、七绝、")
    assert "相近的词牌有 浣溪沙" in chinese.json()["detail"]
    long = client.get(f"/forms/{'x' * 200}").json()["detail"]
    assert "x" * 20 + "…" in long
    assert "x" * 21 not in long


def test_the_model_tells_where_it_came_from(client: httpx.Client) -> None:
    card = client.get("/model").json()
    assert card["name"] == "tiny"
    assert len(card["checksum"]) == 64
    assert card["author_count"] == 3
    origin = ("corpus_commit", "corpus_poems", "steps", "validation_bits")
    assert [card[name] for name in origin] == [None] * 4
    # One release more.
    assert card["authors"] == ["李白", "杜甫", "蘇軾"]
    assert card["provenance"] == {"step": 0}
    fields = client.get("/openapi.json").json()["components"]["schemas"]["ModelCard"]["properties"]
    deprecated = {name for name, field in fields.items() if field.get("deprecated")}
    assert deprecated == {"authors", "provenance"}


def test_a_card_says_what_the_model_learnt(tiny_checkpoint: Checkpoint) -> None:
    provenance = {
        "corpus": {"commit": "99ebbef", "splits": {"train": 83, "test": 1}},
        "training": {"step": 40, "validation_bits": 6.5, "seed": 7},
    }
    model = ModelOut(name="tiny", checksum="0", device="cpu", dtype="float32")
    card = ModelCard.of(model, replace(tiny_checkpoint, provenance=provenance))
    assert (card.corpus_commit, card.corpus_poems) == ("99ebbef", 83)
    assert (card.steps, card.validation_bits) == (40, 6.5)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["李白", "杜甫", "蘇軾"]),
        ("?q=苏", ["蘇軾"]),
        ("?q=蘇軾", ["蘇軾"]),
        ("?q=甫&limit=1", ["杜甫"]),
        ("?limit=1", ["李白"]),
        ("?q=無此人", []),
    ],
)
def test_authors_are_found_in_either_script_with_their_poems_counted(
    client: httpx.Client, query: str, names: list[str]
) -> None:
    answer = client.get(f"/authors{query}").json()
    assert [author["name"] for author in answer["authors"]] == names
    assert answer["total"] == (3 if query == "?limit=1" else len(names))
    for author in answer["authors"]:
        assert author["poems"] > 800
        assert author["eras"] == (["宋"] if author["name"] == "蘇軾" else ["唐"])
        assert author["simplified"] == to_script(author["name"], Script.SIMPLIFIED)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?q=Su", "Chinese characters only"),
        ("?limit=0", "must be at least 1"),
        ("?limit=x", "must be a whole number"),
    ],
)
def test_a_search_for_authors_that_is_none_is_refused(
    client: httpx.Client, query: str, message: str
) -> None:
    response = client.get(f"/authors{query}")
    assert response.status_code == 422
    assert message in response.json()["detail"][0]["msg"]


def test_the_description_names_the_path_that_a_proxy_publishes(
    client: httpx.Client, service_settings: Settings
) -> None:
    assert "servers" not in client.get("/openapi.json").json()
    settings = service_settings.model_copy(update={"root_path": "/yin"})
    with serving(Service.load(settings, measured=False)) as published:
        assert published.get("/openapi.json").json()["servers"] == [{"url": "/yin"}]
        assert published.get("/forms").status_code == 200  # the proxy has stripped the path
        assert published.get("/font/kai.woff2").status_code == 200


def test_health_is_ok(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json() == {"status": "ok"}


def test_metrics_count_requests_and_characters(client: httpx.Client) -> None:
    generate(client)
    text = client.get("/metrics").text
    assert 'yin_requests_total{route="/generate",status="200"}' in text
    assert re.search(r"yin_characters_total [1-9]", text)
    assert 'yin_model_info{checksum="' in text
    assert "yin_slots 16.0" in text.splitlines()


def examples_of(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every example of a request's body, with its path."""
    for path, methods in description["paths"].items():
        for operation in methods.values():
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                name = schema["$ref"].rpartition("/")[2]
                for example in description["components"]["schemas"][name]["examples"]:
                    yield path, example


def test_examples_of_the_description_run_as_they_stand() -> None:
    with serving(
        Service.load(Settings(num_slots=16, threads=1, drain_s=1, deadline_s=120))
    ) as bundled:
        examples = list(examples_of(bundled.get("/openapi.json").json()))
        asked = {"/generate", "/generate/stream", "/revise", "/check"}
        assert {path for path, _ in examples} == asked
        for path, example in examples:
            response = bundled.post(path, json=example)
            assert response.status_code == 200, (path, example, response.text)
            assert "event: failure" not in response.text


def test_enumerations_of_the_description_name_what_is_taken(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()["components"]["schemas"]["GenerateRequest"]
    for field in ("form", "era"):
        values = schema["properties"][field]["anyOf"][0]["enum"]
        assert len(values) >= 4
        for value in values:
            assert getattr(GenerateRequest.model_validate({field: value}), field) is not None


def test_an_answer_says_what_it_cost(client: httpx.Client) -> None:
    def cost(path: str = "/generate", **fields: Any) -> int:
        return int(client.post(path, json=fields).headers["x-yin-cost"])

    quatrain = cost(form="jueju-7")
    assert 32 <= quatrain <= 45  # its characters, its marks and its header
    assert cost(form="jueju-7", n=4, candidates=2) == 8 * quatrain
    guided = cost(form="jueju-7", title="登楼")
    assert 2 * quatrain < guided < 2 * (quatrain + 5)  # a second row, and the title
    assert cost(form="jueju-7", title="登楼", guidance=1) == guided // 2
    assert cost("/generate/stream", form="jueju-7") == quatrain
    assert cost(form="jueju-7", top_k=7000, top_p=0.999) > quatrain
    assert cost(length=200, title="登楼") > 5 * quatrain
    assert "x-yin-cost" not in client.get("/forms").headers


def test_a_request_id_is_kept_or_given(client: httpx.Client) -> None:
    given = client.get("/forms", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"]
    assert given == "abc-1"
    assert re.fullmatch(r"[0-9a-f]{32}", client.get("/forms").headers["x-request-id"])
    strange = client.get("/forms", headers={"X-Request-ID": "a b\t{}"}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", strange)


@pytest.mark.parametrize(
    ("fields", "field", "english", "chinese"),
    [
        ({"length": 9}, "length", "must be at least 10", "至少为 10"),
        ({"start": "龘"}, "start", "the model does not know the character '龘'", "它不认识“龘”字"),
        (
            {"strat": "日"},
            "strat",
            "there is no such field; .* start, ",
            "没有这一项；可用的有 start、",
        ),
    ],
)
def test_a_refusal_is_in_the_language_that_is_accepted(
    client: httpx.Client, fields: dict[str, object], field: str, english: str, chinese: str
) -> None:
    for accepted, expected in ((None, english), ("zh-CN,zh;q=0.9", chinese), ("de", english)):
        headers = {} if accepted is None else {"Accept-Language": accepted}
        (error,) = client.post("/generate", json=fields, headers=headers).json()["detail"]
        assert re.match(expected, error["msg"])
        assert (error["loc"], set(error)) == (["body", field], {"type", "loc", "msg"})
    broken = client.post(
        "/generate", content=b"{", headers={**JSON, "Accept-Language": "zh"}
    ).json()["detail"]
    assert broken[0]["msg"] == "内容须为 UTF-8 的 JSON；自第 1 个字符起不是"
