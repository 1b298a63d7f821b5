"""The desk: one's own poem, checked as it is written, revised by touching it, kept and exported."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Service, running
from playwright.sync_api import Page, Route, expect
from steps import OpenPage, choose, never, require_accessible, shoot, write, written

POEM = "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。"
SIZES = [(390, 844), (820, 1180), (1440, 900)]


def open_desk(page: Page, text: str = "") -> None:
    page.locator("#desk-open").click()
    expect(page.locator("#desk-text")).to_be_visible()
    if text:
        type_in(page, text)


def revise(page: Page) -> None:
    """Take the poem on the sheet to the desk."""
    page.locator("#revise").click()
    expect(page.locator("#desk-text")).to_be_visible()


def type_in(page: Page, text: str) -> None:
    """Type a draft and wait until it is checked."""
    with page.expect_response("**/check"):
        page.locator("#desk-text").fill(text)


def draft(page: Page) -> str:
    return page.locator("#desk-text").input_value()


def fake_revise(page: Page, *offers: str) -> list[dict[str, Any]]:
    """Offer these for whatever is asked; return what was asked."""
    asked: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        body = route.request.post_data_json
        asked.append(body)
        spots = body.get("spots") or [[body["line"], i + 1] for i in range(len(offers[0]))]
        suggestions = [{"characters": offer, "bits": 9.0, "regulated": True} for offer in offers]
        route.fulfill(json={"spots": spots, "suggestions": suggestions})

    page.route("**/revise", answer)
    return asked


def touch(page: Page, line: int, character: int) -> None:
    page.locator("#sheet .line").nth(line - 1).locator(".zi").nth(character - 1).click()


def offer(page: Page, text: str) -> None:
    page.locator("#suggestions").get_by_role("button", name=text, exact=True).click()


def marks(page: Page, selector: str) -> str:
    shown = (
        """all => all.map((zi) => getComputedStyle(zi, "::after").content.match(/[○●△▲]/)?.[0])"""
    )
    return "".join(page.locator(selector).evaluate_all(shown))


def test_tones_rhymes_and_cues_are_shown_while_a_poem_is_typed(open_page: OpenPage) -> None:
    page = open_page()
    open_desk(page)
    expect(page.locator("#sheet .cue")).to_have_count(28)
    choose_form(page, "jueju-5")
    expect(page.locator("#sheet .cue")).to_have_count(20)
    type_in(page, "白日依山尽，黄河入海流。欲穷千")
    expect(page.locator("#under .ghost")).to_have_text(re.compile(r"^仄仄\s+中仄仄平韵$"))
    assert marks(page, "#under [data-tone]:not([data-tone=''])") == "●●○○●○○●●△●○○"
    assert marks(page, "#sheet [data-tone]:not([data-tone=''])") == "●●○○●○○●●△●○○"
    expect(page.locator("#desk-next")).to_have_text("第 3 行第 4 字：仄声")
    expect(page.locator("#desk-faults li")).to_have_count(0)
    type_in(page, POEM)
    expect(page.locator("#desk-says")).to_have_text("律绝 · 仄起首句不入韵 · 十一尤 · 句句合律")
    expect(page.locator("#sheet.sealed")).to_be_visible()
    expect(page.locator("#sheet .cue")).to_have_count(0)
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text("律绝")


def choose_form(page: Page, form: str) -> None:
    """Choose a form, which is done where the wishes are."""
    page.locator("#desk-close").click()
    choose(page, "form", form)
    page.locator("#desk-open").click()


def test_the_marks_lie_under_the_characters_that_are_typed(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    open_desk(page, POEM.replace("\n", ""))  # it wraps
    apart = page.evaluate("""() => {
        const area = document.querySelector("#desk-text"), twin = document.createElement("div");
        twin.style.cssText = [...getComputedStyle(area)].map(
            (name) => `${name}:${getComputedStyle(area)[name]}`).join(";");
        area.after(twin);
        twin.replaceChildren(...[...area.value].map((character) =>
            Object.assign(document.createElement("span"), { textContent: character })));
        const boxes = (all) => [...all].map((one) => one.getBoundingClientRect());
        const ours = boxes(document.querySelectorAll("#under span:not(.ghost)"));
        const theirs = boxes([...twin.children].filter((one) => /\\p{Script=Han}/u.test(
            one.textContent)));
        twin.remove();
        return ours.map(({ left, top }, i) =>
            Math.hypot(left - theirs[i].left, top - theirs[i].top));
    }""")
    assert len(apart) == 20
    assert max(apart) < 1


@pytest.mark.parametrize(
    ("right", "wrong", "spot", "rule"),
    [
        ("河", "水", [2, 2], "平仄"),
        ("楼", "台", [4, 5], "押韵"),
        ("流", "有", [2, 5], "押韵、平韵"),
    ],
)
def test_faults_are_listed_by_line_and_replaced_where_they_stand(
    open_page: OpenPage, right: str, wrong: str, spot: list[int], rule: str
) -> None:
    page, text = open_page(), POEM.replace(right, wrong)
    asked = fake_revise(page, right)
    open_desk(page, text)
    expect(page.locator("#desk-says")).to_contain_text("不全合律")
    page.get_by_role("button", name=f"第 {spot[0]} 行第 {spot[1]} 字 · {rule}", exact=False).click()
    offer(page, right)
    expect(page.locator("#desk-text")).to_have_value(POEM)
    expect(page.locator("#desk-faults li")).to_have_count(0)
    assert asked == [{"text": text, "spots": [spot], "n": 16}]


def test_a_character_and_a_line_are_chosen_in_place_and_taken_back(open_page: OpenPage) -> None:
    page = open_page()
    asked = fake_revise(page, "又", "再")
    open_desk(page, POEM)
    touch(page, 4, 1)
    expect(page.locator("#sheet .touched")).to_have_text("更")
    offer(page, "又")
    expect(page.locator("#sheet .line").nth(3)).to_have_text("又上一层楼。")
    expect(page.locator("#desk-text")).to_have_value(POEM.replace("更", "又"))
    expect(page.locator("#sheet .zi:focus")).to_have_text("又")
    page.unroute("**/revise")
    lines = fake_revise(page, "更待一登楼", "独上最高楼")
    touch(page, 4, 2)
    page.locator("#suggestions").get_by_role("button", name="换整句").click()
    offer(page, "独上最高楼")
    expect(page.locator("#sheet .line").nth(3)).to_have_text("独上最高楼。")
    assert asked[0] == {"text": POEM, "spots": [[4, 1]], "n": 16}
    assert [body.get("line") for body in lines] == [None, 4]
    page.locator("#desk-undo").click()
    expect(page.locator("#desk-text")).to_have_value(POEM.replace("更", "又"))
    page.keyboard.press("Control+z")
    expect(page.locator("#desk-text")).to_have_value(POEM)
    page.locator("#desk-redo").click()
    expect(page.locator("#desk-text")).to_have_value(POEM.replace("更", "又"))


def test_several_characters_are_replaced_together_and_an_empty_place_is_filled(
    open_page: OpenPage,
) -> None:
    page = open_page()
    fake_revise(page, "又")
    open_desk(page, POEM)
    touch(page, 4, 1)
    expect(page.locator("#suggestions button").first).to_be_visible()
    page.unroute("**/revise")
    asked = fake_revise(page, "独高")
    page.locator("#sheet .line").nth(3).locator(".zi").nth(2).click(modifiers=["Shift"])
    offer(page, "独高")
    expect(page.locator("#sheet .line").nth(3)).to_have_text("独上高层楼。")
    assert asked[0]["spots"] == [[4, 1], [4, 3]]
    page.unroute("**/revise")
    asked = fake_revise(page, "楼")
    type_in(page, "白日依山尽，黄河入海流。欲穷千")
    touch(page, 4, 5)
    offer(page, "楼")
    expect(page.locator("#sheet .line").nth(3)).to_have_text("中仄仄平楼。")
    assert asked[0]["text"] == "白日依山尽，黄河入海流。\n欲穷千□□，□□□□□。"
    assert draft(page) == "白日依山尽，\n黄河入海流。\n欲穷千□□，\n□□□□楼。"


def test_the_keyboard_alone_revises_a_poem(open_page: OpenPage) -> None:
    page = open_page()
    fake_revise(page, "又", "再")
    open_desk(page, POEM)
    place = page.locator("#sheet .zi:focus")
    page.locator("#sheet .zi").first.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    expect(place).to_have_text("更")
    expect(place).to_have_attribute("aria-label", "更 第 4 行第 1 字")
    page.keyboard.press("Enter")
    expect(page.locator("#suggestions button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(place).to_have_text("更")
    page.keyboard.press(" ")
    expect(page.locator("#suggestions button").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(place).to_have_text("再")


def test_the_lines_of_a_draft_are_gone_on_from(open_page: OpenPage) -> None:
    page = open_page()
    open_desk(page, "白日依山尽，黄河入海流。欲穷")
    with page.expect_request("**/generate/stream") as asked:
        page.locator("#desk-on").click()
    assert asked.value.post_data_json["opening"] == ["白日依山尽", "黄河入海流"]
    assert written(page).startswith("白日依山尽，\n黄河入海流。")
    expect(page.locator("#desk")).to_be_hidden()
    expect(page.locator("#wishes")).to_be_visible()


def test_a_draft_left_is_there_at_the_next_visit(open_page: OpenPage, service: Service) -> None:
    page = open_page()
    open_desk(page, "白日依山尽，黄")
    page.locator("#desk-title").fill("登楼")
    page.goto(f"{service.url}?again")
    page.locator("#desk-open").click()
    assert draft(page) == "白日依山尽，黄"
    assert page.locator("#desk-title").input_value() == "登楼"
    expect(page.locator(".heading")).to_have_text("登楼")


def test_a_poem_looked_at_on_the_desk_and_left_is_still_the_models(open_page: OpenPage) -> None:
    page = open_page()
    poem, link = write(page, title="登楼"), page.url
    page.locator("#revise").click()
    expect(page.locator("#desk-text")).to_have_value(re.compile("。"))
    page.locator("#desk-close").click()
    assert written(page) == poem
    assert page.url == link
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text(parse_qs(urlsplit(link).fragment)["seed"][0])


def test_the_address_of_ones_own_poem_brings_it_back_and_back_the_one_before(
    open_page: OpenPage,
) -> None:
    page = open_page()
    fake_revise(page, "春")
    poem, link = write(page, title="登楼"), page.url
    revise(page)
    touch(page, 1, 1)
    offer(page, "春")
    page.wait_for_function("link => location.href !== link", arg=link)
    own = page.url
    again = open_page(own, locale="en-GB")
    expect(again.locator("#sheet .line").first).to_have_text(f"春{poem[1:8]}")
    expect(again.locator(".heading")).to_have_text("登楼")
    expect(again.locator("#desk-says")).not_to_be_empty()
    page.go_back()
    expect(page.locator("#desk")).to_be_hidden()
    assert written(page) == poem
    page.go_forward()
    expect(page.locator("#desk-text")).to_have_value(re.compile(f"^春{poem[1:7]}"))


def test_another_poem_leaves_the_desk(open_page: OpenPage) -> None:
    page = open_page()
    write(page)
    page.locator("#revise").click()
    expect(page.locator("#desk")).to_be_visible()
    page.locator("#another").click()
    expect(page.locator("#desk")).to_be_hidden()
    assert written(page)
    expect(page.locator("#sheet")).to_have_attribute("role", "img")
    expect(page.locator("#sheet [role=button]")).to_have_count(0)


def test_lines_of_several_lengths_are_checked_as_they_are(open_page: OpenPage) -> None:
    page = open_page()
    open_desk(page, "大江东去，浪淘尽、千古风流人物。")
    expect(page.locator("#sheet .line")).to_have_text(["大江东去，", "浪淘尽、", "千古风流人物。"])
    expect(page.locator("#sheet .cue")).to_have_count(0)
    expect(page.locator("#desk-says")).to_contain_text("杂言")


@pytest.mark.noisy
def test_a_server_gone_in_mid_suggestion_leaves_the_poem_and_can_be_asked_again(
    open_page: OpenPage,
) -> None:
    with running() as mortal:
        page = open_page(mortal.url)
        open_desk(page, POEM)
        page.route("**/revise", never)
        touch(page, 4, 1)
        expect(page.locator("#suggestions")).to_have_text("正在想")
        page.keyboard.press("Escape")
        page.unroute("**/revise")
        mortal.kill()
    touch(page, 4, 1)
    expect(page.locator("#suggestions [role=alert]")).to_contain_text("连不上服务器")
    fake_revise(page, "又")
    page.locator("#suggestions button").click()
    offer(page, "又")
    assert draft(page) == POEM.replace("更", "又")
    expect(page.locator("#sheet .line").nth(3)).to_have_text("又上一层楼。")
    expect(page.locator("#status.bad")).to_contain_text("连不上服务器")  # the check


@pytest.mark.noisy  # the browser itself reports a 422
def test_a_refusal_of_suggestions_is_said_where_they_would_be(open_page: OpenPage) -> None:
    page = open_page()
    open_desk(page, POEM)
    refusals = ["须在相连的 4 句之内", "第 4 句：此处没有合律而又未用过的字"]
    messages = iter(refusals)

    def refuse(route: Route) -> None:
        assert route.request.headers["accept-language"] == "zh"
        detail = [{"loc": ["body", "spots"], "msg": next(messages)}]
        route.fulfill(status=422, json={"detail": detail})

    page.route("**/revise", refuse)
    for said in refusals:
        touch(page, 4, 1)
        expect(page.locator("#suggestions [role=alert]")).to_have_text(said)


def test_the_services_own_suggestions_keep_the_rules(open_page: OpenPage) -> None:
    page = open_page()
    open_desk(page, POEM)
    expect(page.locator("#desk-says")).to_contain_text("句句合律")
    touch(page, 4, 1)
    expect(page.locator("#suggestions .offers button")).to_have_count(16)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    with page.expect_response("**/check"):
        page.keyboard.press("Enter")
    expect(page.locator("#desk-says")).to_contain_text("句句合律")
    touch(page, 3, 1)
    page.get_by_role("button", name="换整句").click()
    expect(page.locator("#suggestions .lines button").first).to_have_text(re.compile("^.{5}$"))
    with page.expect_response("**/check"):
        page.locator("#suggestions .lines button").first.click()
    expect(page.locator("#desk-says")).to_contain_text("句句合律")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_desk_is_accessible_and_fits_every_size(
    open_page: OpenPage, width: int, height: int, scheme: str
) -> None:
    language = {"light": "zh-CN", "dark": "en-GB"}[scheme]
    page = open_page(width=width, height=height, color_scheme=scheme, locale=language)
    fake_revise(page, *"春秋山水云月花风雪夜江河湖海天地")
    open_desk(page, "白日依山尽，黄水入海流。\n欲穷千里")
    shoot(page, f"{width}-{scheme}-draft", full_page=True)
    require_accessible(page)
    touch(page, 1, 4)
    expect(page.locator("#suggestions button").first).to_be_visible()
    shoot(page, f"{width}-{scheme}-suggestions")
    require_accessible(page)
    box = page.locator("#suggestions").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_poem_goes_from_its_first_line_to_a_kept_and_exported_one(open_page: OpenPage) -> None:
    page = open_page()
    open_desk(page, "白日依山尽，")
    page.locator("#desk-title").fill("登楼")
    page.locator("#desk-on").click()
    poem = written(page)
    assert poem.startswith("白日依山尽，")
    revise(page)
    fake_revise(page, "风")
    touch(page, 2, 1)
    offer(page, "风")
    expect(page.locator("#desk-says")).not_to_be_empty()
    page.locator("#desk-keep").click()
    expect(page.locator("#status")).to_have_text("已收进诗匣")
    page.locator("#shelf").click()
    expect(page.locator("#album-list li")).to_have_count(2)
    with page.expect_download() as download:
        page.locator("#album-json").click()
    kept = json.loads(Path(download.value.path()).read_text())
    lines = poem.replace("，", "").replace("。", "").split("\n")
    assert kept[0]["lines"] == [lines[0], "风" + lines[1][1:], *lines[2:]]
    assert kept[0]["title"] == "登楼"
    assert kept[1]["lines"] == lines
    page.locator("#album-list li").first.get_by_role("button").first.click()
    expect(page.locator("#desk-text")).to_have_value(re.compile("风"))
