"""The page without its service: it opens with one's poems, and is never an old one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import Request, urlopen

import pytest
from conftest import HERE, Service, running
from playwright.sync_api import Page, expect
from steps import OpenPage, write, written

PAGE = HERE.parent / "app" / "page"
COPIED = ("Content-Type", "Cache-Control", "Content-Security-Policy", "ETag")


@contextmanager
def under(path: str, service: Service) -> Iterator[str]:
    """Serve a service under a path, as a proxy does; yield the page's address."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.pass_on(None)

        def do_POST(self) -> None:
            self.pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def pass_on(self, body: bytes | None) -> None:
            if not self.path.startswith(path):
                self.send_error(404)
                return
            target = service.url + self.path.removeprefix(path)
            kind = {"Content-Type": self.headers.get("Content-Type") or "text/plain"}
            with urlopen(Request(target, body, kind)) as answer:
                data = answer.read()
                self.send_response(answer.status)
                for name in COPIED:
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    Thread(target=proxy.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{proxy.server_port}{path}"
    proxy.shutdown()
    proxy.server_close()


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
        for _ in range(300):
            if before[0] not in is_kept(page):
                break
            page.wait_for_timeout(100)
        (after,) = is_kept(page)
        assert after != before[0]
        new.kill()
    page.goto(new.url)
    expect(page.locator(".tagline")).to_have_text("新的一页")


@pytest.mark.noisy
def test_a_page_under_a_path_keeps_to_it(open_page: OpenPage, service: Service) -> None:
    with under("/poems/", service) as address:
        page = open_page(address, service_workers="allow")
        page.evaluate("caches.open('yin http://elsewhere/ 1').then(() => 0)")
        (kept,) = [name for name in is_kept(page) if "/poems/" in name]
        assert page.evaluate("navigator.serviceWorker.ready.then(({ scope }) => scope)") == address
        page.reload()  # from now on the worker stands between
        poem = write(page)
    page.goto(address)
    page.locator("#shelf").click()
    page.locator("#album-list button").first.click()
    assert written(page) == poem
    assert {kept, "yin http://elsewhere/ 1"} == set(page.evaluate("caches.keys()"))


@pytest.mark.noisy
def test_a_key_is_shown_to_the_service_alone_and_nothing_of_the_api_is_kept(
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
