"""Streams: a poem as server-sent events, a character at a time.

Source: the WHATWG HTML standard, section server-sent events.
"""

import json
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator
from itertools import accumulate
from typing import Any

import structlog
import torch

from app.answers import GenerateResponse
from app.errors import ServiceError, describe_crash
from app.language import Language
from app.schemas import GenerateRequest
from app.seed import draw_request_seed
from app.service import Commission, Service
from model.poet.draft import Draft
from model.verse.script import settled, to_script

PING = b": ping\n\n"
PING_EVERY_S = 10.0
Event = dict[str, Any]  # the data of an event
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def encode(event: str, data: Any) -> bytes:
    """Return one event with data as JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event}\ndata: {text}\n\n".encode()


async def events(
    commission: Commission, service: Service, language: Language = Language.ENGLISH
) -> AsyncIterator[bytes]:
    """Yield the events of a stream; whatever goes wrong is one too, the last, in a language."""
    try:
        async for event in characters(commission, service):
            yield event
        answer = await service.finish(commission, language)
        yield encode("poem", answer.model_dump(mode="json"))
    except ServiceError as error:
        yield encode("failure", {"status": error.status, "detail": error.said(language)})
    except Exception as error:
        structlog.get_logger().error("stream_failed", **describe_crash(error))
        yield encode("failure", {"status": 500, "detail": "the poem could not be completed"})


async def characters(commission: Commission, service: Service) -> AsyncIterator[bytes]:
    """Yield an event a character, those of one step together; a ping when there is none for long.

    With candidates the characters come line by line, when all that go on have them.
    """
    job = commission.job
    service.engine.watch(job)
    known, sent = [0] * len(commission.drafts), [0] * len(commission.drafts)
    while not job.drained:
        try:
            numbers = await job.news(PING_EVERY_S)
        except TimeoutError:
            return  # finish() raises it as what it is
        block = b""
        for number in numbers:
            known[number] += 1
            draft = commission.drafts[number]
            for event in describe(draft, service, number, sent[number], known[number]):
                block += encode("character", event)
                sent[number] += 1
        if block:
            yield block
        elif not numbers and not job.done.is_set():
            yield PING


def written(request: GenerateRequest, service: Service) -> Iterator[Event | GenerateResponse]:
    """Yield each character as it is written now, and at last the answer, as Client.stream() does.

    For a process that serves nobody else.

    Raises:
        UnacceptableRequest: If no poem meets the request.
    """
    started = time.perf_counter()
    torch.set_num_threads(service.settings.num_threads)
    drafts = list(service.prepare(request, draw_request_seed(request.seed)))
    numbers = {draft.sequence: number for number, draft in enumerate(drafts)}
    engine, sent = service.poet.engine, [0] * len(drafts)
    for sequence in numbers:
        engine.add(sequence)
    while engine.slots_taken:
        for sequence in engine.step():
            number, known = numbers[sequence], len(sequence.tokens)
            while found := describe(drafts[number], service, number, sent[number], known):
                yield from found
                sent[number] += len(found)
    yield service.answer(request, service.poems_of(request, drafts), started)


def describe(draft: Draft, service: Service, number: int, sent: int, known: int) -> list[Event]:
    """Return what a stream says of the characters of a line that can be printed now.

    A character whose print depends on the next (乾 in 乾坤) waits for it.

    Args:
        draft: The poem in the making.
        service: Whose poet writes.
        number: Of the poem.
        sent: How many of its characters the stream has said already.
        known: How many there are.
    """
    script, ends = draft.spec.script, list(accumulate(draft.layout.line_tokens))
    line = bisect_right(ends, sent)
    if line == len(ends):
        return []
    start, end = ends[line - 1] if line else 0, ends[line]
    text = service.poet.vocabulary.decode(draft.sequence.tokens[start : min(known, end)])
    printed = to_script(text, script)[: settled(text, script)]
    return [
        {"poem": number, "line": line, "text": character} for character in printed[sent - start :]
    ]
