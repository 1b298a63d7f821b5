"""What the browser tests do with the page: fill it in, wait for the poem, look at it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import HERE, SHOTS
from playwright.sync_api import Page, Route, expect

OpenPage = Callable[..., Page]
AXE = HERE / "tools" / "node_modules" / "axe-core" / "axe.min.js"


def write(page: Page, **fields: str) -> str:
    """Write a poem with fields filled in, and return it."""
    for name, text in fields.items():
        page.locator(f"#{name}").fill(text)
    page.locator("#write").click(no_wait_after=True)
    return written(page)


def written(page: Page) -> str:
    """Wait for the poem and return it, a line a line."""
    expect(page.locator("#sheet.sealed")).to_be_visible()
    expect(page.locator("#copy")).to_be_enabled()
    return "\n".join(page.locator("#sheet .line").all_inner_texts())


def never(_route: Route) -> None:
    """Leave a request without an answer."""


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"input[name={name}][value='{value}']").check()


def shoot(page: Page, name: str, **options: Any) -> Path:
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path, **options)
    return path


def require_accessible(page: Page) -> None:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(({violations}) => violations)")
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
