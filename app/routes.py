"""The routes: thin, everything is done in the service."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any, TypeVar

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from app.errors import ServiceError, UnacceptableRequest, describe_crash
from app.events import HEADERS, PING, encode
from app.schemas import (
    CheckRequest,
    FormOut,
    GenerateRequest,
    GenerateResponse,
    Health,
    MeterOut,
    ModelCard,
)
from app.service import Commission, Service
from model.verse.form import Form
from model.verse.proof import check
from model.verse.script import to_script

Answer = TypeVar("Answer")

PING_EVERY_S = 10.0
UNREAD: dict[int | str, dict[str, Any]] = {
    401: {"description": "An API key is asked for, and there is none that is known."},
    408: {"description": "The body did not arrive in time."},
    413: {"description": "The body is too large."},
    415: {"description": "The body is not JSON."},
    429: {"description": "Too many requests from this client: see Retry-After."},
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    **UNREAD,
    500: {"description": "The engine has stopped; health/live tells so too."},
    503: {"description": "Too much work is waiting, or the service shuts down: see Retry-After."},
    504: {"description": "The poem was not done in time."},
}

router = APIRouter()


async def service_of(request: Request) -> Service:
    """Return the service that the application was started with."""
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(service_of)]


async def admitted(
    request: Request, body: GenerateRequest, service: Served
) -> AsyncIterator[Commission]:
    """Admit a request before its answer begins; free its slots when the answer ends or fails."""
    commission = await unless_gone(request, service.commission(body))
    try:
        yield commission
    finally:
        service.engine.cancel(commission.job)


Admitted = Annotated[Commission, Depends(admitted)]


@router.post("/generate", responses=REFUSALS, tags=["poems"])
async def generate(request: Request, commission: Admitted, service: Served) -> GenerateResponse:
    """Write a poem, or several."""
    return await unless_gone(request, service.finish(commission))


@router.post(
    "/generate/stream",
    responses={**REFUSALS, 200: {"content": {"text/event-stream": {}}}},
    response_class=StreamingResponse,
    tags=["poems"],
)
async def stream(commission: Admitted, service: Served) -> StreamingResponse:
    """Write a poem, a character at a time, as server-sent events.

    `character` has the number of the poem and of the line and the text, punctuation included;
    `poem` is the answer of /generate and the last event; `failure` takes its place if something
    goes wrong on the way.
    """
    return StreamingResponse(
        events(commission, service), media_type="text/event-stream", headers=HEADERS
    )


@router.post("/check", responses=UNREAD, tags=["prosody"])
def judge(body: CheckRequest) -> MeterOut:
    """Judge a poem by the rules of regulated verse."""
    try:
        return MeterOut.model_validate(check(body.text).to_dict())
    except ValueError as error:
        raise UnacceptableRequest("text", str(error)) from error


@router.get("/forms", tags=["prosody"])
async def forms() -> list[FormOut]:
    """List the verse forms."""
    return [
        FormOut(
            code=form.code, name=form.value, line_length=form.line_length, num_lines=form.num_lines
        )
        for form in Form
    ]


@router.get("/model", tags=["service"])
async def model_card(service: Served) -> ModelCard:
    """Tell which model is served and where it came from."""
    return service.card


@router.get(
    "/health/live", responses={503: {"description": "It has to be restarted."}}, tags=["service"]
)
async def live(service: Served) -> Health:
    """Tell whether the engine runs."""
    if not service.engine.alive and not service.engine.draining:
        raise Unhealthy("the engine has stopped")
    return Health(status="ok")


@router.get(
    "/health/ready", responses={503: {"description": "It takes no requests."}}, tags=["service"]
)
async def ready(service: Served) -> Health:
    """Tell whether requests are taken."""
    if service.engine.draining or not service.engine.alive:
        raise Unhealthy("the service takes no requests")
    return Health(status="ok")


@router.get("/metrics", response_class=Response, tags=["service"])
async def metrics(service: Served) -> Response:
    """Return counts in Prometheus's text format."""
    return Response(service.metrics.expose(), media_type="text/plain; version=0.0.4")


class Unhealthy(ServiceError):
    """A health check that fails."""

    status = 503


class ClientGone(ServiceError):
    """There is nobody to answer."""

    status = 499


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


async def events(commission: Commission, service: Service) -> AsyncIterator[bytes]:
    """Yield the events of a stream; whatever goes wrong is one too, the last."""
    try:
        async for event in characters(commission, service):
            yield event
        answer = await service.finish(commission)
        yield encode("poem", answer.model_dump(mode="json"))
    except ServiceError as error:
        yield encode("failure", {"status": error.status, "detail": error.detail})
    except Exception as error:
        structlog.get_logger().error("stream_failed", **describe_crash(error))
        yield encode("failure", {"status": 500, "detail": "the poem could not be completed"})


async def characters(commission: Commission, service: Service) -> AsyncIterator[bytes]:
    """Yield an event a character, those of one step together; a ping when there is none for long.

    With candidates nothing can be told before the best is known, so there are only pings.
    """
    job, written = commission.job, [0] * len(commission.drafts)
    while not job.told:
        try:
            numbers = await job.news(PING_EVERY_S)
        except TimeoutError:
            return  # finish() says so
        block = b""
        for number in numbers if commission.request.candidates == 1 else ():
            block += encode("character", describe(commission, service, number, written[number]))
            written[number] += 1
        if block:
            yield block
        elif not numbers and not job.done.is_set():
            yield PING


def describe(
    commission: Commission, service: Service, number: int, position: int
) -> dict[str, Any]:
    """Return what is told of one character of a poem."""
    draft = commission.drafts[number]
    size = draft.layout.line_length + 1
    line = service.poet.vocabulary.decode(
        draft.sequence.tokens[position - position % size : position + 1]
    )
    shown = to_script(line, draft.spec.script)
    return {"poem": number, "line": position // size, "text": shown[-1]}
