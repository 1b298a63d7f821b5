"""Packaged tables: a head in JSON and a payload of bytes, behind their kind and a checksum."""

import hashlib
import json
from typing import Any


class TableError(ValueError):
    """Bytes that are no table of the kind expected; the message says why."""


def pack(kind: str, head: dict[str, Any], payload: bytes) -> bytes:
    """Return what unpack() reads."""
    content = json.dumps(head, ensure_ascii=False).encode() + b"\n" + payload
    return _first_line(kind, content) + content


def unpack(kind: str, data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the head and the payload of a table.

    Raises:
        TableError: If it is of another kind, or damaged.
    """
    first, _, content = data.partition(b"\n")
    if not first.startswith(kind.encode() + b" "):
        raise TableError(f"expected a table that begins with {kind!r}")
    if first + b"\n" != _first_line(kind, content):
        raise TableError("the table is damaged: its content does not match its checksum")
    line, _, payload = content.partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    return head, payload


def _first_line(kind: str, content: bytes) -> bytes:
    return f"{kind} {hashlib.sha256(content).hexdigest()}\n".encode()
