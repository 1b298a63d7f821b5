"""Who answers the tools of a language model on this machine: a running service, or this process."""

import asyncio

import httpx

from app.asking import SLOTS_TO_REVISE, address_of, load
from app.client import is_loopback
from app.exits import REFUSED, exit_on, loading
from app.settings import InvalidSetting, require_mcp

TIMEOUT_S = 60.0  # without an answer


def serve_tools(url: str | None, key: str | None) -> None:
    """Serve tools over standard input and output until the input ends.

    Args:
        url: A running service; None for one in this process.
        key: API key, if it asks for one.

    Raises:
        typer.Exit: If that is impossible, after a message.
    """
    with exit_on(InvalidSetting, code=REFUSED):
        require_mcp()
    asyncio.run(_here() if url is None else _there(address_of(url), key))


async def _there(address: httpx.URL, key: str | None) -> None:
    from app.tool_server import serve_stdio

    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=address,
        headers=headers,
        timeout=TIMEOUT_S,
        trust_env=not is_loopback(address.host),  # no proxy leads to this machine
    ) as client:
        await serve_stdio(client)


async def _here() -> None:
    from app.log import configure_log
    from app.main import local_api
    from app.tool_server import serve_stdio

    service = load(SLOTS_TO_REVISE)
    configure_log("warning")  # on standard error
    with loading():
        api = local_api(service.metrics, service)
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=transport, base_url="http://yin") as client,
    ):
        await serve_stdio(client)
