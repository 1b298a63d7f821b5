"""Notes: what of a request was understood otherwise than it was written."""

from collections.abc import Iterable, Iterator
from typing import Literal

from app.answers import NoteOut, PoemOut
from app.language import Language
from app.poet_names import in_simplified
from app.saying import Saying
from app.schemas import GenerateRequest
from model.verse.script import Script, standard_forms, to_script, unify

Kind = Literal["length", "substituted", "alias"]
SAYINGS: dict[Kind, Saying] = {
    "length": Saying(
        "length {written} was read as {read}: a poem has whole couplets of equal lines",
        "字数 {written} 按 {read} 写：诗由整联组成，每句字数相同",
    ),
    "substituted": Saying("{written} was read as {read}", "“{written}”读作“{read}”"),
    "alias": Saying("{written} was read as {read}", "“{written}”即“{read}”"),
}


def notes_of(
    request: GenerateRequest, poem: PoemOut, author: str | None, language: Language
) -> Iterator[NoteOut]:
    """Yield what was understood otherwise than it was written.

    Args:
        request: As it was written.
        poem: The first that it led to.
        author: As the model knows them.
        language: Of the messages.
    """

    def note(field: str, kind: Kind, written: str, read: str) -> NoteOut:
        message = SAYINGS[kind].in_language(language, written=written, read=read)
        return NoteOut(field=field, kind=kind, written=written, read=read, message=message)

    if request.length not in (None, poem.characters):
        yield note("length", "length", str(request.length), str(poem.characters))
    for field, written, read in _given(request, poem):
        for one, other in dict.fromkeys(zip(written, read, strict=False)):
            if not _is_same(one, other):
                yield note(field, "substituted", one, other)
    if request.author and author and in_simplified(author) != in_simplified(request.author):
        yield note("author", "alias", request.author, to_script(unify(author), request.script))


def _given(request: GenerateRequest, poem: PoemOut) -> Iterator[tuple[str, str, str]]:
    """Yield each field that gives characters, and what stands in the poem for them."""
    text = "".join(poem.lines)
    yield "start", request.start or "", text
    yield "opening", "".join(request.opening or ()), text
    yield "acrostic", request.acrostic or "", _heads(poem, len(request.acrostic or ""))
    yield "title", request.title or "", poem.title or ""


def _heads(poem: PoemOut, size: int) -> str:
    """Return the characters that an acrostic of a size stands at."""
    lines: Iterable[str] = poem.lines
    if size != len(poem.lines):  # one a couplet, or one a sentence
        lines = filter(None, poem.text.split("\n"))
    return "".join(line[0] for line in lines)


def _is_same(written: str, printed: str) -> bool:
    """Return whether a character is printed as it was written, or as a script prints it."""
    forms = standard_forms(written)
    return printed == written or any(
        written in (form, to_script(form, script)) for form in forms for script in Script
    )
