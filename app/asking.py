"""Who answers a command: a running service, or this process.

What is imported in functions takes long: --help need not wait for it.
"""

from __future__ import annotations

import gc
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from app.exits import (
    UNREACHABLE,
    WRONG,
    code_of_refusal,
    describe_fields,
    describe_unacceptable,
    exit_on,
    loading,
)

if TYPE_CHECKING:
    import httpx

    from app.answers import GenerateResponse
    from app.client import Client
    from app.revision import ReviseResponse
    from app.rhyming import RhymesOut
    from app.schemas import GenerateRequest
    from app.service import Service

Answer = TypeVar("Answer")

AN_ADDRESS = "it should look like http://127.0.0.1:8000"
SLOTS_TO_REVISE = 128  # what is tried for one spot, twice for guidance


def write(fields: dict[str, Any]) -> GenerateResponse:
    """Return poems that this process writes, with the checkpoint that the settings name.

    Raises:
        typer.Exit: If there are none, after a message.
    """
    with answering():
        from app.schemas import GenerateRequest

        request = GenerateRequest.model_validate_json(json.dumps(fields))
        return _load_for(request).write(request)


def write_live(fields: dict[str, Any], url: str | None, key: str | None) -> GenerateResponse:
    """Print a poem while it is written, by a running service or, without url, by this process.

    Raises:
        typer.Exit: If there is none, after a message.
    """
    with answering():
        from app.live import show_live
        from app.schemas import GenerateRequest

        request = GenerateRequest.model_validate_json(json.dumps(fields))
        if url is not None:
            return ask(url, key, lambda client: show_live(request, client.stream(**fields)))
        from app.stream import written

        return show_live(request, written(request, _load_for(request)))


def _load_for(request: GenerateRequest) -> Service:
    """Return a service with as many slots as the poems of a request take."""
    from app.settings import Settings

    with loading():
        candidates = request.ways(Settings().candidates)
    return load(2 * request.n * candidates)  # twice, for guidance has a row of its own


def look_up(name: str, script: str) -> RhymesOut:
    """Return how a character rhymes, or what rhymes in a group, by this process.

    Raises:
        typer.Exit: If there is no such rhyme, after a message.
    """
    with answering():
        from model.verse.rhyme_name import UnknownRhyme
        from model.verse.script import Script

        with exit_on(UnknownRhyme, code=WRONG):
            return load(1).look_up(name, Script(script))


def revise(fields: dict[str, Any]) -> ReviseResponse:
    """Return what this process suggests.

    Raises:
        typer.Exit: If there is nothing, after a message.
    """
    with answering():
        from app.revision import ReviseRequest

        request = ReviseRequest.model_validate_json(json.dumps(fields))
        service = load(SLOTS_TO_REVISE)
        return service.editor.write(request, service.poet.engine)


@contextmanager
def answering() -> Iterator[None]:
    """End with a message where a request cannot be met.

    Raises:
        typer.Exit: If it cannot.
    """
    gc.disable()  # nearly all that loading makes is kept: to look for garbage in it takes 0.2 s
    try:
        from pydantic import ValidationError

        from app.errors import UnacceptableRequest

        with (
            exit_on(ValidationError, code=WRONG, describe=describe_fields),
            exit_on(UnacceptableRequest, code=WRONG, describe=describe_unacceptable),
        ):
            yield
    finally:
        gc.enable()


def load(num_slots: int) -> Service:
    """Return a service with as many slots as one request can use.

    Raises:
        typer.Exit: If there is none, after a message.
    """
    from app.service import Service
    from app.settings import Settings

    with loading():
        settings = Settings().model_copy(update={"num_slots": num_slots})
        if "YIN_THREADS" not in os.environ:
            # A small batch is done no sooner by two, and later where others compute too.
            settings = settings.model_copy(update={"threads": 1})
        return Service.load(settings, measured=False)


def ask(url: str, key: str | None, what: Callable[[Client], Answer]) -> Answer:
    """Return what a running service answers.

    Args:
        url: Where it is; without a scheme, by HTTP.
        key: API key, if it asks for one.
        what: Asks.

    Raises:
        typer.Exit: If there is no answer, after a message.
    """
    import httpx

    from app.client import Client, Refused, proxy_for

    def unreachable(error: Exception) -> str:
        proxy = proxy_for(url)
        through = f" through the proxy {proxy}" if proxy else ""
        hint = f"; {AN_ADDRESS}" if _is_unknown_host(error) else ""
        return f"no service answers at {url}{through}: {error}{hint}"

    url = str(address_of(url))
    with (
        exit_on(Refused, code=code_of_refusal),
        # The environment's proxies, where httpx cannot use them, are none of its own errors.
        exit_on(
            httpx.HTTPError,
            httpx.InvalidURL,
            ImportError,
            ValueError,
            code=UNREACHABLE,
            describe=unreachable,
        ),
        Client(url, key=key) as client,
    ):
        return what(client)


def _is_unknown_host(error: BaseException | None) -> bool:
    """Return whether an error comes of a name that no machine has."""
    while error is not None and not isinstance(error, socket.gaierror):
        error = error.__cause__ or error.__context__
    return error is not None


def address_of(url: str) -> httpx.URL:
    """Return where a service is; without a scheme, by HTTP.

    Raises:
        typer.Exit: If it is no address, after a message.
    """
    import httpx

    def invalid(_error: Exception) -> str:
        return f"url: '{url}' is not an address; {AN_ADDRESS}"

    with exit_on(httpx.InvalidURL, ValueError, code=WRONG, describe=invalid):
        address = httpx.URL(url if "://" in url else f"http://{url}")
        if address.scheme not in ("http", "https") or not address.host:
            raise ValueError(url)
        return address
