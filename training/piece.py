"""A poem as token ids: its header's fields, its body, and the cues that it keeps to.

A poem longer than MAX_BODY tokens is cut into pieces of whole couplets.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.pattern import LineType, Template
from model.vocabulary import Vocabulary
from training.corpus_poem import RHYMED, CorpusPoem

MAX_BODY = 256  # tokens
FIELDS = ("form", "regulated", "era", "author", "title", "keywords")  # in the header's order


class Piece(NamedTuple):
    """A poem, or a part of a long one, as token ids."""

    header: tuple[Sequence[int], ...]  # the ids of each of FIELDS, empty where the poem has none
    body: Sequence[int]
    cues: Sequence[int]  # one for each of body


def pieces_of(poem: CorpusPoem, vocabulary: Vocabulary) -> Iterator[Piece]:
    """Yield a poem as token ids, in as few pieces as it takes."""
    header = _header_fields(poem, vocabulary)
    ids = [*vocabulary.encode(poem.text), vocabulary.eos_id]
    cues = [*_cues(poem), Cue.FREE]
    start = 0
    for end in _ends(ids, vocabulary.full_stop_id):
        yield Piece(header, ids[start:end], cues[start:end])
        start = end


def _cues(poem: CorpusPoem) -> tuple[Cue, ...]:
    """Return the cues that a poem keeps to, one for each character and mark of its text."""
    lengths = [len(line) for line in poem.lines]
    cues = (Cue.FREE,) * len(poem.text)
    if poem.meter == RHYMED:
        cues = rhyme_cues(lengths)
    elif poem.meter:
        cues = template_cues(Template(tuple(map(LineType, poem.meter)), lengths[0]))
    if len(cues) != len(poem.text):  # a mark too many inside the poem
        return (Cue.FREE,) * len(poem.text)
    return cues


def _header_fields(poem: CorpusPoem, vocabulary: Vocabulary) -> tuple[list[int], ...]:
    """Return the ids that the header has for each of FIELDS: what stands between <bos>, <body>.

    A ci has its tune in the place of a form, or by its characters as a title. Keywords follow from
    all poems (training.keywords).
    """
    known = vocabulary.knows_author(poem.author)
    tune = poem.tune if vocabulary.knows_tune(poem.tune) else None
    headers = (
        vocabulary.header(form=poem.form, tune=tune),
        vocabulary.header(regulated=poem.meter not in ("", RHYMED)),
        vocabulary.header(era=poem.era),
        vocabulary.header(author=poem.author if known else None),
        vocabulary.header(title=poem.title if tune else poem.title or poem.tune),
    )
    return (*(header[1:-1] for header in headers), [])


def _ends(ids: list[int], full_stop_id: int) -> list[int]:
    """Return where to cut ids into the fewest pieces of at most MAX_BODY, after full stops."""
    stops = [index for index, token in enumerate(ids[:-2], start=1) if token == full_stop_id]
    ends, start = list[int](), 0
    for stop, following in pairwise([*stops, len(ids)]):
        if following - start > MAX_BODY:
            ends.append(stop)
            start = stop
    return [*ends, len(ids)]
