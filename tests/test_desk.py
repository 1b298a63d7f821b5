"""The desk over HTTP: revising, rhymes, and what is chosen of the verse."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from model.verse.proof import check
from model.verse.rhymes import LEVEL_GROUPS, Rhymes

STORK = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
RULES = ["押韵", "平韵", "首句", "重韵", "仄收", "平仄", "对", "粘", "孤平", "三平调", "拗救"]


def revise(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    response = client.post("/revise", json=fields)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def refusal(client: httpx.Client, path: str = "/revise", **fields: Any) -> str:
    response = client.post(path, json=fields)
    assert response.status_code == 422, response.text
    (error,) = response.json()["detail"]
    return f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}"


def test_a_spot_is_filled_and_every_rule_kept(client: httpx.Client) -> None:
    answer = revise(client, text=STORK, spots=[[4, 1]])
    assert answer["lines"][3] == "更上一层楼"
    assert answer["spots"] == [[4, 1]]
    assert answer["kept"] == RULES
    found = answer["suggestions"]
    assert 1 < len(found) <= 16
    assert len({each["characters"] for each in found}) == len(found)
    for each in found:
        assert each["lines"][:3] == answer["lines"][:3]
        assert each["lines"][3] == each["characters"] + "上一层楼"
        assert each["regulated"]
        assert check(each["text"]).regulated
        assert each["characters"] not in STORK
    assert [each["bits"] for each in found] == sorted(each["bits"] for each in found)


def test_holes_in_the_text_are_filled_in_its_script(client: httpx.Client) -> None:
    answer = revise(client, text="白日依山盡，黃河入海□。欲窮千里目，更上一層樓。", n=3)
    assert answer["spots"] == [[2, 5]]
    assert len(answer["suggestions"]) <= 3
    for each in answer["suggestions"]:
        assert check(each["lines"]).rhyme == "十一尤"
        assert each["lines"][0] == "白日依山盡"


def test_a_line_is_drawn_anew_by_its_seed(client: httpx.Client) -> None:
    first, again, other = (
        revise(client, text=STORK, line=3, seed=seed)["suggestions"] for seed in (5, 5, 6)
    )
    assert first == again != other
    assert all(check(each["lines"]).regulated for each in first)
    assert all(each["lines"][2] == each["characters"] != "欲穷千里目" for each in first)


def test_the_same_request_gives_the_same_suggestions_among_others(client: httpx.Client) -> None:
    wishes: dict[str, Any] = {"text": STORK, "spots": [[1, 1], [1, 2]], "seed": 3}
    alone = revise(client, **wishes)["suggestions"]
    with ThreadPoolExecutor(6) as pool:
        poems = [pool.submit(client.post, "/generate", json={"n": 2}) for _ in range(4)]
        among = [pool.submit(revise, client, **wishes) for _ in range(3)]
        assert all(each.result()["suggestions"] == alone for each in among)
        assert all(poem.result().status_code == 200 for poem in poems)


def test_a_poem_is_read_among_what_stands_around_it(client: httpx.Client) -> None:
    text = f"登鹳雀楼\n王之涣（唐）\n\n{STORK}\n"
    assert revise(client, text=text, spots=[[2, 1]], n=1)["lines"][1] == "黄河入海流"


def test_what_cannot_be_revised_is_refused(client: httpx.Client) -> None:
    assert refusal(client, text="moon") == "text: there are no Chinese characters in it"
    assert "spots: name what to replace" in refusal(client, text=STORK)
    assert "line 9" in refusal(client, text=STORK, spots=[[9, 1]])
    assert "no character 6" in refusal(client, text=STORK, spots=[[1, 6]])
    assert "line: the poem has 4 lines" in refusal(client, text=STORK, line=5)
    assert "not both" in refusal(client, text=STORK, line=1, spots=[[1, 1]])
    many = [[line, spot] for line in (1, 2) for spot in (1, 2, 3, 4)]
    assert "at most 7 characters, or one line" in refusal(client, text=STORK, spots=many)
    assert "text: at most 7 characters" in refusal(client, text="白日□□□□，□□□□海流。")
    far = STORK + STORK.replace("。", "，")
    assert "spots: must stand within 4 lines" in refusal(client, text=far, spots=[[1, 1], [8, 1]])
    holes = far.replace("白", "□", 1)[:-2] + "□。"
    assert "text: must stand within 4 lines" in refusal(client, text=holes)
    long = "，".join(["白日依山尽"] * 41)
    assert "text: must be at most 200" in refusal(client, text=long, spots=[[1, 1]])
    assert refusal(client, text=STORK, line=1, author="无名氏").startswith("author: ")
    assert refusal(client, text=STORK, line=0) == "line: must be at least 1"


@pytest.mark.parametrize(
    "options",
    [{"form": "huanxisha"}, {"form": "linjiangxian"}, {"form": "如梦令", "script": "traditional"}],
)
def test_a_ci_is_refused_by_its_tune_rather_than_broken(
    client: httpx.Client, options: dict[str, Any]
) -> None:
    poem = client.post("/generate", json={**options, "seed": 3}).json()["poems"][0]
    message = refusal(client, text=poem["text"], spots=[[1, 1]])
    assert message.startswith(f"text: must be a shi, and this is a ci, {poem['meter']['pattern']}")
    assert message.endswith(f"form {poem['form']} with opening")
    hole = "□" + poem["text"][1:]
    assert refusal(client, text=hole) == message
    body, headers = {"text": poem["text"], "spots": [[1, 1]]}, {"Accept-Language": "zh"}
    (said,) = client.post("/revise", json=body, headers=headers).json()["detail"]
    assert said["msg"].startswith(f"这里只改诗，而这是词，{poem['meter']['pattern']}；")


def test_revising_is_charged_and_admitted_as_poems_are(client: httpx.Client) -> None:
    def cost(**fields: Any) -> int:
        response = client.post("/revise", json={"text": STORK, **fields})
        return int(response.headers["x-yin-cost"])

    # The header's four tokens but one, 18 before the spot and what is drawn there; then its line.
    assert cost(spots=[[4, 1]]) == 3 + 18 + 1 + 64 * 5
    assert cost(spots=[[4, 5]]) == 3 + 18 + 4 + 1
    assert cost(line=4) == 3 + 18 + 1 + 32 * 5
    assert cost(line=4, title="登楼") > 2 * 32 * 5


def test_a_character_is_looked_up(client: httpx.Client) -> None:
    response = client.get("/rhymes/看")
    answer = response.json()
    assert answer["character"] == "看"
    assert [(r["category"], r["group"], r["pinyin"]) for r in answer["readings"]] == [
        ("平", "十四寒", ["kān"]),
        ("去", "十五翰", ["kàn"]),
    ]
    assert sum(reading["percent"] for reading in answer["readings"]) == 100
    assert [group["tone"] for group in answer["groups"]] == ["平", "仄"]
    assert answer["groups"][0]["neighbours"] == ["十三元", "十五删", "一先"]
    assert len(answer["groups"][0]["characters"]) > 10


def test_one_print_of_two_characters_has_the_readings_of_both(client: httpx.Client) -> None:
    readings = client.get("/rhymes/发").json()["readings"]
    assert {(reading["form"], reading["pinyin"][0]) for reading in readings} == {
        ("發", "fā"),
        ("髮", "fà"),
    }


@pytest.mark.parametrize("name", ["七陽", "七阳", "七阳韵", "阳韵"])
def test_a_group_is_looked_up_in_either_script(client: httpx.Client, name: str) -> None:
    simplified = client.get(f"/rhymes/{name}").json()
    assert simplified["character"] is None
    assert [group["name"] for group in simplified["groups"]] == ["七阳"]
    assert simplified["groups"][0]["neighbours"] == ["三江"]
    traditional = client.get(f"/rhymes/{name}", params={"script": "traditional"}).json()
    assert traditional["groups"][0]["name"] == "七陽"


@pytest.mark.parametrize("name", ["abc", "七月流火", "%20"])
def test_what_has_no_rhyme_is_not_found(client: httpx.Client, name: str) -> None:
    response = client.get(f"/rhymes/{name}")
    assert response.status_code == 404
    assert "such as 七阳, or one character such as 花" in response.json()["detail"]


def test_what_has_no_rhyme_is_refused_in_either_language(client: httpx.Client) -> None:
    chinese = {"Accept-Language": "zh"}
    for name, english, said in (
        ("龘", "the reading of 龘 is not known", "不知“龘”的读音"),
        ("𪚥", "the reading of 𪚥 is not known", "不知“𪚥”的读音"),
        ("abc", "must be .*, not 'abc'", "须为平水韵的韵部.*“abc”都不是"),
        ("a" * 50, f"must be .*, not '{'a' * 20}…'", f".*“{'a' * 20}…”都不是"),
        ("it's", '.*, not "it\'s"', ".*“it's”都不是"),
    ):
        assert re.fullmatch(english, client.get(f"/rhymes/{name}").json()["detail"])
        answer = client.get(f"/rhymes/{name}", headers=chinese)
        assert answer.status_code == 404
        assert re.fullmatch(said, answer.json()["detail"])


def test_rhymes_may_be_kept_and_are_asked_for_by_their_tag(client: httpx.Client) -> None:
    first = client.get("/rhymes/花")
    assert first.headers["cache-control"] == "max-age=86400"
    kept = client.get("/rhymes/花", headers={"If-None-Match": first.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    head = client.head("/rhymes/花")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]
    assert client.post("/rhymes/花").status_code == 405


@pytest.mark.parametrize(
    ("wish", "group"), [("七陽", "七陽"), ("七阳", "七陽"), ("阳", "七陽"), ("花", "六麻")]
)
def test_a_poem_rhymes_as_was_asked(client: httpx.Client, wish: str, group: str) -> None:
    for seed in range(3):
        answer = client.post("/generate", json={"rhyme": wish, "seed": seed}).json()
        assert answer["poems"][0]["meter"]["rhyme"] == group


@pytest.mark.parametrize(
    ("wish", "patterns"),
    [
        ("仄起首句入韵", {"仄起首句入韵"}),
        ("pingqi", {"平起首句入韵", "平起首句不入韵"}),
        ("unrhymed", {"仄起首句不入韵", "平起首句不入韵"}),
        ("oblique-rhymed", {"仄起首句入韵"}),
        ("首句入韻", {"仄起首句入韵", "平起首句入韵"}),
    ],
)
def test_a_poem_runs_as_was_asked(client: httpx.Client, wish: str, patterns: set[str]) -> None:
    for seed in range(4):
        answer = client.post("/generate", json={"pattern": wish, "seed": seed}).json()
        assert answer["poems"][0]["meter"]["pattern"] in patterns


def openings(client: httpx.Client) -> Iterator[tuple[list[str], str, str]]:
    """Yield first lines of poems, each with rhyme and pattern, that can be gone on from."""
    for seed in range(20):
        answer = client.post("/generate", json={"seed": seed, "script": "traditional"}).json()
        poem = answer["poems"][0]
        opening = poem["lines"][:2]
        again = client.post("/generate", json={"opening": opening, "script": "traditional"})
        meter = again.json()["poems"][0]["meter"] if again.status_code == 200 else poem["meter"]
        if again.status_code == 200 and meter["pattern"] == poem["meter"]["pattern"]:
            yield opening, poem["meter"]["rhyme"], poem["meter"]["pattern"]


def test_what_does_not_fit_the_verse_is_refused_by_name(client: httpx.Client) -> None:
    def refused(**fields: Any) -> str:
        return refusal(client, "/generate", **fields)

    assert "rhyme: must be a rhyme group" in refused(rhyme="東西")
    assert "一屋 is oblique; try meter rhyme" in refused(rhyme="一屋")
    assert refused(rhyme="一东", meter="free") == "rhyme: verse of meter free does not rhyme"
    opening, rhyme, pattern = next(openings(client))
    others = [group for group in LEVEL_GROUPS if not Rhymes.are_neighbours(group, rhyme)]
    wish = next(group for group in others if group != rhyme)
    message = refused(rhyme=wish, opening=opening)
    assert message.startswith(f"rhyme: what is given does not rhyme in {wish}, but in ")
    wish = {"平": "仄起", "仄": "平起"}[pattern[0]]
    message = refused(pattern=wish, opening=opening)
    assert message == f"pattern: what is given does not fit {wish}, but {pattern}"
    assert "pattern: must be 仄起 or 平起" in refused(pattern="猫")
    assert "pattern: only verse of meter strict" in refused(pattern="仄起", meter="rhyme")
    assert "pattern: a ci runs as its tune" in refused(pattern="仄起", form="浣溪沙")
    assert "rhyme: a ci rhymes in a part" in refused(rhyme="七阳", form="浣溪沙")
    assert "rhyme: line " in refused(rhyme="三江", form="gushi-7", length=196)


def test_an_oblique_rhyme_may_be_asked_for_where_verse_is_not_regulated(
    client: httpx.Client,
) -> None:
    answer = client.post("/generate", json={"rhyme": "一屋", "form": "gushi-5"}).json()
    assert answer["poems"][0]["meter"]["rhyme"] == "一屋"
