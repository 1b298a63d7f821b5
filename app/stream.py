"""Streams: a poem as server-sent events, a character at a time.

Source: the WHATWG HTML standard, section server-sent events.
"""

import json
from bisect import bisect_right
from collections.abc import AsyncIterator
from itertools import accumulate
from typing import Any

import structlog

from app.errors import ServiceError, describe_crash
from app.language import Language
from app.service import Commission, Service
from model.verse.script import settled, to_script

PING = b": ping\n\n"
PING_EVERY_S = 10.0
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
            for event in describe(commission, service, number, sent[number], known[number]):
                block += encode("character", event)
                sent[number] += 1
        if block:
            yield block
        elif not numbers and not job.done.is_set():
            yield PING


def describe(
    commission: Commission, service: Service, number: int, sent: int, known: int
) -> list[dict[str, Any]]:
    """Return what a stream says of the characters of a line that can be printed now.

    A character whose print depends on the next (乾 in 乾坤) waits for it.

    Args:
        commission: Of the request.
        service: Whose poet writes.
        number: Of the poem.
        sent: How many of its characters the stream has said already.
        known: How many there are.
    """
    draft = commission.drafts[number]
    script, ends = draft.spec.script, list(accumulate(draft.layout.line_tokens))
    line = bisect_right(ends, sent)
    start, end = ends[line - 1] if line else 0, ends[line]
    text = service.poet.vocabulary.decode(draft.sequence.tokens[start : min(known, end)])
    printed = to_script(text, script)[: settled(text, script)]
    return [
        {"poem": number, "line": line, "text": character} for character in printed[sent - start :]
    ]
