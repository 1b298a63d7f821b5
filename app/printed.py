"""Reads poems back as `yin generate` prints them: one after another, and in columns."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from model.verse.form import Form
from model.verse.scansion import punctuate
from model.verse.tune import Tune, TuneVariant
from model.verse.tunes import form_called

SIGNATURE = re.compile(
    r"^— (\S+), seed \d+(?:; .*)?\s*$", re.MULTILINE
)  # form and seed under a poem
BLANK = "\u3000"  # between columns, and where a column has ended


def read_printed(text: str) -> list[str]:
    """Return the poems of a text, each in rows: those with a signature, or all of it as one."""
    *signed, rest = SIGNATURE.split(text)
    poems = [
        _in_rows(body, _called(code)) for body, code in zip(signed[::2], signed[1::2], strict=True)
    ]
    return poems if poems and not rest.strip() else [_in_rows(text, None)]


def _called(code: str) -> Form | TuneVariant | None:
    """Return the form of a signature; None if it names none."""
    try:
        form = form_called(code)
    except ValueError:
        return None
    return form.variants[0] if isinstance(form, Tune) else form


def _in_rows(text: str, form: Form | TuneVariant | None) -> str:
    """Return a poem in rows, its title first; one that is in rows already as it is."""
    rows = text.strip("\n").split("\n")
    if not _are_columns(rows):
        return text
    read = ["".join(column).rstrip(BLANK) for column in zip_longest(*rows, fillvalue=BLANK)]
    lines = [line for line in read[::2][::-1] if line]
    title, lines = _without_title(lines, form)
    if isinstance(form, TuneVariant) and len(lines) == form.num_lines:
        body = form.set_out(lines)
    else:
        body = "\n".join(punctuate(lines[at : at + 2]) for at in range(0, len(lines), 2))
    return "\n".join([*title, body])


def _are_columns(rows: Sequence[str]) -> bool:
    """Return whether rows are those of columns: single characters with a blank between them.

    Whole couplets of five or seven, spread out, are rows.
    """
    if len(rows) < 2 or any(cell != BLANK for row in rows for cell in row[1::2]):
        return False
    sizes = {(len(row) + 1) // 2 for row in rows}
    full = not any(BLANK in row[::2] for row in rows)
    return min(sizes) > 1 and not (full and len(rows) % 2 == 0 and sizes <= {5, 7})


def _without_title(
    lines: list[str], form: Form | TuneVariant | None
) -> tuple[list[str], list[str]]:
    """Return the title of a poem, if it has one, and its lines."""
    if isinstance(form, TuneVariant):
        titled = len(lines) == form.num_lines + 1
    else:
        titled = len(lines) % 2 == 1
    return (lines[:1], lines[1:]) if titled else ([], lines)
