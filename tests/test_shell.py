"""The shell: which files are kept, and a version that changes with any of them."""

import asyncio
import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import httpx

from app.main import PAGE, create_app
from app.service import Service
from app.settings import Settings
from app.shell import Shell
from model.checkpoint import Checkpoint
from model.verse.proof import Genre


def fetch(service: Service, *paths: str) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(service=service))
        async with httpx.AsyncClient(transport=transport, base_url="http://yin") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(ask())


def test_the_worker_keeps_every_file_of_the_page_as_it_is_sent(
    tiny_checkpoint: Checkpoint,
) -> None:
    service = Service(Settings(), tiny_checkpoint)
    (answer,) = fetch(service, "/worker.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    found = re.match(r'const VERSION = "(\w+)", FILES = (\{.+?\});\n', answer.text)
    assert found
    files: dict[str, str] = json.loads(found[2])
    assert files.keys() == {path.name for path in PAGE.iterdir() if path.is_file()} - {
        *("worker.js", "docs.html", "docs.js", "docs.css")
    }
    paths = ["/" if name == "index.html" else f"/{name}" for name in files]
    for sent, digest in zip(fetch(service, *paths), files.values(), strict=True):
        assert sha256(sent.content).hexdigest() == digest


def test_a_change_of_any_file_or_of_the_worker_is_another_version(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    shutil.copytree(PAGE, folder)
    versions = {Shell.read(folder).version}
    assert Shell.read(PAGE).version in versions
    for name in ("zh.js", "worker.js"):
        (folder / name).write_text((folder / name).read_text() + "\n")
        versions.add(Shell.read(folder).version)
    (folder / "more.js").write_text("")
    versions.add(Shell.read(folder).version)
    assert len(versions) == 4


def test_the_worker_can_be_loaded_without_a_key(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("a-key")
    guarded = Service(Settings(api_keys=tmp_path / "keys"), tiny_checkpoint)
    assert [answer.status_code for answer in fetch(guarded, "/worker.js", "/model")] == [200, 401]


def test_the_rules_of_the_check_are_served_as_text_to_whoever_reads_a_proof(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("a-key")
    guarded = Service(Settings(api_keys=tmp_path / "keys"), tiny_checkpoint)
    (rules,) = fetch(guarded, "/docs/check.md")
    assert rules.headers["content-type"] == "text/plain; charset=utf-8"
    assert rules.text.startswith("# What the check decides")
    for genre in Genre:
        assert genre in rules.text
