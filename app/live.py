"""Shows a poem in a terminal while it is written."""

from collections.abc import Iterable
from typing import Any

import typer

from app.answers import GenerateResponse
from app.schemas import GenerateRequest
from model.poet.ci_wishes import choose_measure
from model.verse.form import Layout
from model.verse.script import to_script, unify


def show_live(
    request: GenerateRequest, events: Iterable[dict[str, Any] | GenerateResponse]
) -> GenerateResponse:
    """Print the first poem of a stream, a character at a time, under its title.

    Args:
        request: What was asked for.
        events: Characters (poem, line, text), and at last the answer.

    Returns:
        The answer, whose first poem stands.
    """
    line: int | None = None  # at hand; None until the first character
    gaps = dict[int, str]()
    try:
        for event in events:
            if isinstance(event, GenerateResponse):
                return event
            if event["poem"] == 0:
                if line is None:
                    gaps = gaps_of(request)
                    _write(_title(request))
                elif event["line"] != line:
                    _write(gaps.get(line, ""))
                line = event["line"]
                _write(event["text"])
    finally:
        if line is not None:
            _write("\n")
    raise AssertionError("a stream ends with the answer, or raises")


def gaps_of(request: GenerateRequest) -> dict[int, str]:
    """Return what stands between some lines of a poem and the next: line ends, by the line."""
    measure = choose_measure(request.spec(0))
    if isinstance(measure, Layout):
        return dict.fromkeys(range(1, measure.num_lines, 2), "\n")
    rhymed = {n: "\n" for n, line in enumerate(measure.lines) if line.rhyme}
    return rhymed | dict.fromkeys(measure.last_lines, "\n\n")


def _title(request: GenerateRequest) -> str:
    """Return the row of a title; nothing without one."""
    return f"{to_script(unify(request.title), request.script)}\n" if request.title else ""


def _write(text: str) -> None:
    typer.echo(text, nl=False)
