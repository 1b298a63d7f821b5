"""The routes of the desk: revising a poem, and looking rhymes up."""

from functools import partial
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.caller import caller_of
from app.errors import NotFound
from app.rate import charge
from app.revision import ReviseRequest, ReviseResponse
from app.rhyming import RhymesOut
from app.routes import COST, REFUSALS, UNREAD, Served, only_known, unless_gone
from model.verse.rhyme_name import UnknownRhyme
from model.verse.script import Script

KEPT_FOR = "max-age=86400"  # rhymes change with a release alone

router = APIRouter()


@router.post(
    "/revise",
    responses={**REFUSALS, 200: {"headers": {"X-Yin-Cost": COST}}},
    tags=["poems"],
)
async def revise(request: Request, body: ReviseRequest, service: Served) -> ReviseResponse:
    """Suggest what may stand at some spots of a poem, or in place of a line.

    Every suggestion keeps the rules that the rest of the poem keeps.
    """
    answer = service.editor.revise(
        body, service.engine, caller_of(request.scope), partial(charge, request.scope)
    )
    return await unless_gone(request, answer)


@router.get(
    "/rhymes/{name}",
    response_model=RhymesOut,
    dependencies=[Depends(only_known)],
    responses={
        **{status: UNREAD[status] for status in (401,)},
        304: {"description": "What the caller has is still right."},
        404: {"description": "Neither a character whose reading is known nor a rhyme group."},
        503: REFUSALS[503],
    },
    tags=["prosody"],
)
async def rhymes(
    request: Request,
    service: Served,
    name: Annotated[
        str,
        Path(
            description="One character, or a group of 平水韵 such as 七阳, in either script.",
            examples=["看"],
        ),
    ],
    script: Annotated[Script, Query(description="The script of the answer.")] = Script.SIMPLIFIED,
) -> Response:
    """Look up how a character is read and what rhymes with it, or what rhymes in a group."""
    try:
        found = await service.rhymes(name, script, caller_of(request.scope))
    except UnknownRhyme as error:
        raise NotFound(str(error)) from error
    content = found.model_dump_json()
    headers = {"Cache-Control": KEPT_FOR, "ETag": f'"{sha256(content.encode()).hexdigest()[:16]}"'}
    known = request.headers.get("If-None-Match", "").removeprefix("W/")
    if known == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)
