"""What the page shows when it is asked: the rhyme book, the tunes, pinyin, the voice that reads."""

import json
import re
from typing import Any

import pytest
from conftest import Service
from playwright.sync_api import Page, Route, expect
from steps import OpenPage, choose, never, require_accessible, shoot, write, written

SIZES = [(390, 844), (1440, 900)]
TUNES = "#tune-list > li > button"


def open_more(page: Page) -> None:
    page.wait_for_load_state("networkidle")  # the page's words come first, and it shuts this then
    page.evaluate("document.querySelector('#more').open = true")


def open_rhymes(page: Page) -> None:
    open_more(page)
    page.locator("#rhymes-open").click()
    expect(page.locator("#rhyme-book")).to_be_visible()


def open_tunes(page: Page) -> None:
    page.locator("#tunes-open").click()
    expect(page.locator(TUNES).first).to_be_visible()


def test_a_character_is_looked_up_and_its_rhyme_taken(open_page: OpenPage) -> None:
    page = open_page()
    open_rhymes(page)
    page.locator("#rhyme-name").fill("看")
    page.keyboard.press("Enter")
    expect(page.locator(".readings li")).to_have_text(
        [re.compile("kān　平声 · 十四寒"), re.compile("kàn　去声 · 十五翰")]
    )
    expect(page.locator(".group").first).to_contain_text("首句可借：十三元、十五删、一先")
    page.locator(".group button").first.click()
    expect(page.locator("#rhyme-book")).to_be_hidden()
    assert page.locator("#rhyme").input_value() == "十四寒"
    with page.expect_request("**/generate/stream") as asked:
        write(page)
    assert asked.value.post_data_json["rhyme"] == "十四寒"
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text("十四寒")


def test_every_level_group_can_be_opened_in_either_script(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page()
    choose(page, "script", "traditional")
    open_rhymes(page)
    names = page.locator(".groups button").all_inner_texts()
    assert len(names) == 30
    for name in names:
        answer = page.request.get(f"{service.url}rhymes/{name}?script=traditional")
        assert answer.json()["groups"][0]["name"] == name
        assert answer.json()["groups"][0]["tone"] == "平"
    page.get_by_role("button", name="十五刪").click()
    expect(page.locator(".group h3")).to_have_text("十五刪")
    expect(page.locator(".characters")).to_contain_text("還")


@pytest.mark.noisy  # the browser itself reports a 404
def test_what_rhymes_with_nothing_is_said(open_page: OpenPage) -> None:
    page = open_page()
    open_rhymes(page)
    page.locator("#rhyme-name").fill("x")
    page.keyboard.press("Enter")
    expect(page.locator("#rhyme-found .bad")).to_have_text("查不到")


def test_a_pattern_is_chosen_where_every_rule_is_kept_and_only_there(open_page: OpenPage) -> None:
    page = open_page()
    open_more(page)
    page.locator("#pattern").select_option("平起首句入韵")
    with page.expect_request("**/generate/stream") as asked:
        write(page)
    assert asked.value.post_data_json["pattern"] == "平起首句入韵"
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text("平起首句入韵")
    choose(page, "meter", "free")
    expect(page.locator("#pattern")).to_be_disabled()
    expect(page.locator("#rhyme")).to_be_disabled()
    page.locator("#desk-open").click()
    expect(page.locator("#under .ghost")).to_have_text(re.compile("^中平中仄仄平韵"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("浣溪", "浣溪沙"),
        ("huanxi", "浣溪沙"),
        ("Huan Xi Sha", "浣溪沙"),
        ("鷓鴣", "鹧鸪天"),
        ("思佳客", "鹧鸪天"),
    ],
)
def test_a_tune_is_found_by_its_names_and_by_pinyin(
    open_page: OpenPage, typed: str, found: str
) -> None:
    page = open_page()
    open_tunes(page)
    page.locator("#tune-name").fill(typed)
    expect(page.locator(TUNES).first).to_contain_text(found)


def test_tunes_are_listed_by_length(open_page: OpenPage, service: Service) -> None:
    page = open_page()
    tunes = [f for f in page.request.get(f"{service.url}forms").json() if f["genre"] == "词"]
    open_tunes(page)
    expect(page.locator(TUNES)).to_have_count(len(tunes))
    for category in ("小令", "中调", "长调"):
        choose(page, "category", category)
        listed = [tune for tune in tunes if tune["category"] == category]
        expect(page.locator(TUNES)).to_have_count(len(listed))
        expect(page.locator("#tune-count")).to_have_text(f"{len(listed)} 个词牌")


def test_a_ci_is_written_to_a_tune_and_set_with_a_gap_between_its_stanzas(
    open_page: OpenPage,
) -> None:
    page = open_page()
    choose(page, "meter", "free")
    open_tunes(page)
    page.locator("#tune-name").fill("浣溪沙")
    page.keyboard.press("Enter")
    expect(page.locator("input[value=huanxisha]")).to_be_checked()
    expect(page.locator("input[name=meter][value=free]")).to_be_disabled()
    with page.expect_request("**/generate/stream") as asked:
        lines = write(page).split("\n")
    assert asked.value.post_data_json["form"] == "huanxisha"
    assert [line[-1] for line in lines] == list("。。。，。。")
    gaps = page.evaluate("""() => {
        const boxes = [...document.querySelectorAll("#sheet .line")].map(
            (line) => line.getBoundingClientRect());
        return boxes.slice(1).map(({ right }, i) => boxes[i].left - right);
    }""")
    assert gaps[2] > 10
    assert max([*gaps[:2], *gaps[3:]]) < 1
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text("浣溪沙")
    page.reload()
    assert written(page).split("\n") == lines
    expect(page.locator("label:has(input[value=huanxisha])")).to_have_text("浣溪沙")
    assert written(open_page(page.url)).split("\n") == lines
    choose(page, "form", "jueju-7")
    expect(page.locator("input[name=meter][value=free]")).to_be_checked()


def test_a_long_ci_stands_in_a_tier_a_stanza_where_that_is_larger(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    open_tunes(page)
    page.locator("#tune-name").fill("shuidiaogetou")
    page.locator(TUNES).first.click()
    write(page)
    tops = page.evaluate("""() => [...document.querySelectorAll("#sheet .line")].map(
        (line) => Math.round(line.getBoundingClientRect().top))""")
    assert len(tops) == 19
    assert len({*tops[:9]}) == 1
    assert len({*tops[9:]}) == 1
    assert tops[0] < tops[9]
    shoot(page, "ci-390")
    page.locator("#picture").click()
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename.endswith(".png")


def test_a_room_is_made_once_however_often_it_is_asked_for(open_page: OpenPage) -> None:
    page = open_page()
    write(page)
    page.evaluate("""() => {
        for (const id of ["marks", "desk-open"]) {
            for (let i = 0; i < 4; i += 1) document.getElementById(id).click();
        }
    }""")
    expect(page.locator("#desk-text")).to_be_attached()
    expect(page.locator("#reading")).to_have_count(1)
    expect(page.locator("#desk")).to_have_count(1)


@pytest.mark.noisy
def test_tunes_that_do_not_come_leave_the_page_as_it_was(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/forms", lambda route: route.abort())
    page.locator("#tunes-open").click()
    expect(page.locator("#status.bad")).to_contain_text("连不上服务器")
    page.unroute("**/forms")
    open_tunes(page)


def test_pinyin_stands_above_the_characters_on_wish(open_page: OpenPage) -> None:
    page = open_page()

    def spelled(route: Route) -> None:
        body = route.request.post_data_json
        lines = body["text"].replace("\n", "").replace("。", "，").split("，")[:4]
        pinyin = [[f"zì{i}" for i, _ in enumerate(line)] for line in lines]
        route.fulfill(json={"pinyin": pinyin} if body.get("pinyin") else {})

    page.route("**/check", spelled)
    poem = write(page)
    page.locator("#marks").click()
    expect(page.locator(".tones ruby")).to_have_count(0)
    page.locator("#pinyin").click()
    expect(page.locator(".tones ruby")).to_have_count(28)
    rows = page.locator(".tones li").evaluate_all(
        """all => all.map((line) => [...line.querySelectorAll("ruby")].map((ruby) =>
            Math.round(ruby.getBoundingClientRect().top)))"""
    )
    assert [len(set(row)) for row in rows] == [1] * 4  # no line is broken
    first = page.locator(".tones ruby").first
    expect(first).to_have_text(f"{poem[0]}zì0")
    above = "ruby => ruby.querySelector('rt').getBoundingClientRect().bottom"
    assert first.evaluate(above) <= first.evaluate(
        "ruby => ruby.getBoundingClientRect().top + ruby.getBoundingClientRect().height"
    )
    require_accessible(page)
    page.locator("#pinyin").click()
    expect(page.locator(".tones ruby")).to_have_count(0)


VOICE = """() => {
    window.said = [];
    const voices = LANGS.map((lang) => ({ lang, name: lang }));
    speechSynthesis.getVoices = () => voices;
    speechSynthesis.speak = (utterance) => {
        said.push([utterance.text, utterance.lang]);
        if (said.length < 3) setTimeout(() => utterance.dispatchEvent(new Event("end")), 50);
    };
    speechSynthesis.cancel = () => said.push("cancelled");
    window.SpeechSynthesisUtterance = class extends EventTarget {
        constructor(text) { super(); this.text = text; }
    };
}"""


def test_a_poem_is_read_aloud_a_line_at_a_time(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(VOICE.replace("LANGS", json.dumps(["en-GB", "zh-TW", "zh-CN"])))
    lines = write(page).replace("，", "").replace("。", "").split("\n")
    page.locator("#marks").click()
    page.locator("#aloud").click()
    page.wait_for_function("() => said.length === 3")
    said: list[Any] = page.evaluate("said")
    assert said == [[line, "zh-CN"] for line in lines[:3]]
    expect(page.locator("#sheet .spoken")).to_contain_text(lines[2])
    expect(page.locator("#aloud")).to_have_attribute("aria-pressed", "true")
    page.locator("#aloud").click()
    expect(page.locator("#sheet .spoken")).to_have_count(0)
    assert page.evaluate("said.at(-1)") == "cancelled"


def test_without_a_chinese_voice_there_is_no_button_to_read(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(VOICE.replace("LANGS", json.dumps(["en-GB"])))
    write(page)
    page.locator("#marks").click()
    expect(page.locator("#pinyin")).to_be_visible()
    expect(page.locator("#aloud")).to_be_hidden()


def fake_keywords(page: Page, **fields: Any) -> None:
    """Have the next poem answered with what its theme became."""

    def answer(route: Route) -> None:
        asked = {**route.request.post_data_json, "theme": None}
        response = route.fetch(post_data=json.dumps({k: v for k, v in asked.items() if v}))
        head, _, data = response.text().rpartition("data: ")
        body = json.loads(data)
        body["poems"][0] |= fields
        route.fulfill(
            status=200,
            content_type="text/event-stream",
            body=f"{head}data: {json.dumps(body)}\n\n",
        )

    page.route("**/generate/stream", answer)


def test_other_words_are_taken_as_the_theme_and_what_they_became_is_offered(
    open_page: OpenPage,
) -> None:
    page = open_page()
    fake_keywords(page, keywords=[{"word": "月", "of": "moon"}], unmapped=["zzz"])
    page.locator("#start").fill("moon")
    expect(page.locator("#start-hint")).to_have_text("“moon”不是汉字，用作题意")
    with page.expect_request("**/generate/stream") as asked:
        write(page, theme="夜 雨")
    assert asked.value.post_data_json["theme"] == "夜 雨 moon"
    assert "start" not in asked.value.post_data_json
    expect(page.locator("#theme-hint")).to_contain_text("诗里没有：zzz")
    require_accessible(page)
    page.get_by_role("button", name="以“月”起头").click()
    assert page.locator("#start").input_value() == "月"


@pytest.mark.noisy  # the browser itself reports a 422
def test_a_theme_in_words_of_today_is_written_and_one_that_is_unknown_is_named(
    open_page: OpenPage,
) -> None:
    page = open_page()
    write(page, theme="咖啡")
    expect(page.locator("#theme-hint")).to_contain_text("诗里作")
    word = page.locator("#theme-hint button").first.inner_text()
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text(f"咖啡 → {word}")
    page.locator("#theme").fill("zzzqqq")
    page.locator("#write").click()
    expect(page.locator("#theme-hint.bad")).to_contain_text("其中没有诗里相近的词：zzzqqq")


def test_how_closely_a_poem_keeps_to_its_subject_is_chosen_and_linked(open_page: OpenPage) -> None:
    page = open_page()
    open_more(page)
    page.locator("#guidance").fill("5")
    with page.expect_request("**/generate/stream") as asked:
        write(page, title="登楼")
    assert asked.value.post_data_json["guidance"] == 5
    again = open_page("about:blank")
    with again.expect_request("**/generate/stream") as asked:
        again.goto(page.url)
    assert asked.value.post_data_json["guidance"] == 5
    assert asked.value.post_data_json["candidates"] > 0  # as many as wrote it


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_rooms_are_accessible_and_fit(
    open_page: OpenPage, width: int, height: int, scheme: str
) -> None:
    language = {"light": "zh-CN", "dark": "en-GB"}[scheme]
    page = open_page(width=width, height=height, color_scheme=scheme, locale=language)
    open_rhymes(page)
    page.locator("#rhyme-name").fill("看")
    page.keyboard.press("Enter")
    expect(page.locator(".group").first).to_be_visible()
    shoot(page, f"{width}-{scheme}-rhymes")
    require_accessible(page)
    page.keyboard.press("Escape")
    open_tunes(page)
    shoot(page, f"{width}-{scheme}-tunes")
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_slow_network_shows_a_room_when_it_has_come(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/forms", never)
    page.locator("#tunes-open").click()
    assert write(page)
    expect(page.locator("#tune-book")).to_have_count(0)
