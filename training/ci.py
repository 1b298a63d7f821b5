"""Ci (词): upstream's fields, in simplified script, to poems of the corpus with their tune."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from opencc import OpenCC

from model.verse.script import unify
from model.vocabulary import Era
from training.cleaning import clean_author, clean_body
from training.corpus_poem import CorpusPoem

OTHER_NAME = re.compile("[・·]")  # between the name in the source and the tune's usual one
LOST = "失調名"


def ci_of(fields: dict[str, Any], era: Era) -> tuple[CorpusPoem | None, str]:
    """Return the poem of upstream's fields, and why it must be dropped: one of the two is empty.

    Args:
        fields: Upstream's author, rhythmic (the tune) and paragraphs.
        era: When it was written.

    Raises:
        KeyError: If a field is missing.
        TypeError: If one is of another kind.
    """
    tune = tune_of(fields["rhythmic"])
    sentences, reason = clean_body(to_traditional(fields["paragraphs"]))
    if not reason and tune in ("", unify(LOST)):
        reason = "has no tune"
    if reason:
        return None, reason
    (author,) = to_traditional([fields["author"]])
    return CorpusPoem(clean_author(author), "", sentences, era, tune=tune), ""


def tune_of(name: str) -> str:
    """Return the usual name of a tune, in the model's script, by what upstream calls it.

    Where a source has a name of its own, upstream gives both: 丑奴儿・采桑子.
    """
    (usual,) = to_traditional([OTHER_NAME.split(name)[-1]])
    return clean_author(usual)  # not as a title: 太常引 is no preface (引) to 太常


def to_traditional(texts: Sequence[str]) -> list[str]:
    """Return texts of simplified script in traditional script."""
    return [_converter().convert(text) for text in texts]


@cache
def _converter() -> OpenCC:
    return OpenCC("s2t")
