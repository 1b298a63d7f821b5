"""How tests ask for a guide."""

from model.poet.given import Given
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.plan import choose_plan
from model.poet.poem import Meter
from model.poet.verse_guide import VerseGuide
from model.verse.form import Layout


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
