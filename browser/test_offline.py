"""The page without its service: it opens with one's poems, and is never an old one."""

import shutil
from pathlib import Path

import pytest
from conftest import HERE, running
from playwright.sync_api import Page, expect
from steps import OpenPage, write, written

PAGE = HERE.parent / "app" / "page"
KEPT = "navigator.serviceWorker.ready.then(() => caches.keys())"


def is_kept(page: Page) -> list[str]:
    """Wait until the worker keeps the page; return the names of what it keeps."""
    names: list[str] = page.evaluate(KEPT)
    return names


@pytest.mark.noisy  # the browser itself reports what cannot be reached
def test_the_page_opens_without_its_service_and_has_its_rooms_and_poems(
    open_page: OpenPage,
) -> None:
    with running() as mortal:
        page = open_page(mortal.url, service_workers="allow")
        poem = write(page, start="江")
        assert len(is_kept(page)) == 1
        mortal.kill()
    page.goto(mortal.url)
    page.locator("#shelf").click()
    page.locator("#album-list button").first.click()
    assert written(page) == poem
    page.locator("#marks").click()
    expect(page.locator("#proof")).to_contain_text("句句合律")
    page.locator("#revise").click()
    expect(page.locator("#desk-text")).to_be_visible()
    page.locator("#desk-close").click()
    page.locator("#write").click()
    expect(page.locator("#status.bad")).to_contain_text("连不上服务器")
    assert written(page) == poem


@pytest.mark.noisy
def test_after_an_update_the_next_visit_has_the_new_page_and_the_old_one_is_gone(
    open_page: OpenPage, tmp_path: Path
) -> None:
    folder = tmp_path / "page"
    shutil.copytree(PAGE, folder)
    with running(page=folder) as old:
        page = open_page(old.url, service_workers="allow")
        before = is_kept(page)
        old.kill()
    words = (folder / "zh.js").read_text()
    (folder / "zh.js").write_text(words.replace("给一个字，得一首诗", "新的一页"))
    with running(page=folder, port=old.port) as new:
        page.goto(new.url)
        expect(page.locator(".tagline")).to_have_text("新的一页")  # at once, not at the visit after
        while before[0] in is_kept(page):
            page.wait_for_timeout(100)
        assert len(is_kept(page)) == 1
        new.kill()
    page.goto(new.url)
    expect(page.locator(".tagline")).to_have_text("新的一页")


@pytest.mark.noisy
def test_a_page_under_a_path_keeps_to_it_and_shows_its_key_to_the_service_alone(
    open_page: OpenPage, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("a-key")
    with running(api_keys=str(keys)) as guarded:
        page = open_page(guarded.url, service_workers="allow")
        is_kept(page)
        page.reload()  # from now on the worker stands between
        page.locator("#write").click()
        page.locator("#key").fill("a-key")
        page.keyboard.press("Enter")
        assert written(page)
        kept = page.evaluate("""async () => {
            const cache = await caches.open((await caches.keys())[0]);
            return (await cache.keys()).map(({ url }) => new URL(url).pathname);
        }""")
        assert "/index.html" in kept
        assert not {"/model", "/generate/stream", "/forms"} & set(kept)
