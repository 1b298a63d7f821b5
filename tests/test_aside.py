import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from app.aside import Aside
from app.metrics import Metrics


class Blocked:
    """An Aside whose thread waits, and the calls that it makes when it does not."""

    def __init__(self) -> None:
        self.aside, self.gate = Aside(Metrics()), threading.Event()
        self.made = list[str]()

    def ask(self, caller: str, name: str) -> Coroutine[Any, Any, None]:
        return self.aside.call(caller, self.made.append, name)


async def waiting(*calls: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    """Let calls wait, in this order."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)
    return tasks


def test_callers_take_turns_whatever_each_has_asked_for_before() -> None:
    async def scenario() -> list[str]:
        blocked = Blocked()
        tasks = await waiting(blocked.aside.call("a", blocked.gate.wait, 20))
        tasks += await waiting(*(blocked.ask("a", f"a{number}") for number in range(100)))
        tasks += await waiting(blocked.ask("b", "b0"), blocked.ask("b", "b1"))
        tasks += await waiting(blocked.ask("c", "c0"))
        blocked.gate.set()
        await asyncio.gather(*tasks)
        return blocked.made

    made = asyncio.run(scenario())
    assert made[:7] == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]
    assert len(made) == 103


def test_what_nobody_awaits_any_more_is_not_called() -> None:
    async def scenario() -> list[str]:
        blocked = Blocked()
        first = await waiting(blocked.aside.call("a", blocked.gate.wait, 20))
        left, stays = await waiting(blocked.ask("a", "left"), blocked.ask("b", "stays"))
        left.cancel()
        await asyncio.wait([left])
        blocked.gate.set()
        await asyncio.gather(*first, stays)
        return blocked.made

    assert asyncio.run(scenario()) == ["stays"]


def test_an_error_is_the_caller_s_and_the_thread_goes_on() -> None:
    async def scenario() -> Any:
        aside = Aside(Metrics())
        with pytest.raises(ValueError, match="invalid literal"):
            await aside.call("a", int, "x")
        return await aside.call("a", int, "7")

    assert asyncio.run(scenario()) == 7
