"""A poem in the browser: written, streamed, stopped, kept and brought back."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Service
from playwright.sync_api import expect
from steps import OpenPage, choose, never, require_accessible, shoot, write, written


def test_a_poem_is_written_from_its_first_character(open_page: OpenPage) -> None:
    poem = write(open_page(), start="春")
    assert re.fullmatch(r"春.{6}，\n.{7}。\n.{7}，\n.{7}。", poem)


def test_characters_come_one_by_one_and_lines_are_announced_whole(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="no-preference")
    page.evaluate("""() => {
        window.lengths = [];
        new MutationObserver(() => lengths.push(document.querySelector("#sheet").innerText.length))
            .observe(document.querySelector("#sheet"), {childList: true, subtree: true});
    }""")
    poem = write(page)
    assert len(set(page.evaluate("lengths"))) > 10
    said = page.locator("#log p").all_inner_texts()
    assert "\n".join(said) == poem


@pytest.mark.parametrize("form", ["jueju-5", "lushi-7", "gushi-5"])
def test_the_sheet_does_not_move_while_it_is_written(open_page: OpenPage, form: str) -> None:
    page = open_page()
    choose(page, "form", form)
    page.evaluate("""() => {
        window.boxes = [];
        const box = (id) => JSON.stringify(document.getElementById(id).getBoundingClientRect());
        const note = () => { boxes.push(["sheet", "actions", "wishes"].map(box).join()); };
        new MutationObserver(note).observe(sheet, {childList: true, subtree: true});
    }""")
    write(page)
    assert len(set(page.evaluate("boxes"))) == 1


def test_stop_keeps_what_was_written(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/generate/stream", never)
    page.locator("#write").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stop")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#status")).to_contain_text("停笔")
    expect(page.locator("#write")).to_be_focused()
    page.unroute("**/generate/stream")
    page.locator("#another").click()
    assert written(page)


def test_another_poem_has_another_seed_and_what_was_just_typed(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "form", "jueju-5")
    first, link = write(page, start="山"), page.url
    page.locator("#another").click()
    page.wait_for_function("link => location.href !== link", arg=link)
    second, link = written(page), page.url
    assert second != first
    assert second.startswith("山")
    page.locator("#start").fill("水")
    page.locator("#another").click()
    page.wait_for_function("link => location.href !== link", arg=link)
    assert written(page).startswith("水")
    page.go_back()
    page.go_back()
    expect(page.locator("#sheet .line").first).to_have_text(first.split("\n")[0])
    assert written(page) == first
    assert page.locator("#start").input_value() == "山"


def test_a_link_brings_back_the_same_poem(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "form", "lushi-5")
    choose(page, "script", "traditional")
    choose(page, "era", "tang")
    poem = write(page, title="登楼", temperature="1.1")
    page.locator("#link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    for locale, done in (("zh-CN", "写好了"), ("en-GB", "Written")):
        again = open_page(link, locale=locale, color_scheme="dark", width=390)
        assert written(again) == poem
        assert again.locator("#title").input_value() == "登楼"
        assert again.locator("input[name=form]:checked").get_attribute("value") == "lushi-5"
        assert again.locator("#status").inner_text() == done
        assert again.url == link


def test_a_chosen_one_of_several_poems_is_what_the_link_brings_back(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "n", "4")
    write(page)
    cards = page.locator("#cards button")
    expect(cards).to_have_count(4)
    cards.nth(2).click()
    expect(cards.nth(2)).to_have_attribute("aria-pressed", "true")
    poem = written(page)
    assert "\n".join(page.locator("#log p").all_inner_texts()) == poem  # it is heard, too
    assert poem.replace("\n", "") in cards.nth(2).inner_text().replace("\n", "")
    assert written(open_page(page.url)) == poem


def test_a_link_of_another_model_says_so(open_page: OpenPage) -> None:
    page = open_page("#form=jueju-5&seed=7&model=00000000")
    written(page)
    expect(page.locator("#status")).to_contain_text("模型已换")


@pytest.mark.parametrize("fragment", ["#seed=-1", "#seed=1e99", "#seed=999999999999999999", "#x"])
def test_a_broken_link_opens_an_empty_page(open_page: OpenPage, fragment: str) -> None:
    page = open_page(fragment)
    expect(page.locator("#sheet.idle")).to_be_visible()
    expect(page.locator("#write")).to_be_visible()


def test_the_poem_is_copied_as_text(open_page: OpenPage) -> None:
    page = open_page()
    lines = write(page, title="春望").split("\n")
    page.locator("#copy").click()
    expect(page.locator("#status")).to_have_text("已复制")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"春望\n{lines[0]}{lines[1]}\n{lines[2]}{lines[3]}"


def test_tones_and_rules_are_shown_on_demand(open_page: OpenPage) -> None:
    page = open_page()
    poem = write(page)
    expect(page.locator("#proof")).to_be_hidden()
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text("句句合律")
    seed = parse_qs(urlsplit(page.url).fragment)["seed"][0]
    expect(page.locator("#proof")).to_contain_text(seed)
    tones = page.locator("#sheet [data-tone]")
    expect(tones).to_have_count(28)
    marks = tones.evaluate_all("""all => all.map(
        (zi) => getComputedStyle(zi, "::after").content.match(/[○●△▲]/)?.[0])""")
    said = "".join(page.locator(".tones li span").all_inner_texts()).replace("韵", "")
    assert "".join(marks).replace("△", "○") == said.replace("平", "○").replace("仄", "●")
    rhymes = page.locator("#sheet .rhyme").all_inner_texts()
    assert rhymes[-2:] == [line[-2] for line in poem.split("\n")[1::2]]


def test_names_in_the_proof_are_in_the_pages_script_and_each_term_has_a_gloss(
    open_page: OpenPage,
) -> None:
    page = open_page(locale="en-GB")
    write(page, start="阳")
    page.locator("#marks").click()
    group = page.locator("dd", has_text="106 groups")
    simplified = group.inner_text()
    choose(page, "script", "traditional")
    expect(group).to_have_attribute("lang", "zh-Hant")
    assert len(group.inner_text()) == len(simplified)
    rules = page.locator(".rules details")
    expect(rules).to_have_count(11)
    for rule in rules.all():
        expect(rule.locator("p")).to_be_hidden()
        rule.locator("summary").press("Enter")
        expect(rule.locator("p")).to_be_visible()
    expect(page.locator("dd", has_text="Line 1")).to_contain_text("起首句")
    require_accessible(page)
    shoot(page, "proof", full_page=True)


@pytest.mark.parametrize(("script", "named"), [("simplified", "七阳"), ("traditional", "七陽")])
def test_a_rhyme_group_is_named_in_the_script_of_its_poem(
    open_page: OpenPage, service: Service, script: str, named: str
) -> None:
    page = open_page()
    answer = page.request.post(f"{service.url}generate", data={"form": "jueju-5"}).json()
    answer["poems"][0]["meter"]["rhyme"] = "七陽"
    event = f"event: poem\ndata: {json.dumps(answer)}\n\n"
    page.route("**/generate/stream", lambda route: route.fulfill(
        status=200, content_type="text/event-stream", body=event))  # fmt: skip
    choose(page, "form", "jueju-5")
    choose(page, "script", script)
    write(page)
    page.locator("#marks").click()
    expect(page.locator("dd", has_text="平水韵")).to_contain_text(named)
