"""What goes wrong: it is shown where it belongs, and nothing is lost."""

import re

import pytest
from conftest import Service, running
from playwright.sync_api import Route, expect
from steps import OpenPage, choose, never, write, written


@pytest.mark.noisy  # the browser itself reports a 422
def test_an_error_is_shown_at_its_field_and_goes_when_it_is_mended(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    page.locator("#start").fill("日a")
    page.locator("#write").click(no_wait_after=True)
    expect(page.locator("#start-hint")).to_have_text("只能是汉字，不能有“a”")
    expect(page.locator("#start")).to_be_focused()
    expect(page.locator("#start")).to_have_attribute("aria-invalid", "true")
    page.locator("#start").fill("日")
    expect(page.locator("#start-hint")).to_have_text("一至七字；空着便由它起头")
    expect(page.locator("#start")).not_to_have_attribute("aria-invalid", "true")
    page.locator("summary").click()
    page.locator("#acrostic").fill("春夏秋")
    page.locator("summary").click()
    page.locator("#write").click(no_wait_after=True)
    expect(page.locator("#acrostic")).to_be_focused()
    expect(page.locator("#acrostic-hint")).to_contain_text("2 字")


@pytest.mark.noisy
def test_an_error_of_a_choice_is_shown_there_and_any_other_beside_the_poem(
    open_page: OpenPage,
) -> None:
    page = open_page()
    errors = [{"loc": ["body", field], "msg": f"no such {field}"} for field in ("meter", "seed")]
    page.route(
        "**/generate/stream", lambda route: route.fulfill(status=422, json={"detail": errors})
    )
    page.locator("#write").click(no_wait_after=True)
    expect(page.locator("#meter-hint.bad")).to_have_text("no such meter")
    expect(page.locator("input[name=meter]:checked")).to_be_focused()
    expect(page.locator("#status")).to_contain_text("no such seed")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#meter-hint")).not_to_have_class(re.compile("bad"))


@pytest.mark.noisy
@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"author": "张三丰"}, "author"),
        ({"start": "春风", "acrostic": "日月山河"}, "acrostic"),
        ({"start": "春春春春春春春春"}, "start"),
        ({"title": "题" * 21}, "title"),
        ({"start": "齉"}, "start"),
    ],
)
def test_every_error_of_the_service_is_said_in_both_languages(
    open_page: OpenPage, wishes: dict[str, str], field: str
) -> None:
    said = {}
    for locale in ("zh-CN", "en-GB"):
        page = open_page(locale=locale)
        for name, text in wishes.items():
            page.locator(f"#{name}").fill(text)
        page.locator("#write").click(no_wait_after=True)
        expect(page.locator(f"#{field}-hint.bad")).to_be_visible()
        said[locale] = page.locator(f"#{field}-hint").inner_text()
    assert re.search("[\u4e00-\u9fff]", said["zh-CN"].partition("“")[0])
    assert re.match(r"[\x00-\x7f]+ ", said["en-GB"])


@pytest.mark.noisy
def test_what_is_too_long_to_be_read_is_reported_and_stays(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#title").fill("山" * 20_000)
    page.locator("#write").click(no_wait_after=True)
    expect(page.locator("#status.bad")).to_contain_text("填得太长了")
    expect(page.locator("#retry")).to_be_hidden()
    assert page.locator("#title").input_value() == "山" * 20_000


def test_a_slow_network_only_delays_the_face(open_page: OpenPage, service: Service) -> None:
    page = open_page("about:blank", width=390, height=844)
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 300,
            "downloadThroughput": 50_000,
            "uploadThroughput": 50_000,
        },
    )
    page.goto(service.url, wait_until="commit")
    page.evaluate('localStorage.setItem(\'yin.wishes\', \'{"start": "山", "title": "春"}\')')
    page.locator("#start").fill("江")  # before the script that remembers has come
    expect(page.locator("#write")).to_be_disabled()
    page.locator("#start").press("Enter")
    expect(page.locator("#title")).to_have_value("春")
    assert write(page).startswith("江")
    assert not page.evaluate("document.fonts.check('16px \"Yin Kai\"', '江')")


@pytest.mark.noisy
def test_a_busy_server_is_asked_again_when_it_said(open_page: OpenPage) -> None:
    page, asked = open_page(), []

    def busy(route: Route) -> None:
        asked.append(route.request.post_data_json["seed"])
        if len(asked) == 1:
            route.fulfill(status=503, headers={"Retry-After": "2"}, json={"detail": "full"})
        else:
            route.continue_()

    page.route("**/generate/stream", busy)
    page.locator("#write").click(no_wait_after=True)
    expect(page.locator("#status")).to_contain_text("写诗的人太多")
    expect(page.locator("#retry")).to_be_disabled()
    expect(page.locator("#retry")).to_contain_text("秒后再试")
    assert written(page)
    assert len(asked) == 2
    assert asked[0] == asked[1]


@pytest.mark.noisy
def test_a_server_that_dies_in_mid_poem_leaves_a_live_page(open_page: OpenPage) -> None:
    with running() as mortal:
        page = open_page(mortal.url)
        write(page, start="江")
        mortal.kill()
    page.locator("#another").click()
    expect(page.locator("#status")).to_have_text("连不上服务器；填的内容都还在")
    expect(page.locator("#retry")).to_be_enabled()
    assert page.locator("#start").input_value() == "江"
    first = 'event: character\ndata: {"poem":0,"line":0,"text":"江"}\n\n'
    page.route("**/generate/stream", lambda route: route.fulfill(
        status=200, content_type="text/event-stream", body=first))  # fmt: skip
    page.locator("#retry").click()
    expect(page.locator("#status")).to_contain_text("断了线")
    expect(page.locator("#sheet .zi")).to_have_text(["江"])


def test_a_failure_within_the_stream_is_shown(open_page: OpenPage) -> None:
    page = open_page()
    failure = 'event: failure\ndata: {"status":504,"detail":"not done"}\n\n'
    page.route("**/generate/stream", lambda route: route.fulfill(
        status=200, content_type="text/event-stream", body=f": ping\n\n{failure}"))  # fmt: skip
    page.locator("#write").click(no_wait_after=True)
    expect(page.locator("#status")).to_contain_text("没能及时写完")
    page.unroute("**/generate/stream")
    page.locator("#retry").click()
    assert written(page)


def test_a_slow_server_gets_a_sentence_while_it_is_waited_for(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/generate/stream", never)
    page.locator("#write").click(no_wait_after=True)
    expect(page.locator("#status")).to_contain_text("服务器慢", timeout=8000)
    expect(page.locator("#stop")).to_be_visible()


def test_what_was_typed_is_there_at_the_next_visit(open_page: OpenPage, service: Service) -> None:
    page = open_page(locale="en-GB")
    page.locator("#start").fill("月")
    page.locator("#author").fill("李白")
    choose(page, "form", "gushi-7")
    page.locator("#lines").select_option("16")
    page.locator("#language").click()
    expect(page.locator("#write")).to_have_text("吟")
    page.goto(f"{service.url}?again")
    assert page.locator("#start").input_value() == "月"
    assert page.locator("#author").input_value() == "李白"
    assert page.locator("#lines").input_value() == "16"
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    expect(page.locator("#write")).to_have_text("吟")


@pytest.mark.noisy
def test_a_refusal_leaves_the_poem_that_was_there(open_page: OpenPage) -> None:
    page = open_page()
    poem, link = write(page, start="山"), page.url
    page.locator("#start").fill("日a")
    page.locator("#write").click()
    expect(page.locator("#start-hint.bad")).to_be_visible()
    assert written(page) == poem
    page.locator("#language").click()
    assert page.url == link


@pytest.mark.noisy
def test_a_language_that_does_not_come_leaves_the_page_in_the_other(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/en.js", lambda route: route.abort())
    page.locator("#language").click()
    expect(page.locator("#status.bad")).to_contain_text("连不上服务器")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert write(page)
