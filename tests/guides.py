"""Vocabularies and guides that tests share."""

import random
from functools import cache

from model.poet.given import Given
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.plan import choose_plan
from model.poet.poem import Meter
from model.poet.verse_guide import VerseGuide
from model.verse.form import Layout
from model.verse.rhymes import Reading, Rhymes
from model.verse.script import unify
from model.vocabulary import Vocabulary

REGULATED = [Layout(5, 4), Layout(7, 4), Layout(5, 8), Layout(7, 8)]
EAST, SORROW, HOUSE = Reading("平", "一東"), Reading("平", "十一尤"), Reading("入", "一屋")


def guide_to(
    lexicon: Lexicon,
    layout: Layout,
    *,
    meter: Meter = Meter.STRICT,
    given: Given | None = None,
    seed: int = 0,
    lines: LineFilter | None = None,
    novel: bool = False,
) -> VerseGuide:
    """Return a guide under the plan that a seed draws."""
    plan = choose_plan(lexicon, layout, meter, given or {}, seed)
    return VerseGuide(lexicon, layout, plan, given=given, lines=lines, novel=novel)


@cache
def lexicon(size: int = 2500) -> Lexicon:
    """Return the masks of characters drawn from the packaged table."""
    rhymes = Rhymes.load()
    characters = [chr(code) for code in range(0x4E00, 0x9FA6)]
    usable = [c for c in characters if c in rhymes and unify(c) == c]
    return Lexicon(Vocabulary(random.Random(0).sample(usable, size)), rhymes)


def made_up(readings: dict[Reading, int]) -> Lexicon:
    """Return the masks of a vocabulary that has so many characters of each reading alone."""
    usable = (chr(code) for code in range(0x4E00, 0x9FA6) if unify(chr(code)) == chr(code))
    table = {next(usable): (reading,) for reading, n in readings.items() for _ in range(n)}
    return Lexicon(Vocabulary(list(table)), Rhymes(table))


def of_reading(masks: Lexicon, reading: Reading) -> list[int]:
    """Return the ids of the characters that have a reading."""
    vocabulary = masks.vocabulary
    return [i for i in vocabulary.han_ids if reading in masks.rhymes.readings(vocabulary.tokens[i])]
