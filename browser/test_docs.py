"""The API's page: every example runs where it stands."""

import re
import subprocess

import pytest
from conftest import Service
from playwright.sync_api import expect
from steps import OpenPage, require_accessible, shoot


@pytest.mark.parametrize("width", [390, 1440])
def test_every_example_of_the_api_page_runs_where_it_stands(
    open_page: OpenPage, service: Service, width: int
) -> None:
    asked: list[str] = []
    page = open_page("docs", width=width)
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    sections = page.locator("section")
    paths = page.request.get(f"{service.url}openapi.json").json()["paths"]
    expect(sections).to_have_count(sum(map(len, paths.values())))
    expect(sections.first).to_contain_text("integer, 0 to 2^63 - 1")  # beyond a float's integers
    for section in sections.all():
        for number in range(max(1, section.get_by_text(re.compile("^Example")).count())):
            if section.get_by_text("Example").count():
                section.get_by_text("Example").nth(number).click()
            section.get_by_text("Send", exact=True).click()
            expect(section.locator("output")).to_have_text(re.compile(r"^200, \d+ ms$"))
            expect(section.locator("pre").first).not_to_be_empty()
    assert all(url.startswith(service.url) for url in asked)
    shoot(page, f"docs-{width}", full_page=True)
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_every_command_of_the_api_page_runs_in_a_shell(open_page: OpenPage) -> None:
    page = open_page("docs")
    expect(page.locator("section").nth(8)).to_be_visible()
    for section in page.locator("section").all():
        for example in section.get_by_text(re.compile("^Example")).all() or [None]:
            if example:
                example.click()
            command = section.locator("pre").last.inner_text()
            run = subprocess.run(
                ["bash", "-c", command], capture_output=True, text=True, check=True
            )
            assert re.match(r'\[?{"(?!detail)|event: |# HELP', run.stdout.lstrip()), run.stdout
