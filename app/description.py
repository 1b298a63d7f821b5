"""The description of the API (openapi.json), beyond what the routes say of themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

TAGS = [
    {"name": "poems", "description": "Write poems, and revise them."},
    {"name": "prosody", "description": "Judge poems; look up forms, tunes and rhymes."},
    {"name": "service", "description": "The model that is served, and how the service fares."},
]
KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "Where the service asks for API keys (YIN_API_KEYS): Authorization: Bearer KEY.",
}
OPEN = ("/health/live", "/health/ready", "/metrics")  # that never ask for a key
REFUSED = {
    "HTTPValidationError": {"detail": "What is wrong, an entry for each."},
    "ValidationError": {
        "loc": "Where: body and the field's name.",
        "msg": "What would be right, in a sentence.",
        "type": "The kind of error.",
        "input": "What was sent; always absent.",
        "ctx": "More about the kind; always absent.",
    },
}
EXAMPLES = Path(__file__).parent / "examples.json"


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the description of an application: with examples, tags and the key."""
    if app.openapi_schema is None:
        description = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=app.servers or None,
            tags=TAGS,
        )
        _add_examples(description)
        schemas = description["components"]["schemas"]
        for name, fields in REFUSED.items():
            for field, text in fields.items():
                if field in schemas[name]["properties"]:
                    schemas[name]["properties"][field]["description"] = text
        used = {*_used(description["paths"], schemas)}
        description["components"]["schemas"] = {n: s for n, s in schemas.items() if n in used}
        description["components"]["securitySchemes"] = {"key": KEY}
        description["security"] = [{}, {"key": []}]  # none, unless the service asks for one
        for path in OPEN:
            description["paths"][path]["get"]["security"] = []
        app.openapi_schema = description
    return app.openapi_schema


def _add_examples(description: dict[str, Any]) -> None:
    """Give the answers of some paths an example each."""
    for path, example in json.loads(EXAMPLES.read_text(encoding="utf-8")).items():
        for operation in description["paths"][path].values():
            (content,) = operation["responses"]["200"]["content"].values()
            content["example"] = example


def _used(part: Any, schemas: dict[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the names of the schemas that a part refers to, and those that these do."""
    if isinstance(part, dict):
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            yield name
            yield from _used(schemas[name], schemas, seen | {name})
        for each in part.values():
            yield from _used(each, schemas, seen)
    elif isinstance(part, list):
        for each in part:
            yield from _used(each, schemas, seen)
