"""A poem of the corpus, and the files of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from model.verse.form import Form
from model.verse.script import unify
from model.vocabulary import PUNCTUATION, Era

RHYMED = "rhymed"  # CorpusPoem.meter of a poem that rhymes without a template


@dataclass(frozen=True)
class CorpusPoem:
    """A poem, by upstream's fields; era and meter are ours.

    Args:
        meter: The line types of the template that a regulated poem keeps to, such as aBbA; RHYMED
            for another one that rhymes; empty if neither or not known.
        tune: Of a ci (词), in the model's script; empty for a shi.
    """

    author: str
    title: str
    paragraphs: tuple[str, ...]
    era: Era | None = None
    meter: str = ""
    tune: str = ""

    @cached_property
    def text(self) -> str:
        """The body in one piece, variants unified."""
        return unify("".join(self.paragraphs))

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the body without punctuation."""
        marks = str.maketrans(dict.fromkeys(PUNCTUATION, "\n"))
        return [line for line in self.text.translate(marks).split("\n") if line]

    @property
    def form(self) -> Form | None:
        """The verse form by measure; None for a ci."""
        return None if self.tune else Form.of_lines(self.lines)


def read_poems(path: Path) -> Iterator[CorpusPoem]:
    """Yield the poems of a file of JSON lines with upstream's fields, and era if it is there.

    Blank lines are left out, and so is an era that is not one of ours.

    Raises:
        ValueError: If a line is not such an object; the message has its number.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.isspace():
                continue
            try:
                yield poem_of(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from error


def poem_of(fields: Any) -> CorpusPoem:
    """Return the poem of upstream's fields.

    Raises:
        ValueError: If they are not upstream's.
    """
    if not isinstance(fields, dict):
        raise ValueError(f"expected an object with a poem's fields, got {fields!r:.40}")
    paragraphs = fields.get("paragraphs")
    if not isinstance(paragraphs, list) or not all(isinstance(p, str) for p in paragraphs):
        raise ValueError(f'expected "paragraphs" to be a list of strings, got {paragraphs!r:.40}')
    texts = {name: fields.get(name) or "" for name in ("author", "title", "meter", "tune")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f'expected "{name}" to be a string, got {text!r:.40}')
    era = next((era for era in Era if era == fields.get("era")), None)
    return CorpusPoem(paragraphs=tuple(paragraphs), era=era, **texts)
