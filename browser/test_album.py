"""One's own poems: kept in this browser, found, starred, opened, taken away and deleted."""

import json
import time
from pathlib import Path
from typing import Any

from conftest import Service
from playwright.sync_api import Page, Request, expect
from steps import OpenPage, choose, require_accessible, shoot, write, written

ITEMS = "#album-list li"


def poems(page: Page, *titles: str) -> list[str]:
    choose(page, "form", "jueju-5")
    return [write(page, title=title) for title in titles]


def taken(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.locator(button).click()
    assert download.value.suggested_filename.startswith("yin-")
    return Path(download.value.path()).read_text()


def test_poems_are_kept_and_opened_again_without_the_service(
    open_page: OpenPage, service: Service
) -> None:
    page = open_page()
    asked: list[Request] = []
    first, _ = poems(page, "登楼", "夜泊")
    link = page.url
    page.goto(f"{service.url}?again")
    page.on("request", lambda request: request.method == "POST" and asked.append(request))
    page.locator("#shelf").click()
    expect(page.locator(ITEMS)).to_have_count(2)
    expect(page.locator(ITEMS).first).to_contain_text("夜泊")
    page.locator(ITEMS).last.get_by_role("button").first.click()
    expect(page.locator("#album")).to_be_hidden()
    assert written(page) == first
    assert page.locator("#title").input_value() == "登楼"
    assert page.url != link
    assert asked == []
    page.unroute_all()
    assert written(open_page(page.url)) == first  # its address is a link like any other


def test_closing_the_album_does_not_stop_the_poem(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/generate/stream", lambda route: (time.sleep(1), route.continue_()))
    page.locator("#write").click(no_wait_after=True)
    page.locator("#shelf").click()
    expect(page.locator("#album")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#album")).to_be_hidden()
    assert written(page)


def test_a_star_keeps_a_poem_findable(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    poems(page, "登楼", "夜泊")
    page.locator("#star").click()
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#status")).to_have_text("已收藏，在诗匣里")
    page.locator("#shelf").click()
    page.locator("#album-starred").check()
    expect(page.locator(ITEMS)).to_have_count(1)
    expect(page.locator(ITEMS)).to_contain_text("夜泊")
    require_accessible(page)
    shoot(page, "album")
    star = page.locator(f"{ITEMS} [aria-pressed]")
    star.click()
    expect(page.locator(ITEMS)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#album")).to_be_hidden()
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "false")
    page.reload()
    written(page)
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "false")


def test_poems_are_found_by_what_stands_in_them_and_taken_away(open_page: OpenPage) -> None:
    page = open_page()
    first, second = poems(page, "登楼", "夜泊")
    page.locator("#shelf").click()
    text = taken(page, "#album-text")
    couplets = [poem.replace("，\n", "，") for poem in (second, first)]
    assert text == f"夜泊\n{couplets[0]}\n\n登楼\n{couplets[1]}\n"
    with page.expect_download() as picture:
        page.get_by_role("button", name="存《登楼》的图").click()
    assert picture.value.suggested_filename == "登楼.png"
    page.locator("#album-search").fill(first.split("，")[0])
    expect(page.locator(ITEMS)).to_have_count(1)
    kept: list[dict[str, Any]] = json.loads(taken(page, "#album-json"))
    assert [poem["title"] for poem in kept] == ["登楼"]
    assert "\n".join(kept[0]["lines"]) == first.replace("，", "").replace("。", "")
    assert {"seed", "meter", "model", "wishes", "written", "favourite"} <= set(kept[0])
    page.locator("#album-search").fill("没有这样的诗")
    expect(page.locator("#album-count")).to_have_text("0 首")
    expect(page.locator("#album-json")).to_be_disabled()


def test_a_poem_is_found_by_characters_of_either_script(open_page: OpenPage) -> None:
    page = open_page()
    poems(page, "登楼", "夜泊")
    choose(page, "script", "traditional")
    expect(page.locator("#sheet")).to_have_attribute("lang", "zh-Hant")
    poems(page, "長門怨")
    page.locator("#shelf").click()
    for wanted, found in (("登樓", "登楼"), ("长门", "長門怨"), ("長門", "長門怨")):
        page.locator("#album-search").fill(wanted)
        expect(page.locator(ITEMS)).to_have_count(1)
        expect(page.locator(ITEMS)).to_contain_text(found)


def test_deleted_poems_are_gone_unless_it_is_undone(open_page: OpenPage, service: Service) -> None:
    page = open_page()
    poems(page, "登楼", "夜泊", "春望")
    page.locator("#shelf").click()
    page.get_by_role("button", name="删除《夜泊》").click()
    expect(page.locator(ITEMS)).to_have_count(2)
    expect(page.locator("#album-undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(ITEMS)).to_have_count(3)
    page.locator("#album-clear").click()
    expect(page.locator("#album-count")).to_have_text("删了 3 首")
    page.locator("#album-close").click()
    page.goto(f"{service.url}?again")
    page.locator("#shelf").click()
    expect(page.locator("#album-count")).to_have_text("0 首")


def test_one_poem_in_two_scripts_is_kept_once_and_every_one_chosen_is(open_page: OpenPage) -> None:
    page = open_page()
    poems(page, "登楼")
    page.locator("#star").click()
    choose(page, "script", "traditional")
    expect(page.locator("#sheet")).to_have_attribute("lang", "zh-Hant")
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "true")
    choose(page, "n", "4")
    write(page)
    page.locator("#cards button").nth(1).click()
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "false")
    page.locator("#shelf").click()
    expect(page.locator(ITEMS)).to_have_count(3)
    expect(page.locator(f"{ITEMS} [aria-pressed=true]")).to_have_count(1)


FILL = """async () => {
    const database = await new Promise((done) => {
        const request = indexedDB.open("yin", 1);
        request.onsuccess = () => done(request.result);
    });
    const changes = database.transaction("poems", "readwrite");
    const store = changes.objectStore("poems");
    const all = store.getAll();
    await new Promise((done) => { all.onsuccess = done; });
    for (let i = 0; i < 2000; i += 1) {
        store.put({ ...all.result[0], id: `#${i}`, at: i, title: `旧${i}`, favourite: i < 2 });
    }
    await new Promise((done) => { changes.oncomplete = done; });
}"""


def test_where_there_are_too_many_the_oldest_without_a_star_go(open_page: OpenPage) -> None:
    page = open_page()
    poems(page, "登楼")
    page.evaluate(FILL)
    poems(page, "夜泊")
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "false")
    page.locator("#shelf").click()
    expect(page.locator("#album-count")).to_have_text("1902 首")
    expect(page.locator(ITEMS)).to_have_count(300)
    for title, count in (("旧0", 1), ("旧1", 300), ("旧2", 100), ("夜泊", 1), ("登楼", 1)):
        page.locator("#album-search").fill(title)
        expect(page.locator(ITEMS)).to_have_count(count)


def test_a_browser_that_keeps_nothing_still_writes(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("() => void (IDBFactory.prototype.open = () => { throw Error(); })")
    poem = write(page)
    page.locator("#shelf").click()
    expect(page.locator("#status.bad")).to_have_text("这个浏览器不让存诗")
    expect(page.locator("#album")).to_be_hidden()
    page.locator("#star").click()
    expect(page.locator("#status.bad")).to_have_text("这个浏览器不让存诗")
    assert written(page) == poem
