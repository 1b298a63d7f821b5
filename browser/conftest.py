"""What the browser tests share: a service, a browser, and a page in the language asked for."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

HERE = Path(__file__).parent
SHOTS = HERE / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_S = 120.0
BLOCKED = "Service Worker registration blocked by Playwright"

WITH_PAGE = """
import sys
from pathlib import Path
import app.main
app.main.PAGE = Path(sys.argv.pop(1))
from app.cli import main
main()
"""


class Service:
    """A service of its own, on a free port."""

    def __init__(self, *, port: int = 0, page: Path | None = None, **settings: str) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            port = probe.getsockname()[1]
        self.port, self.url = port, f"http://127.0.0.1:{port}/"
        settings = {f"YIN_{name.upper()}": value for name, value in settings.items()}
        python = str(Path(os.environ["YIN"]).parent / "python")
        self._process = subprocess.Popen(
            [python, "-c", WITH_PAGE, page, "serve"] if page else [os.environ["YIN"], "serve"],
            env=os.environ | {"YIN_PORT": str(port), "YIN_LOG_LEVEL": "warning"} | settings,
            stdout=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Wait until it takes requests."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError("the service ended while it started; see above")
            try:
                urllib.request.urlopen(f"{self.url}health/ready", timeout=2).close()
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise TimeoutError(f"the service was not ready within {PATIENCE_S:g} s")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running(**settings: Any) -> Iterator[Service]:
    """Run a service; port and page are its own if they are not given."""
    service = Service(**settings)
    try:
        service.wait()
        yield service
    finally:
        service.kill()


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with running() as served:
        yield served


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    # Chromium's sandbox needs a user that is not root.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield chromium
    chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser wrote to its console, and errors nobody caught."""
    return []


@pytest.fixture(autouse=True)
def _silent_console(request: pytest.FixtureRequest, complaints: list[str]) -> Iterator[None]:
    yield
    if "noisy" not in request.keywords:
        assert [complaint for complaint in complaints if complaint != BLOCKED] == []


@pytest.fixture
def open_page(
    browser: Browser, service: Service, complaints: list[str]
) -> Iterator[Callable[..., Page]]:
    """Open the page; only a test that is marked noisy may leave anything on its console."""
    contexts = []

    def open_it(path: str = "", *, width: int = 1440, height: int = 900, **options: Any) -> Page:
        size = {"width": width, "height": height}
        # Requests that a worker answers cannot be routed: it has tests of its own.
        defaults = {"locale": "zh-CN", "reduced_motion": "reduce", "service_workers": "block"}
        context = browser.new_context(viewport=size, **(defaults | options))
        contexts.append(context)
        context.set_default_timeout(30_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path if path.startswith(("http", "about:")) else service.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()


def pytest_sessionstart() -> None:
    expect.set_options(
        timeout=30_000
    )  # a busy machine writes a long poem in more than five seconds
    SHOTS.mkdir(exist_ok=True)
    if "YIN" not in os.environ:
        sys.exit("run browser/run, which says where the service is")
