"""The MCP server: the tools of app/toolbox.py over stdio, or over HTTP beside the API.

Source: the specification of the Model Context Protocol, by its official SDK for Python.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import httpx
import mcp_types as types
from fastapi import FastAPI
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from app.caller import CALLER, caller_of
from app.client import described, is_loopback
from app.errors import describe_detail, language_of
from app.language import Language
from app.rate import RATE
from app.saying import sayings
from app.settings import Settings
from app.toolbox import TOOLS, Asked, Tool

Ask = Callable[[Asked, Request | None], Awaitable[httpx.Response]]

INSTRUCTIONS = (
    "Writes, checks and revises classical Chinese verse. Show a poem as it stands, with its line "
    "breaks; seed and form bring it back. Before presenting verse of your own as regulated, "
    "check_poem it; where it has faults, revise the places that the answer names."
)
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def tool_server(ask: Ask) -> Server[Any]:
    """Return a server of the tools.

    Args:
        ask: Sends a request to the API; of the HTTP request that it comes by, if it does.
    """

    async def list_tools(
        _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(*each) for each in TOOLS.items()])

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        request = context.request if isinstance(context.request, Request) else None
        tool = TOOLS.get(params.name)
        if tool is None:
            return _refused(f"no tool is called {params.name!r}; the tools are {', '.join(TOOLS)}")
        try:
            response = await ask(tool.ask(params.arguments or {}), request)
        except ValidationError as error:
            language = Language.ENGLISH if request is None else language_of(request)
            said = sayings(error.errors(), language, tool.takes.model_fields)
            return _refused(describe_detail([{**e, "loc": ("body", *e["loc"])} for e in said]))
        except httpx.HTTPError as error:
            return _refused(f"no service answers: {error}")
        if not response.is_success:
            return _refused(described(response))
        answer = tool.read(response.json())
        text = types.TextContent(text=json.dumps(answer, ensure_ascii=False))
        return types.CallToolResult(content=[text], structured_content=answer)

    return Server(
        "yin",
        title="Yin 吟",
        version=version("yin-poetry"),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _described(name: str, tool: Tool) -> types.Tool:
    return types.Tool(
        name=name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.takes.model_json_schema(),
        output_schema=tool.gives.model_json_schema(mode="serialization"),
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )


def _refused(message: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=message)], is_error=True)


async def serve_stdio(client: httpx.AsyncClient) -> None:
    """Serve this process's standard input and output until the input ends.

    Args:
        client: Of the service that answers.
    """
    server = tool_server(lambda asked, _request: answered(client, asked))
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def answered(
    client: httpx.AsyncClient, asked: Asked, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Return what a service answers."""
    body = None if asked.body is None else dict(asked.body)
    return await client.request(
        asked.method, asked.path, params=asked.query, json=body, headers=headers
    )


class ToolEndpoint:
    """Serves the tools over HTTP, without sessions: any replica can answer any request.

    Args:
        api: The routes, without keys and limits: a call has passed them, and counts for its caller.
        settings: Whose pages may call, and on which address.
    """

    def __init__(self, api: FastAPI, settings: Settings) -> None:
        self.api = api
        self._origins = {origin.strip() for origin in settings.cors_origins.split(",")}
        local = is_loopback(settings.host)  # reached from this machine alone, under its names
        hosts = [*LOOPBACK, *(f"{host}:*" for host in LOOPBACK)] if local else []
        self._manager = StreamableHTTPSessionManager(
            tool_server(self._ask),
            json_response=True,
            stateless=True,
            security_settings=TransportSecuritySettings(
                enable_dns_rebinding_protection=local,
                allowed_hosts=hosts,
                allowed_origins=[
                    *self._origins,
                    *(f"http://{host}" for host in hosts),
                ],
            ),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take requests until the end."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless another site's page asks, as the specification wants."""
        headers = Headers(scope=scope)
        origin = headers.get("Origin")
        if origin is None or self._is_own(origin, headers.get("Host", "")):
            await self._manager.handle_request(scope, receive, send)
            return
        detail = f"pages of {origin} may not call this service; YIN_CORS_ORIGINS names those"
        await JSONResponse({"detail": detail}, 403)(scope, receive, send)

    def _is_own(self, origin: str, host: str) -> bool:
        return bool({"*", origin} & self._origins) or urlsplit(origin).netloc == host

    async def _ask(self, asked: Asked, request: Request | None) -> httpx.Response:
        """Return what the API answers, on the account of who calls the tool."""
        outer: Scope = {"type": "http"} if request is None else request.scope

        async def behind(scope: Scope, receive: Receive, send: Send) -> None:
            scope[CALLER] = caller_of(outer)
            if RATE in outer:
                scope[RATE] = outer[RATE]
            await self.api(scope, receive, send)

        spoken = "" if request is None else request.headers.get("Accept-Language", "")
        transport = httpx.ASGITransport(behind, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://yin") as client:
            return await answered(client, asked, {"Accept-Language": spoken})
