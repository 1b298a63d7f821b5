"""Forms and tunes as text, for a terminal."""

from collections.abc import Iterator
from itertools import accumulate, pairwise

from model.verse.form import Form
from model.verse.script import Script, to_script
from model.verse.tune import Tune, TuneVariant
from model.verse.tunes import Tunes, form_called


def listed(name: str | None) -> Iterator[str]:
    """Yield all forms and tunes, a row each; or how the one of a name runs.

    Raises:
        ValueError: If none is called so; the message names those like it.
    """
    if name is not None:
        yield from _shown(form_called(name))
        return
    for form in Form:
        yield f"{form.value}　{form.code}"
    for tune in Tunes.load():
        sizes = "、".join(dict.fromkeys(str(v.characters) for v in tune.variants))
        name = to_script(tune.name, Script.SIMPLIFIED)
        yield f"{name}　{tune.pinyin}　{tune.category}　{sizes}字　{tune.poems}首"


def _shown(form: Form | Tune | TuneVariant) -> Iterator[str]:
    """Yield how a form runs: of a tune each variant, a sentence a row.

    中 is a place that is free; △ ends a level rhyme and ▲ an oblique one, with the letter of the
    lines that it belongs to where rhymes change.
    """
    if isinstance(form, Form):
        lines = "" if form.num_lines is None else f"{form.num_lines} lines of "
        yield f"{form.value}　{form.code}　{lines}{form.line_length} characters"
        return
    for variant in form.variants if isinstance(form, Tune) else [form]:
        yield f"{variant.value}　{variant.code}　{variant.poems}首"
        letters = len({line.rhyme.upper() for line in variant.lines if line.rhyme})
        ends, row = set(accumulate(variant.stanzas)), ""
        for number, line in enumerate(variant.lines, 1):
            cuts = [0, *line.pauses, line.size]
            parts = (line.pattern[a:b] for a, b in pairwise(cuts))
            sign = {True: "△", False: "▲"}[line.rhyme.isupper()] if line.rhyme else ""
            row += "、".join(parts) + (line.rhyme.upper() if letters > 1 else "") + sign
            row += line.mark
            if line.rhyme:
                yield "　" + row
                row = ""
            if number in ends and number < variant.num_lines:
                yield ""
