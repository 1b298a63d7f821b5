"""The picture of a poem: its size, its paper, what stands at its foot."""

import base64
import re
import struct

import pytest
from conftest import SHOTS
from playwright.sync_api import Page, expect
from steps import OpenPage, choose, require_accessible, shoot, write

PAPER = {"light": [246, 240, 226], "dark": [30, 27, 24]}
WRITTEN = """() => {
    window.set = [];
    const fill = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        set.push(text);
        fill.call(this, text, ...rest);
    };
}"""


def save(page: Page, name: str) -> bytes:
    """Save the picture and return it."""
    if not page.locator("#imprint").is_visible():
        page.locator("#picture").click()
    with page.expect_download() as download:
        page.locator("#save").click()
    path = SHOTS / f"{name}.png"
    download.value.save_as(path)
    expect(page.locator("#status")).to_have_text("图片已存")
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    return data


def size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.parametrize(
    ("form", "columns", "tiers"), [("jueju-7", 6, 1), ("lushi-5", 10, 1), ("gushi-7", 15, 2)]
)
def test_the_picture_is_a_png_as_large_as_its_poem(
    open_page: OpenPage, form: str, columns: int, tiers: int
) -> None:
    page = open_page()
    choose(page, "form", form)
    if tiers > 1:
        page.locator("#lines").select_option("28")
    write(page, title="夜泊")
    width, height = size(save(page, f"picture-{form}"))
    assert columns * 132 < width < (columns + 2) * 132
    assert tiers * 6 * 84 < height < tiers * 8 * 84 + 400


def test_the_picture_is_named_after_its_poem(open_page: OpenPage) -> None:
    page = open_page()
    write(page, title="夜泊")
    page.locator("#picture").click()
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "夜泊.png"


@pytest.mark.parametrize(
    ("shape", "tone", "ratio"), [("square", "light", 1.0), ("tall", "dark", 9 / 16)]
)
def test_the_picture_comes_in_the_shape_and_on_the_paper_asked_for(
    open_page: OpenPage, shape: str, tone: str, ratio: float
) -> None:
    page = open_page()
    write(page, title="春夜宴从弟桃李园序春夜宴从弟桃李园记春夜")
    page.locator("#picture").click()
    choose(page, "shape", shape)
    choose(page, "tone", tone)
    data = save(page, f"picture-{shape}-{tone}")
    width, height = size(data)
    assert width / height == pytest.approx(ratio, abs=0.002)
    corner = page.evaluate(
        """async (data) => {
            const bytes = Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0));
            const bitmap = await createImageBitmap(new Blob([bytes]));
            const pen = new OffscreenCanvas(9, 9).getContext("2d");
            pen.drawImage(bitmap, 0, 0);
            return [...pen.getImageData(4, 4, 1, 1).data].slice(0, 3);
        }""",
        base64.b64encode(data).decode(),
    )
    assert corner == PAPER[tone]


def test_the_picture_is_signed_and_dated_on_wish_and_remembers_it(open_page: OpenPage) -> None:
    page = open_page(width=390, height=844)
    write(page)
    page.evaluate(WRITTEN)
    save(page, "picture-seed")
    assert re.fullmatch(r"吟 · 种子 \d+", page.evaluate("set.at(-1)"))
    page.locator("#signature").fill("听雨")
    page.locator("input[name=dated]").check()
    require_accessible(page)
    shoot(page, "imprint", full_page=True)
    save(page, "picture-signed")
    assert re.fullmatch(r"吟 · 听雨　\d{4}年\d+月\d+日", page.evaluate("set.at(-1)"))
    page.reload()
    page.locator("#picture").click()
    assert page.locator("#signature").input_value() == "听雨"
    expect(page.locator("input[name=dated]")).to_be_checked()
