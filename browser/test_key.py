"""The page of a service that asks for a key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Service, running
from playwright.sync_api import expect
from steps import OpenPage, require_accessible, shoot, written

KEY = "a-key-of-ours"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    path: Path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(KEY)
    with running(api_keys=str(path)) as served:
        yield served


@pytest.mark.noisy  # the browser itself reports a 401
def test_a_key_is_asked_for_and_opens_the_service_for_this_visit(
    open_page: OpenPage, guarded: Service
) -> None:
    page = open_page(guarded.url, width=390, height=844)
    expect(page.locator("#key-form")).to_be_hidden()
    page.locator("#write").click()
    expect(page.locator("#key")).to_be_focused()
    expect(page.locator("#status")).to_have_text("这台服务器要凭钥匙才能写诗")
    require_accessible(page)
    shoot(page, "key")
    page.keyboard.insert_text("钥匙")
    page.keyboard.press("Enter")
    expect(page.locator("#key-hint.bad")).to_contain_text("只能是英文")
    page.locator("#key").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("打不开")
    page.locator("#key").fill(KEY)
    page.keyboard.press("Enter")
    assert written(page)
    expect(page.locator("#key-form")).to_be_hidden()
    assert KEY not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    page.goto(f"{guarded.url}?again")
    page.locator("#write").click()
    expect(page.locator("#key")).to_be_focused()


@pytest.mark.noisy
def test_a_key_is_kept_in_this_browser_on_wish_until_it_is_forgotten(
    open_page: OpenPage, guarded: Service
) -> None:
    page = open_page(guarded.url)
    page.locator("#write").click()
    page.locator("#key").fill(KEY)
    page.locator("#key-keep").check()
    page.locator("#key-form button").click()
    written(page)
    page.goto(f"{guarded.url}docs")
    expect(page.locator("section")).not_to_have_count(0)
    command = page.locator("section pre").last.inner_text()
    assert "Bearer $YIN_KEY" in command
    assert KEY not in page.content()
    page.goto(f"{guarded.url}?again")
    page.locator("#author").focus()
    expect(page.locator("#authors option").first).to_be_attached()
    page.locator("#write").click()
    written(page)
    page.locator("#forget").click()
    expect(page.locator("#forget")).to_be_hidden()
    assert KEY not in page.evaluate("JSON.stringify({...localStorage})")
    page.locator("#another").click()
    expect(page.locator("#key")).to_be_focused()
