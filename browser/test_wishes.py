"""What is wished for: read kindly, remembered as chosen, brought back by a reload or a link."""

import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Service
from playwright.sync_api import Page, Request, expect
from steps import OpenPage, choose, write, written


def meter(page: Page) -> str | None:
    return page.locator("input[name=meter]:checked").get_attribute("value")


def sent(page: Page, **fields: str) -> dict[str, Any]:
    """Write with fields filled in and return the request that the service got."""
    with page.expect_request("**/generate/stream") as asked:
        write(page, **fields)
    body: dict[str, Any] = asked.value.post_data_json
    return body


def test_old_style_verse_forces_a_meter_only_while_it_is_chosen(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page()
    choose(page, "form", "gushi-5")
    assert meter(page) == "rhyme"
    page.goto(f"{service.url}?again")
    expect(page.locator("input[name=form][value='gushi-5']")).to_be_checked()
    choose(page, "form", "jueju-7")
    assert meter(page) == "strict"
    choose(page, "meter", "free")
    choose(page, "form", "gushi-7")
    assert meter(page) == "free"
    choose(page, "form", "lushi-5")
    assert meter(page) == "free"


def test_a_link_of_old_style_verse_leaves_ones_own_meter_alone(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page("#form=gushi-5&lines=6&meter=rhyme&seed=5")
    written(page)
    page.locator("#temperature").press("ArrowRight")  # what is remembered is written then
    page.goto(f"{service.url}?again")
    choose(page, "form", "jueju-5")
    assert meter(page) == "strict"
    assert sent(page)["meter"] == "strict"


def test_the_title_stands_beside_the_start(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    expect(page.locator("#acrostic")).to_be_hidden()
    expect(page.locator("#title")).to_be_visible()
    page.locator("#start").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#title")).to_be_focused()
    assert sent(page, title="登楼")["title"] == "登楼"


def test_a_reload_keeps_every_poem_and_asks_for_none(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "n", "4")
    write(page, title="登楼")
    page.locator("#cards button").nth(2).click()
    poem, cards = written(page), page.locator("#cards button").all_inner_texts()
    asked: list[Request] = []
    page.on("request", lambda request: "generate" in request.url and asked.append(request))
    page.reload()
    assert written(page) == poem
    assert page.locator("#cards button").all_inner_texts() == cards
    expect(page.locator("#cards button").nth(2)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".heading")).to_have_text("登楼")
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text("句句合律")
    assert asked == []


def test_the_other_script_shows_the_same_poem_with_its_proof(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "form", "jueju-5")
    write(page, start="风", title="登楼")
    page.locator("#marks").click()
    expect(page.locator(".tones li")).to_have_count(4)
    proof = page.locator(".tones li span").all_inner_texts()
    simplified = page.url
    choose(page, "script", "traditional")
    expect(page.locator("#sheet .zi").first).to_have_text("風")
    expect(page.locator("#sheet")).to_have_attribute("lang", "zh-Hant")
    expect(page.locator("#copy")).to_be_enabled()
    assert page.locator(".tones li span").all_inner_texts() == proof
    traditional, link = written(page), page.url
    assert written(open_page(link)) == traditional
    choose(page, "script", "simplified")
    expect(page.locator("#sheet .zi").first).to_have_text("风")
    expect(page.locator("#copy")).to_be_enabled()
    assert page.url == simplified


def test_a_script_chosen_while_the_poem_is_written_is_the_one_it_ends_in(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.locator("#start").fill("风")
    page.route("**/generate/stream", lambda route: (time.sleep(0.5), route.continue_()))
    page.locator("#write").click(no_wait_after=True)
    choose(page, "script", "traditional")
    expect(page.locator("#sheet .zi").first).to_have_text("風")


def test_another_poem_in_place_of_the_same_is_not_shown_as_it(open_page: OpenPage) -> None:
    page = open_page()
    poem = write(page, start="风")

    def other(route: Any) -> None:  # as a server with another model would
        body = json.loads(route.request.post_data)
        route.continue_(post_data=json.dumps(body | {"seed": body["seed"] + 1}))

    page.route("**/generate/stream", other)
    choose(page, "script", "traditional")
    expect(page.locator("#status")).to_contain_text("模型已换")
    assert written(page) == poem


@pytest.mark.noisy  # the browser itself reports the request that failed
def test_a_script_that_cannot_be_asked_for_leaves_the_poem(open_page: OpenPage) -> None:
    page = open_page()
    poem, link = write(page, start="风"), page.url
    page.route("**/generate/stream", lambda route: route.abort())
    choose(page, "script", "traditional")
    expect(page.locator("#status.bad")).to_contain_text("连不上服务器")
    assert written(page) == poem
    assert page.url == link


def test_a_link_says_in_which_number_format_its_poem_was_written(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "form", "jueju-5")
    write(page)
    (ours,) = parse_qs(urlsplit(page.url).fragment)["dtype"]
    other = open_page(page.url.replace(f"dtype={ours}", "dtype=float4"))
    written(other)
    expect(other.locator("#status")).to_contain_text(f"这里用 {ours} 计算，链接出自 float4")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ({"start": "春 江"}, {"start": "春江"}),
        ({"start": "春江，"}, {"start": "春江"}),
        ({"title": "春夜·其一"}, {"title": "春夜其一"}),
        ({"start": "她"}, {"start": "他"}),
        ({"author": "东坡"}, {"author": "苏轼"}),
        ({"author": "太白"}, {"author": "李白"}),
        ({"author": "杜子美"}, {"author": "杜甫"}),
        (
            {"start": "白日依山尽，黄河入海流。"},
            {"opening": ["白日依山尽", "黄河入海流"], "form": "jueju-5"},
        ),
        (
            {"start": "白日依山尽黄河入海流"},
            {"opening": ["白日依山尽", "黄河入海流"], "form": "jueju-5"},
        ),
    ],
)
def test_what_is_typed_is_read_as_it_was_meant(
    open_page: OpenPage, typed: dict[str, str], read: dict[str, Any]
) -> None:
    request = sent(open_page(), **typed)
    assert {name: request[name] for name in read} == read
    assert "start" not in request or "opening" not in request


def test_the_page_says_how_it_reads_what_is_typed(open_page: OpenPage) -> None:
    page = open_page()

    def hint(field: str, text: str) -> str:
        page.locator(f"#{field}").fill(text)
        return page.locator(f"#{field}-hint").inner_text()

    assert hint("start", "她") == "“她”会写作“他”，古诗里这样用"
    assert hint("start", "白日依山尽，黄河入海流。") == "用作前 2 句，接着写下去"
    assert hint("start", "") == "一至五字；空着便由它起头"  # the lines have chosen a form of five
    assert hint("author", "东坡") == "东坡就是苏轼"
    choose(page, "script", "traditional")
    assert hint("author", "東坡") == "東坡就是蘇軾"
    page.locator("#language").click()
    expect(page.locator("#start-hint")).to_have_text(re.compile("^1 to 5 "))
    assert page.locator("#form-hint").inner_text().startswith("Jueju: a quatrain")
    choose(page, "form", "gushi-7")
    assert page.locator("#form-hint").inner_text().startswith("Gushi: old-style")
    assert page.locator("#start-hint").inner_text().startswith("1 to 7 ")


def test_many_whole_lines_choose_a_form_with_room_for_them(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#start").fill("春" * 5 + "，" + "，".join(["春" * 5] * 5))
    expect(page.locator("input[name=form][value='lushi-5']")).to_be_checked()
    page.locator("#start").fill("，".join(["春" * 7] * 14))
    expect(page.locator("input[name=form][value='gushi-7']")).to_be_checked()
    assert page.locator("#lines").input_value() == "16"


def test_poets_are_offered_in_the_pages_script_and_by_their_other_names(
    open_page: OpenPage,
) -> None:
    page = open_page()
    page.locator("#author").focus()
    offered = page.locator("#authors option")
    expect(offered.first).to_be_attached()
    values = """all => all.map(({value}) => value)"""
    assert {"苏轼", "陆游", "范成大"} <= set(offered.evaluate_all(values))
    expect(page.locator("#authors option[value=苏轼]")).to_have_text(re.compile("东坡"))
    choose(page, "script", "traditional")
    assert {"蘇軾", "陸游", "范成大"} <= set(offered.evaluate_all(values))


@pytest.mark.noisy  # the browser itself reports a 422
def test_an_unknown_poet_is_refused_with_names_in_the_pages_script(open_page: OpenPage) -> None:
    page = open_page()
    for script, name in (("simplified", "刘"), ("traditional", "劉")):
        choose(page, "script", script)
        page.locator("#author").fill("刘永")
        page.locator("#write").click(no_wait_after=True)
        expect(page.locator("#author-hint.bad")).to_contain_text(f"学过{name}")


def test_what_was_read_otherwise_is_said_beneath_the_poem_in_the_pages_language(
    open_page: OpenPage,
) -> None:
    page = open_page()
    write(page, start="秌", title="秌")
    notes = page.locator("#notes")
    expect(notes).to_have_text("“秌”读作“秋”")
    page.reload()
    expect(notes).to_have_text("“秌”读作“秋”")
    page.locator("#language").click()
    expect(notes).to_have_text("")  # they were said in the other language
    write(page, start="秌", title="")
    expect(notes).to_have_text("秌 was read as 秋")
    write(page, start="秋")
    expect(notes).to_have_text("")
    expect(page.locator("#status")).to_have_text("Written")
