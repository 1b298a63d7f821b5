"""openapi.json: every field of an answer described, examples that are answers, tags, the key."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from app.answers import CheckedOut, GenerateResponse
from app.description import EXAMPLES
from app.main import create_app
from app.revision import ReviseResponse
from app.rhyming import RhymesOut
from app.settings import Settings
from model.verse.proof import check

ANSWERS: dict[str, type[BaseModel]] = {
    "/generate": GenerateResponse,
    "/check": CheckedOut,
    "/revise": ReviseResponse,
    "/rhymes/{name}": RhymesOut,
}


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_every_field_is_described(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    assert {"PoemOut", "MeterOut", "ReviseResponse", "FormCard", "ValidationError"} <= {*schemas}
    silent = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, shape in schema.get("properties", {}).items()
        if not shape.get("description", "").strip()
    }
    assert not silent


def test_no_schema_stands_there_unused(description: dict[str, Any]) -> None:
    text = json.dumps(description)
    for name in description["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text
    assert "TuneVariant" not in text


def test_examples_are_answers(description: dict[str, Any]) -> None:
    found = {
        path: example
        for path, operation in operations(description)
        for content in operation["responses"]["200"].get("content", {}).values()
        if (example := content.get("example"))
    }
    assert found == json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for path, kind in ANSWERS.items():
        answer = kind.model_validate(found[path])
        assert answer.model_dump(mode="json", exclude_unset=True) == found[path]
    poem = found["/generate"]["poems"][0]
    assert check(poem["text"]).regulated
    assert found["/revise"]["lines"] == found["/check"]["lines"]


def test_the_example_of_a_stream_begins_as_the_poem_does() -> None:
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    first, *_, last = examples["/generate/stream"].split("\n\n")
    name, data = first.split("\n")
    assert name == "event: character"
    event = json.loads(data.removeprefix("data: "))
    assert event == {"poem": 0, "line": 0, "text": examples["/generate"]["poems"][0]["text"][0]}
    assert last.startswith("event: poem\ndata: {")


def test_tags_and_the_key_are_described(description: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in description["tags"] if tag["description"]}
    assert {tag for _, operation in operations(description) for tag in operation["tags"]} == tags
    assert description["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert description["security"] == [{}, {"key": []}]
    free = {path for path, operation in operations(description) if operation.get("security") == []}
    assert free == {"/health/live", "/health/ready", "/metrics"}


def test_it_is_what_is_served(client: httpx.Client, description: dict[str, Any]) -> None:
    assert client.get("/openapi.json").json() == description
