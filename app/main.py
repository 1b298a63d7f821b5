"""The application: create_app() puts settings, service, routes and middleware together."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ValidationError
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import desk
from app.description import describe_api
from app.errors import ServiceError, answer_service_error, language_of
from app.metrics import Metrics
from app.middleware import (
    IMMUTABLE,
    TOOL_PATH,
    ApiKeys,
    BodyLimit,
    HeadAsGet,
    Observed,
    PageHeaders,
    RefuseEarly,
)
from app.rate import RateLimit
from app.routes import query_of, router
from app.saying import Saying, sayings
from app.service import Service
from app.settings import Settings
from app.shell import WORKER, Shell

if TYPE_CHECKING:
    from app.tool_server import ToolEndpoint

ROUTERS = (router, desk.router)
PAGE = Path(__file__).parent / "page"
RULES = Path(__file__).parent.parent / "docs" / "check.md"  # of the sources; a package has none
DESCRIPTION = """\
Classical Chinese poems, written by an LSTM of its own: with any start, form, title, author or
acrostic. The tone pattern and rhyme of regulated verse are guaranteed, and proved in the answer.
"""
DIGITS = 40  # of a number that are read, more than any field takes
UNREADABLE = Saying("the body must be JSON in UTF-8", "内容须为 UTF-8 的 JSON")
NOT_JSON = Saying(
    "the body must be JSON: Content-Type: application/json",
    "内容须为 JSON：Content-Type: application/json",
)


def create_app(settings: Settings | None = None, service: Service | None = None) -> FastAPI:
    """Return the application.

    Args:
        settings: The deployment's choices; from the environment if None.
        service: What to serve; loaded as settings say, at start-up, if None.
    """
    chosen = settings or (service.settings if service else Settings())
    metrics = service.metrics if service else Metrics()

    tools = tools_of(chosen, metrics) if chosen.mcp else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = served = service or Service.load(chosen, metrics)
        served.engine.start()
        async with AsyncExitStack() as running:
            if tools is not None:
                tools.api.state.service = served
                await running.enter_async_context(tools.running())
            yield
            await served.engine.drain(chosen.drain_s)

    app = create_api(lifespan, chosen.root_path)
    add_middleware(app, chosen, metrics)
    if tools is not None:
        app.router.routes.append(Route(TOOL_PATH, tools, name="mcp", include_in_schema=False))
    if PAGE.is_dir():
        mount_page(app)
    return app


def create_api(
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]], root_path: str = ""
) -> FastAPI:
    """Return the routes and what answers their errors, without page, keys and limits."""
    app = FastAPI(
        title="Yin 吟",
        version=version("yin-poetry"),
        description=DESCRIPTION,
        lifespan=lifespan,
        servers=[{"url": root_path}] if root_path else None,
        docs_url=None,  # FastAPI's own page loads its script from elsewhere
        redoc_url=None,
    )
    app.openapi = partial(describe_api, app)  # type: ignore[method-assign]
    app.router.redirect_slashes = False  # to the host that the caller names
    for each in ROUTERS:
        app.include_router(each)
    refuse_other_methods(app)
    app.add_exception_handler(ServiceError, answer_service_error)
    app.add_exception_handler(RequestValidationError, answer_validation_error)
    app.add_exception_handler(400, answer_unreadable_body)
    return app


def local_api(metrics: Metrics, service: Service | None = None) -> FastAPI:
    """Return the routes for calls from this process; each is logged and counted."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service.engine.start()
        yield
        await app.state.service.engine.drain(0)

    app = create_api(lifespan)
    app.state.service = service
    app.add_middleware(Observed, metrics=metrics)
    return app


def tools_of(settings: Settings, metrics: Metrics) -> "ToolEndpoint":
    """Return the tools for language models, over HTTP."""
    from app.tool_server import ToolEndpoint  # an extra

    return ToolEndpoint(local_api(metrics), settings)


def mount_page(app: FastAPI) -> None:
    """Serve the page's files."""

    def serve(files: ASGIApp) -> ASGIApp:
        # Files alone are compressed: a stream of characters must not wait for a full buffer.
        return GZipMiddleware(PageHeaders(files))

    docs = serve(FileResponse(PAGE / "docs.html"))
    worker = serve(Response(Shell.read(PAGE).worker, media_type="text/javascript"))
    app.router.routes.append(Route("/docs", docs, methods=["GET"], name="docs"))
    app.router.routes.append(Route(f"/{WORKER}", worker, methods=["GET"], name="worker"))
    if RULES.is_file():
        rules = serve(FileResponse(RULES, media_type="text/plain"))
        app.router.routes.append(Route("/docs/check.md", rules, methods=["GET"], name="rules"))
    font = PageHeaders(PageFiles(directory=PAGE / "font"), IMMUTABLE)
    app.mount("/font", font, name="font")
    app.mount("/", serve(PageFiles(directory=PAGE, html=True)), name="page")


def add_middleware(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """Wrap an application: the last one added is met first."""
    app.add_middleware(RefuseEarly)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    if settings.rate_limit:
        app.add_middleware(RateLimit, limit=settings.rate_limit)
    if settings.api_keys is not None:
        app.add_middleware(ApiKeys, path=settings.api_keys, open_paths=page_paths())
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.strip() for origin in settings.cors_origins.split(",")],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["Retry-After", "X-Request-ID", "X-Yin-Cost"],
        )
    app.add_middleware(Observed, metrics=metrics)
    fetched = [route.path_regex for route in routes_of() if "GET" in (route.methods or ())]
    app.add_middleware(HeadAsGet, paths=fetched)


class PageFiles(StaticFiles):
    """The page's files; what is none of them is not found, whatever the method.

    StaticFiles would send whoever leaves out a slash to the host that they name.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        is_file = scope["path"].endswith("/") or Path(path).suffix
        if scope["method"] not in ("GET", "HEAD") or not is_file:
            raise HTTPException(404)
        return await super().get_response(path, scope)


def routes_of() -> Iterator[Route]:
    """Yield the routes of the API."""
    for each in ROUTERS:
        yield from (route for route in each.routes if isinstance(route, Route))


def page_paths() -> set[str]:
    """Return the paths of the page's files, which anyone may load: the page asks for the key."""
    files = (path for path in PAGE.rglob("*") if path.is_file())
    return {
        "/",
        "/docs",
        "/docs/check.md",
        *(f"/{path.relative_to(PAGE).as_posix()}" for path in files),
    }


class MethodNotAllowed:
    """Answers 405, and says which methods there are."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._headers = {"Allow": ", ".join(sorted(allowed))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        answer = JSONResponse({"detail": "Method Not Allowed"}, 405, self._headers)
        await answer(scope, receive, send)


def refuse_other_methods(app: FastAPI) -> None:
    """Let each path refuse the methods that it lacks; else the page would answer them with 404."""
    allowed: dict[str, set[str]] = defaultdict(set)
    for route in routes_of():
        allowed[route.path] |= route.methods or set()
    for path, methods in allowed.items():
        methods |= {"HEAD"} if "GET" in methods else set()
        app.router.routes.append(Route(path, MethodNotAllowed(methods), include_in_schema=False))


async def answer_unreadable_body(request: Request, _error: Exception) -> JSONResponse:
    """Answer a body that is not even text like one that is not JSON.

    One with a number that is too long for Python to read is told the most that its field takes.
    """
    language, model = language_of(request), model_of(request)
    try:
        fields = json.loads(await request.body(), parse_int=lambda digits: int(digits[:DIGITS]))
        if model is not None:
            model.model_validate(fields)
    except ValidationError as error:
        said = sayings(error.errors(), language, model.model_fields if model else ())
        return JSONResponse(
            {"detail": [{**each, "loc": ("body", *each["loc"])} for each in said]}, 422
        )
    except (ValueError, RecursionError):
        pass
    msg = UNREADABLE.in_language(language)
    return JSONResponse({"detail": [{"type": "json_invalid", "loc": ("body",), "msg": msg}]}, 422)


async def answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    """Answer an invalid request, without repeating its input."""
    if not isinstance(error, RequestValidationError):
        raise error
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and not content_type.endswith("json"):
        return JSONResponse({"detail": NOT_JSON.in_language(language_of(request))}, 415)
    said = sayings(error.errors(), language_of(request), fields_of(request))
    return JSONResponse({"detail": said}, 422)


def fields_of(request: Request) -> list[str]:
    """Return the fields that a request may have: of its body, or of its query."""
    model = model_of(request)
    return query_of(request) if model is None else list(model.model_fields)


def model_of(request: Request) -> type[BaseModel] | None:
    """Return what the body of a request is read as; None where it has none."""
    body = getattr(request.scope.get("route"), "body_field", None)
    model = body and body.field_info.annotation
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None
