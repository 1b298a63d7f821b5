"""What a spec asks of a ci: which variant of the tune its wishes fit.

This module needs no PyTorch.
"""

from dataclasses import replace

from model.poet.poem import NoFormFits, PoemSpec, choose_layout
from model.verse.form import Layout
from model.verse.script import Script, to_script
from model.verse.tune import Tune, TuneVariant


def choose_measure(spec: PoemSpec) -> Layout | TuneVariant:
    """Return the measure of the poem that a spec asks for, as far as lengths decide.

    Raises:
        NoFormFits: If length is out of range, too short for the form, or no variant of a tune has
            it.
    """
    return choose_measures(spec)[0]


def choose_measures(spec: PoemSpec) -> list[Layout | TuneVariant]:
    """Return the measures that the poem of a spec may have, the likeliest first.

    There are several of a tune whose variants have the lengths that are asked for, and differ in
    tones and rhymes alone.

    Raises:
        NoFormFits: As choose_measure().
    """
    if not isinstance(spec.form, (Tune, TuneVariant)):
        return [choose_layout(spec)]
    variants = spec.form.variants if isinstance(spec.form, Tune) else [spec.form]
    long = [v for v in variants if spec.length in (None, v.characters)]
    if not long:
        sizes = " or ".join(map(str, dict.fromkeys(v.characters for v in variants)))
        name = to_script(variants[0].tune, Script.SIMPLIFIED)
        message = f"{name} has {sizes} characters, not {spec.length}"
        raise NoFormFits(message, field="length")
    return [variant for variant in long if _fits(spec, variant)] or [*long[:1]]


def _fits(spec: PoemSpec, variant: TuneVariant) -> bool:
    """Return whether start, opening and acrostic have lengths that a variant has."""
    lengths, acrostic = variant.lengths, len(spec.acrostic or "")
    opening = tuple(map(len, variant.joined(spec.opening)))
    return (
        len(spec.start or "") <= lengths[0]
        and opening == lengths[: len(opening)]
        and acrostic in (0, variant.num_lines, len(variant.heads))
    )


def settled(spec: PoemSpec, measure: Layout | TuneVariant) -> PoemSpec:
    """Return a spec whose opening has the lines of the measure."""
    if isinstance(measure, Layout) or not spec.opening:
        return spec
    return replace(spec, opening=measure.joined(spec.opening))
