"""Turns: work of one request on the event loop, which does other things in between."""

import asyncio
from collections.abc import Iterable
from typing import TypeVar

from model.verse.script import standard_forms

Item = TypeVar("Item")


async def in_turns(items: Iterable[Item]) -> list[Item]:
    """Return items as a list; between one and the next, the event loop does other things.

    For items that each take a moment: a thread would take the interpreter from the engine's in the
    same way, and answers would wait in its queue after requests that came later.
    """
    made = []
    for item in items:
        made.append(item)
        await asyncio.sleep(0)
    return made


def is_plain(given: str) -> bool:
    """Return whether given characters take neither the model to read nor a search to place."""
    return len(given) == 1 and len(standard_forms(given)) == 1
