"""The desk in a terminal."""

import json
import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.service import Service
from app.settings import Settings
from model.verse.proof import check
from tests.conftest import serving

run = CliRunner()
STORK = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, service_settings: Settings) -> None:
    monkeypatch.setenv("YIN_CHECKPOINT", str(service_settings.checkpoint))
    monkeypatch.setenv("YIN_THREADS", "1")
    monkeypatch.setenv("YIN_DTYPE", "float32")


@pytest.fixture(scope="module")
def url(service_settings: Settings) -> Iterator[str]:
    settings = service_settings.model_copy(update={"num_slots": 128})
    with serving(Service.load(settings)) as client:
        yield str(client.base_url)


@pytest.fixture(params=["alone", "served"])
def where(request: pytest.FixtureRequest, url: str) -> list[str]:
    return ["--url", url] if request.param == "served" else []


def test_suggestions_come_a_row_each(where: list[str]) -> None:
    result = run.invoke(app, ["revise", STORK, "--spot", "4.1", "--n", "3", "--seed", "7", *where])
    assert result.exit_code == 0, result.output
    *rows, last = result.output.splitlines()
    assert len(rows) == 3
    for row in rows:
        characters, line, bits = row.split("　")
        assert line == f"{characters}上一层楼"
        assert float(bits) > 0
    assert last == "— 押韵、平韵、首句、重韵、仄收、平仄、对、粘、孤平、三平调、拗救, seed 7"


def test_alone_and_from_a_service_come_the_same_suggestions(url: str) -> None:
    options = ["revise", STORK, "--spot", "1.1", "--spot", "2,2", "--seed", "7", "--json"]
    options += ["--title", "登樓", "--temperature", "0.7", "--guidance", "2", "--no-novel"]
    alone, served = (
        json.loads(run.invoke(app, [*options, *more]).output) for more in ([], ["--url", url])
    )
    assert alone["suggestions"] == served["suggestions"]
    assert alone["spots"] == [[1, 1], [2, 2]]


def test_a_line_is_shown_once_and_the_poem_comes_from_standard_input() -> None:
    result = run.invoke(app, ["revise", "--line", "3", "--n", "2"], input=f"登楼\n{STORK}\n")
    for row in result.output.splitlines()[:-1]:
        line, _ = row.split("　")
        poem = [*re.findall(r"\w+", STORK)[:2], line, "更上一层楼"]
        assert check(poem).regulated


def test_holes_over_several_lines_are_shown_in_theirs() -> None:
    holes = STORK.replace("尽", "□").replace("流", "□")
    result = run.invoke(app, ["revise", holes, "--n", "1"])
    characters, lines, _ = result.output.splitlines()[0].split("　")
    assert lines == f"白日依山{characters[0]}，黄河入海{characters[1]}"


@pytest.mark.parametrize("spot", ["4", "0.1", "1.0", "4.1.1", "四.一", "-1.1"])
def test_a_place_that_is_none_is_refused(spot: str) -> None:
    result = run.invoke(app, ["revise", STORK, f"--spot={spot}"])
    assert result.exit_code == 2
    assert f"error: spot: must be line and character, both from 1, such as 4.1, not '{spot}'" in (
        result.output
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([STORK], "spots: name what to replace"),
        ([STORK, "--line", "5"], "line: the poem has 4 lines, and no line 5"),
        ([STORK, "--line", "1", "--spot", "1.1"], "name spots or line, not both"),
        ([STORK, "--spot", "1.6"], "spots: line 1 has 5 characters, and no character 6"),
        ([STORK, "--line", "1", "--author", "無此人"], "author: .*does not know the author"),
        ([STORK, "--line", "1", "--n", "17"], "n: must be at most 16"),
        (["moon", "--line", "1"], "text: there are no Chinese characters"),
    ],
)
def test_what_cannot_be_revised_exits_with_two(
    options: list[str], message: str, where: list[str]
) -> None:
    result = run.invoke(app, ["revise", *options, *where])
    assert result.exit_code == 2
    assert re.search(message, result.output)
    assert result.output.count("\n") == 1


def test_what_is_no_text_is_refused_in_a_sentence() -> None:
    result = run.invoke(app, ["revise", "--line", "1"], input=b"\xff\xff\xff")
    assert result.exit_code == 2
    assert "must be text in UTF-8, or in GB 18030" in result.output


def test_a_character_is_shown_with_its_readings_and_what_rhymes(where: list[str]) -> None:
    result = run.invoke(app, ["rhymes", "看", *where])
    assert result.exit_code == 0, result.output
    readings, level, oblique = result.output.strip().split("\n\n")
    first, second = readings.split("\n")
    assert re.fullmatch(r"看　平　十四寒　kān　\d+%", first)
    assert re.fullmatch(r"看　去　十五翰　kàn　\d+%", second)
    assert level.startswith("十四寒　平　邻韵 十三元、十五删、一先\n")
    assert oblique.startswith("十五翰　仄\n")
    assert max(map(len, level.split("\n")[1:])) <= 30


def test_a_group_is_shown_in_the_script_that_is_asked_for(where: list[str]) -> None:
    result = run.invoke(app, ["rhymes", "阳韵", "--script", "traditional", *where])
    assert result.output.startswith("七陽　平　邻韵 三江\n")
    answer = json.loads(run.invoke(app, ["rhymes", "七阳", "--json", *where]).output)
    assert answer["groups"][0]["name"] == "七阳"


def test_what_has_no_rhyme_exits_with_two(where: list[str]) -> None:
    result = run.invoke(app, ["rhymes", "ab?", *where])
    assert result.exit_code == 2
    assert result.output.startswith("error: must be a rhyme group of 平水韵 such as 七阳, or one")
    assert result.output.endswith("not 'ab?'\n")
    result = run.invoke(app, ["rhymes", "看", "--script", "latin", *where])
    assert result.exit_code == 2
    assert "script: must be simplified or traditional, not 'latin'" in result.output
