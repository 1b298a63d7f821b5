"""The JSON contract, as the OpenAPI page shows it."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from model.poet.poem import Meter, Poem, PoemSpec
from model.sampling import MAX_SEED, MAX_TEMPERATURE, SamplingParams
from model.verse.form import MAX_LENGTH, MIN_LENGTH, Form
from model.verse.script import Script, is_han
from model.vocabulary import Era

MAX_POEMS, MAX_SEQUENCES = 16, 64
LONGEST_LINE = 7


def _han(text: str) -> str:
    """Return text if it is Han characters alone.

    Raises:
        ValueError: If there is anything else; the message names it.
    """
    strangers = [character for character in text if not is_han(character)]
    if strangers:
        raise ValueError(f"must be Chinese characters alone, without {strangers[0]!r}")
    return text


def _choice(kind: Any) -> BeforeValidator:
    """Read a value by parse(), where the kind has it; keep what is no string for the type check."""
    return BeforeValidator(lambda value: kind(value) if isinstance(value, str) else value)


ERAS = {"tang": Era.TANG, "song": Era.SONG}
ERA_NAMES = [*ERAS, *Era]
FORM_NAMES = [form.code for form in Form] + [form.value for form in Form]


def _era(name: str) -> Era:
    if name not in ERA_NAMES:
        raise ValueError("must be tang (唐) or song (宋)")
    return ERAS.get(name) or Era(name)


class Strict(BaseModel):
    """No conversions, no unknown fields, no infinities."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class GenerateRequest(Strict):
    """What to write; every field is optional."""

    start: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=LONGEST_LINE,
            description="The poem's first characters, at most one line, in either script.",
            examples=["日"],
        ),
    ] = None
    length: Annotated[
        int | None,
        Field(
            ge=MIN_LENGTH,
            le=MAX_LENGTH,
            description="Han characters: as many whole couplets as fit, of the line length "
            "(5 or 7) that comes nearer.",
            examples=[28],
        ),
    ] = None
    temperature: Annotated[
        float,
        Field(ge=0, le=MAX_TEMPERATURE, description="0 takes the likeliest character, 2 is wild."),
    ] = 0.8
    top_k: Annotated[
        int | None, Field(ge=1, le=100_000, description="Draw among the k likeliest characters.")
    ] = None
    top_p: Annotated[
        float | None,
        Field(gt=0, le=1, description="Draw among the fewest that hold this share of probability."),
    ] = None
    seed: Annotated[
        int | None,
        Field(
            ge=0, le=MAX_SEED, description="The same seed brings the same poem; drawn if absent."
        ),
    ] = None
    form: Annotated[
        Annotated[Form, WithJsonSchema({"type": "string", "enum": FORM_NAMES})] | None,
        _choice(Form.parse),
        Field(
            description="jueju-5 jueju-7 lushi-5 lushi-7 gushi-5 gushi-7, or 五绝 七绝 五律 七律 "
            "五古 七古; the first four decide the length.",
            examples=["jueju-7"],
        ),
    ] = None
    meter: Annotated[
        Meter | None,
        _choice(Meter),
        Field(
            description="strict: tone pattern and rhyme of regulated verse, guaranteed; rhyme: "
            "rhyme alone; free. Default: strict for jueju and lushi, rhyme for gushi."
        ),
    ] = None
    opening: Annotated[
        str | list[str] | None,
        Field(description="The poem's first lines, whole, to go on from: a list, or one text."),
    ] = None
    novel: Annotated[
        bool | None,
        Field(
            description="true: no line that stands in the corpus, or a refusal; null: none where "
            "another fits, and copied_lines tells of the rest; false: whatever comes."
        ),
    ] = None
    acrostic: Annotated[
        str | None,
        Field(
            min_length=2,
            max_length=MAX_LENGTH // LONGEST_LINE,
            description="First characters of the lines, or of the couplets (藏头).",
        ),
    ] = None
    title: Annotated[
        str | None, Field(min_length=1, max_length=20, description="What the poem is about.")
    ] = None
    author: Annotated[
        str | None,
        Field(min_length=1, max_length=10, description="In whose manner, such as 李白."),
    ] = None
    era: Annotated[
        Annotated[Era, WithJsonSchema({"type": "string", "enum": ERA_NAMES})] | None,
        _choice(_era),
        Field(description="tang (唐) or song (宋)."),
    ] = None
    script: Annotated[Script, _choice(Script), Field(description="The script of the answer.")] = (
        Script.SIMPLIFIED
    )
    n: Annotated[int, Field(ge=1, le=MAX_POEMS, description="Poems to write.")] = 1
    candidates: Annotated[
        int,
        Field(ge=1, le=MAX_SEQUENCES, description="For each poem, the best of this many."),
    ] = 1

    @field_validator("start", "acrostic", "title", "author")
    @classmethod
    def _only_han(cls, text: str | None) -> str | None:
        return text if text is None else _han(text)

    @field_validator("opening")
    @classmethod
    def _lines(cls, opening: str | list[str] | None) -> list[str] | None:
        if opening is None:
            return None
        text = opening if isinstance(opening, str) else "\n".join(opening)
        marks = str.maketrans(dict.fromkeys("，。？！；：、,.?!;: \n", "\n"))
        lines = [_han(line) for line in text.translate(marks).split("\n") if line]
        if not lines or not all(len(line) == len(lines[0]) in (5, 7) for line in lines):
            raise ValueError("must be whole lines of 5, or of 7, characters each")
        if sum(map(len, lines)) > MAX_LENGTH:
            raise ValueError(f"must be at most {MAX_LENGTH} characters")
        return lines

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        if self.n * self.candidates > MAX_SEQUENCES:
            raise ValueError(f"n times candidates must be at most {MAX_SEQUENCES}")
        return self

    def spec(self, seed: int) -> PoemSpec:
        """Return what is asked of the poem that belongs to seed."""
        return PoemSpec(
            start=self.start,
            length=self.length,
            form=self.form,
            meter=self.meter,
            opening=tuple(self.opening or ()),
            acrostic=self.acrostic,
            title=self.title,
            author=self.author,
            era=self.era,
            novel=self.novel,
            params=SamplingParams(self.temperature, self.top_k or 0, self.top_p or 1.0, seed),
            script=self.script,
        )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"start": "日", "length": 28, "temperature": 0.8},
                {"form": "lushi-5", "title": "登鹳雀楼", "era": "tang", "seed": 7},
                {"acrostic": "春夏秋冬", "script": "traditional"},
                {"opening": "白日依山尽，黄河入海流。", "form": "五绝", "n": 2},
                {"start": "月", "length": 200, "candidates": 4, "novel": True},
            ]
        }
    )


class CheckRequest(Strict):
    """A poem to judge."""

    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1000,
            json_schema_extra={"pattern": "[\u3400-\u9fff]"},  # the refusal says it in words
            description="The poem, in either script, with or without punctuation between lines.",
        ),
    ]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"}]
        }
    )


class CheckOut(BaseModel):
    """Whether a rule holds."""

    holds: bool
    where: list[list[int]] = Field(description="Where it fails: line and character, from 1.")
    note: str


class MeterOut(BaseModel):
    """The proof: what was read, and which rules hold."""

    genre: str = Field(description="What the poem is by its prosody, such as 律绝 or 古体.")
    pattern: str | None = Field(
        description="How line 1 begins and whether it rhymes; null if not near regulated verse."
    )
    line_types: str
    tones: list[str] = Field(
        description="The tone that each character was read in, a string a line."
    )
    rhyme: str | None = Field(description="The rhyme group of 平水韵.")
    rhyme_lines: list[int] = Field(description="The lines that rhyme, from 1.")
    regulated: bool = Field(description="Whether every rule of regulated verse holds.")
    checks: dict[str, CheckOut] = Field(description="The rules by name.")


class PoemOut(BaseModel):
    """A poem."""

    text: str = Field(description="With punctuation, a couplet a line.")
    lines: list[str]
    title: str | None
    form: str
    characters: int
    seed: int = Field(description="Brings this poem back, in a request with n = candidates = 1.")
    bits_per_character: float = Field(description="The model's own score; lower is more fluent.")
    copied_lines: list[str] = Field(description="Lines that stand verbatim in the corpus.")
    start: str | None = Field(description="What the start was read as, in traditional script.")
    meter: MeterOut

    @classmethod
    def of(cls, poem: Poem) -> Self:
        """Return a poem's JSON."""
        return cls(
            text=poem.text,
            lines=list(poem.lines),
            title=poem.title,
            form=poem.form.code,
            characters=poem.characters,
            seed=poem.seed,
            bits_per_character=round(poem.bits_per_character, 3),
            copied_lines=list(poem.copied_lines),
            start=poem.start,
            meter=MeterOut.model_validate(poem.proof.to_dict()),
        )


class ModelOut(BaseModel):
    """Which model wrote it, and where: the same of these gives the same poem for a seed."""

    name: str
    checksum: str
    device: str
    dtype: str


class GenerateResponse(BaseModel):
    """The poems."""

    poems: list[PoemOut]
    model: ModelOut
    elapsed_s: float


class ModelCard(ModelOut):
    """What is served."""

    vocab_size: int
    parameters: int
    authors: list[str]
    provenance: dict[str, Any]


class FormOut(BaseModel):
    """A verse form."""

    code: str
    name: str
    line_length: int
    num_lines: int | None


class Health(BaseModel):
    """Whether the service lives, or takes requests."""

    status: Literal["ok"]
