"""The routes: what is asked for where, and how it is answered; the service does the work."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse

from app.answers import Authors, CheckedOut, GenerateResponse, Health, ModelCard
from app.caller import caller_of
from app.checking import CheckRequest
from app.errors import ClientGone, Unhealthy, language_of
from app.fields import AS_CHARACTERS
from app.forms import FormCard, FormOut, form_card
from app.forms import forms as all_forms
from app.judge import cost
from app.rate import charge
from app.schemas import GenerateRequest
from app.service import Commission, Service
from app.stream import HEADERS, events

Answer = TypeVar("Answer")

UNREAD: dict[int | str, dict[str, Any]] = {
    401: {"description": "This service asks for an API key, and the request has no valid one."},
    408: {"description": "The body did not arrive in time."},
    413: {"description": "The body is too large."},
    415: {"description": "The body is not JSON."},
    429: {"description": "This caller asks for more than it may: see Retry-After."},
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    **UNREAD,
    500: {"description": "The engine has stopped; /health/live reports it, too."},
    503: {
        "description": "Too much work is waiting or the service is shutting down: see Retry-After."
    },
    504: {"description": "The poem was not finished in time."},
}
COST = {
    "description": "What the request cost, in slot-steps: a quatrain takes about 40.",
    "schema": {"type": "integer"},
}

router = APIRouter()


async def service_of(request: Request) -> Service:
    """Return the service that the application was started with."""
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(service_of)]


async def only_known(request: Request) -> None:
    """Refuse a field of the query that the route does not have.

    Raises:
        RequestValidationError: If there is one.
    """
    known = query_of(request)
    unknown = dict.fromkeys(name for name in request.query_params if name not in known)
    if unknown:
        errors = [{"type": "extra_forbidden", "loc": ("query", name)} for name in unknown]
        raise RequestValidationError(errors)


def query_of(request: Request) -> list[str]:
    """Return the fields that the query of a request may have."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    return [field.alias for field in getattr(dependant, "query_params", ())]


async def admitted(
    request: Request, body: GenerateRequest, service: Served
) -> AsyncIterator[Commission]:
    """Admit a request before its answer begins; free its slots when the answer ends or fails."""
    claim = service.claim(body, caller_of(request.scope))
    charge(request.scope, service.engine.ledger.cost(claim))
    commission = await unless_gone(request, service.commission(body, claim))
    try:
        yield commission
    finally:
        service.engine.cancel(commission.job)


Admitted = Annotated[Commission, Depends(admitted)]


@router.post(
    "/generate",
    responses={**REFUSALS, 200: {"headers": {"X-Yin-Cost": COST}}},
    tags=["poems"],
)
async def generate(request: Request, commission: Admitted, service: Served) -> GenerateResponse:
    """Write one poem, or several."""
    return await unless_gone(request, service.finish(commission, language_of(request)))


@router.post(
    "/generate/stream",
    responses={
        **REFUSALS,
        200: {"content": {"text/event-stream": {}}, "headers": {"X-Yin-Cost": COST}},
    },
    response_class=StreamingResponse,
    tags=["poems"],
)
async def stream(request: Request, commission: Admitted, service: Served) -> StreamingResponse:
    """Write a poem, a character at a time, as server-sent events.

    `character` holds the number of the poem, the number of the line and the text, punctuation
    included. `poem`, the last event, holds the answer that /generate would give; if something goes
    wrong on the way, `failure` takes its place.
    """
    return StreamingResponse(
        events(commission, service, language_of(request)),
        media_type="text/event-stream",
        headers=HEADERS,
    )


@router.post(
    "/check",
    responses={**UNREAD, 503: REFUSALS[503], 200: {"headers": {"X-Yin-Cost": COST}}},
    tags=["prosody"],
)
async def judge(request: Request, body: CheckRequest, service: Served) -> CheckedOut:
    """Judge a poem by the rules of regulated verse, or a ci by its tune.

    It is found in what stands around it.
    """
    charge(request.scope, cost(body.text))
    caller = caller_of(request.scope)
    return await unless_gone(request, service.judge.proof(body.text, caller, pinyin=body.pinyin))


@router.get("/forms", tags=["prosody"])
async def forms() -> list[FormOut]:
    """List the verse forms, and the tunes of ci with their shapes, the commonest first."""
    return all_forms()


@router.get(
    "/forms/{name}",
    responses={404: {"description": "There is no such form; the answer names those like it."}},
    tags=["prosody"],
)
async def form(name: Annotated[str, Path(examples=["浣溪沙"])]) -> FormCard:
    """Return a form in full: of a tune the tones of every line, and which lines rhyme."""
    return form_card(name)


@router.get("/authors", tags=["poems"], dependencies=[Depends(only_known)])
async def authors(
    service: Served,
    q: Annotated[
        str | None,
        AS_CHARACTERS,
        Query(max_length=10, description="A part of the name, in either script.", examples=["苏"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="The most to list.")] = 1000,
) -> Authors:
    """List the authors whose manner can be asked for, those of the most poems first."""
    return Authors.named(q or "", service.poet.vocabulary.authors, limit)


@router.get("/model", tags=["service"])
async def model_card(service: Served) -> ModelCard:
    """Return which model is served and where it came from."""
    return service.card


@router.get(
    "/health/live",
    responses={503: {"description": "The service has to be restarted."}},
    tags=["service"],
)
async def live(service: Served) -> Health:
    """Report whether the engine runs."""
    if not service.engine.alive and not service.engine.draining:
        raise Unhealthy("the engine has stopped")
    return Health(status="ok")


@router.get(
    "/health/ready",
    responses={503: {"description": "The service takes no requests."}},
    tags=["service"],
)
async def ready(service: Served) -> Health:
    """Report whether requests are taken."""
    if not service.engine.ready:
        raise Unhealthy("the service takes no requests")
    return Health(status="ok")


@router.get("/metrics", response_class=Response, tags=["service"])
async def metrics(service: Served) -> Response:
    """Return counts in Prometheus's text format."""
    return Response(service.metrics.expose(), media_type="text/plain; version=0.0.4")


async def unless_gone(request: Request, answer: Coroutine[Any, Any, Answer]) -> Answer:
    """Await an answer, but give it up when the client goes away.

    Raises:
        ClientGone: If it has gone.
    """
    answering = asyncio.ensure_future(answer)
    # The body has been read, so the next message can only be http.disconnect.
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        raise ClientGone("the client has gone")
    finally:
        answering.cancel()
        leaving.cancel()
