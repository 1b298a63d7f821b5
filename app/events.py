"""Server-sent events: what the stream of a poem is made of.

Source: the WHATWG HTML standard, section server-sent events.
"""

import json
from typing import Any

PING = b": ping\n\n"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def encode(event: str, data: Any) -> bytes:
    """Return one event with data as JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event}\ndata: {text}\n\n".encode()
