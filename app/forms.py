"""The forms that can be asked for, as GET /forms lists them: those of shi, then the tunes of ci."""

from functools import cache
from typing import Literal, TypedDict

from pydantic import BaseModel, Field

from app.errors import NotFound
from app.fields import LONGEST_NAME, forms_in_chinese
from model.verse.form import Form
from model.verse.script import Script, to_script
from model.verse.tune import PAUSE, Tune, TuneLine, TuneVariant
from model.verse.tunes import Tunes, form_called


class VariantOut(BaseModel):
    """A variant of a tune."""

    code: str = Field(description="What form takes to ask for this very variant.")
    name: str = Field(description="Such as 临江仙（六十字）.")
    characters: int = Field(description="Han characters of the whole poem.")
    poems: int = Field(description="Poems of the corpus that run so.")
    stanzas: list[list[str]] = Field(
        description="Each stanza's lines: characters between pauses, and 。 where a line rhymes or "
        "， where it does not, such as 3、4。"
    )


class FormOut(BaseModel):
    """A verse form, or a tune."""

    code: str = Field(description="What form takes; a tune's is its pinyin.")
    name: str = Field(description="The Chinese name, in simplified script.")
    genre: Literal["诗", "词"] = Field(description="诗, or 词 for a tune.")
    line_length: int | None = Field(description="Characters of a line; null for a tune.")
    num_lines: int | None = Field(description="null where the form leaves it open.")
    pinyin: str | None = Field(None, description="A tune's, without tones and spaces.")
    aliases: list[str] = Field([], description="A tune's other names, which form takes, too.")
    category: Literal["小令", "中调", "长调"] | None = Field(
        None, description="A tune's, by length: to 58 characters, to 90, more."
    )
    characters: int | None = Field(None, description="Of a tune's commonest variant.")
    poems: int | None = Field(None, description="Poems of the corpus to a tune.")
    variants: list[VariantOut] = Field([], description="A tune's, the commonest first.")


class LineOut(BaseModel):
    """A line of a variant."""

    segments: list[int] = Field(description="Its characters between pauses.")
    pattern: str = Field(description="Its places: 平, 仄, or 中 where free.")
    rhyme: str = Field(
        description="The letter of its rhyme, small if oblique; lines of one letter rhyme with "
        "each other, whatever its size. Empty if it does not rhyme."
    )
    tones: dict[str, int] = Field(description="How poets ran it, in percent of the poems.")
    again: list[list[int]] = Field(
        description="What is said again: [character, earlier line, its character], from 1."
    )


class VariantCard(VariantOut):
    """A variant in full."""

    lines: list[LineOut] = Field(description="Its lines, in order.")
    sharpness: float = Field(description="The share of the places that are not free.")
    kept: int = Field(description="The percent of the poems that keep every rhyme.")
    entering: dict[str, int] = Field(
        description="The percent of the poems whose rhymes of a letter are in the entering tone."
    )


class FormCard(FormOut):
    """A form in full."""

    cards: list[VariantCard] = Field([], description="A tune's variants in full.")


@cache
def forms() -> list[FormOut]:
    """Return the forms of shi, then the tunes, the commonest first."""
    return [*map(_of_form, Form), *map(_of_tune, Tunes.load())]


def form_card(name: str) -> FormCard:
    """Return a form in full, by its code or any of its names.

    Raises:
        NotFound: If there is none.
    """
    try:
        found = form_called(name)
    except ValueError as error:
        raise NotFound(str(error), forms_in_chinese(name[:LONGEST_NAME])) from error
    if isinstance(found, Form):
        return FormCard(**_of_form(found).model_dump())
    tune = found if isinstance(found, Tune) else Tunes.load().of(found)
    cards = [_card(variant) for variant in tune.variants]
    return FormCard(**_of_tune(tune).model_dump(), cards=cards)


def _of_form(form: Form) -> FormOut:
    return FormOut(
        code=form.code,
        name=form.value,
        genre="诗",
        line_length=form.line_length,
        num_lines=form.num_lines,
    )


def _of_tune(tune: Tune) -> FormOut:
    first = tune.variants[0]
    return FormOut(
        code=first.code,
        name=_simplified(tune.name),
        genre="词",
        line_length=None,
        num_lines=first.num_lines,
        pinyin=tune.pinyin,
        aliases=list(map(_simplified, tune.others)),
        category=tune.category,
        characters=first.characters,
        poems=tune.poems,
        variants=[VariantOut(**_summary(variant)) for variant in tune.variants],
    )


class _Summary(TypedDict):
    code: str
    name: str
    characters: int
    poems: int
    stanzas: list[list[str]]


def _summary(variant: TuneVariant) -> _Summary:
    lines = iter(variant.lines)
    return {
        "code": variant.code,
        "name": variant.value,
        "characters": variant.characters,
        "poems": variant.poems,
        "stanzas": [[_shape(next(lines)) for _ in range(size)] for size in variant.stanzas],
    }


def _shape(line: TuneLine) -> str:
    return PAUSE.join(map(str, line.segments)) + line.mark


def _card(variant: TuneVariant) -> VariantCard:
    return VariantCard(
        **_summary(variant),
        lines=[_line(number, line, variant) for number, line in enumerate(variant.lines)],
        sharpness=round(variant.sharpness, 2),
        kept=variant.kept,
        entering=dict(variant.entering),
    )


def _line(number: int, line: TuneLine, variant: TuneVariant) -> LineOut:
    again = sorted(variant.again.items())
    return LineOut(
        segments=list(line.segments),
        pattern=line.pattern,
        rhyme=line.rhyme,
        tones=dict(line.tones),
        again=[[spot + 1, n + 1, k + 1] for (at, spot), (n, k) in again if at == number],
    )


def _simplified(name: str) -> str:
    return to_script(name, Script.SIMPLIFIED)
