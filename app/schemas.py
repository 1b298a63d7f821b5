"""What requests ask for in JSON, as the OpenAPI page shows it."""

from typing import Annotated, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.chinese import in_chinese
from app.errors import UnacceptableRequest
from app.fields import (
    AS_CHARACTERS,
    AS_TITLE,
    AForm,
    AMeter,
    AnEra,
    APattern,
    AScript,
    Strict,
    chinese_lines,
    none_for,
    text_or_lines,
)
from app.saying import Said
from model.poet.poem import PoemSpec
from model.poet.theme import MAX_THEME
from model.sampling import MAX_SEED, MAX_TEMPERATURE, SamplingParams
from model.verse.form import MAX_LENGTH, MIN_LENGTH
from model.verse.rhyme_name import UnknownRhyme, groups_asked
from model.verse.script import Script
from model.verse.tune import Tune, TuneVariant

MAX_POEMS, MAX_SEQUENCES = 16, 64
GUIDANCE, MAX_GUIDANCE = 3.5, 5.0
LONGEST_LINE = 7  # of shi
LONGEST_START = 9  # characters of the longest line of a tune


class GenerateRequest(Strict):
    """What to write; every field is optional."""

    start: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=LONGEST_START,
            description="The poem's first characters, at most one line, in either script.",
            examples=["日"],
        ),
        AS_CHARACTERS,
    ] = None
    length: Annotated[
        int | None,
        Field(
            ge=MIN_LENGTH,
            le=MAX_LENGTH,
            description="Han characters. The poem has as many whole couplets as fit, of the line "
            "length (5 or 7) that comes closer.",
            examples=[28],
        ),
    ] = None
    temperature: Annotated[
        float,
        Field(
            ge=0,
            le=MAX_TEMPERATURE,
            description="0 always takes the likeliest character, 2 is wild.",
        ),
    ] = 0.8
    top_k: Annotated[
        int | None,
        Field(ge=1, le=100_000, description="Draw among the k likeliest characters only."),
        none_for(0, -1),
    ] = None
    top_p: Annotated[
        float | None,
        Field(
            gt=0,
            le=1,
            description="Draw among the fewest characters that hold this share of the probability.",
        ),
    ] = None
    seed: Annotated[
        int | None,
        Field(ge=0, le=MAX_SEED, description="The same seed gives the same poem; drawn if absent."),
        none_for(-1),
    ] = None
    form: Annotated[
        AForm | None,
        Field(
            description="jueju-5 jueju-7 lushi-5 lushi-7 gushi-5 gushi-7, or 五绝 七绝 五律 七律 "
            "五古 七古. For a ci a tune (词牌), by name or pinyin, such as 浣溪沙 or huanxisha: "
            "GET /forms lists them. All but gushi decide the length, too.",
            examples=["jueju-7"],
        ),
    ] = None
    meter: Annotated[
        AMeter | None,
        Field(
            description="strict: the tone pattern and rhyme of regulated verse, guaranteed; rhyme: "
            "rhyme only; free: neither. Default: strict, but for gushi rhyme."
        ),
    ] = None
    opening: Annotated[
        str | list[str] | None,
        Field(description="The poem's first lines, complete: a list of lines, or one text."),
        BeforeValidator(text_or_lines),
    ] = None
    rare: Annotated[
        bool,
        Field(description="Whether characters that common fonts lack may come; those given do."),
    ] = False
    novel: Annotated[
        bool | None,
        Field(
            description="true: no line of the corpus at all, and a refusal if that is impossible. "
            "null: a line of the corpus only where no other fits; copied_lines lists them. false: "
            "any line."
        ),
    ] = None
    acrostic: Annotated[
        str | None,
        Field(
            min_length=2,
            max_length=MAX_LENGTH // LONGEST_LINE,
            description="The first characters of the lines, or of the couplets (藏头).",
        ),
        AS_CHARACTERS,
    ] = None
    rhyme: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=6,
            description="The rhyme group of 平水韵, such as 七阳, or a character to rhyme with.",
            examples=["七阳"],
        ),
    ] = None
    pattern: Annotated[
        APattern | None,
        Field(
            description="How line 1 runs: 仄起 or 平起, 首句入韵 or 首句不入韵, or both. Of "
            "regulated verse alone.",
            examples=["仄起首句入韵"],
        ),
    ] = None
    title: Annotated[
        str | None,
        Field(min_length=1, max_length=20, description="What the poem is about."),
        AS_TITLE,
    ] = None
    theme: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_THEME,
            description="The same in free words, modern ones and English, too; the answer names "
            "the words of the poems that they were read as.",
            examples=["想念在上海的外婆"],
        ),
    ] = None
    author: Annotated[
        str | None,
        Field(min_length=1, max_length=10, description="The poet to write like, such as 李白."),
        AS_CHARACTERS,
    ] = None
    era: Annotated[
        AnEra | None,
        Field(description="tang (唐) or song (宋)."),
    ] = None
    script: Annotated[AScript, Field(description="The script of the answer.")] = Script.SIMPLIFIED
    guidance: Annotated[
        float,
        Field(
            ge=0,
            le=MAX_GUIDANCE,
            description="How strongly title, theme, author and era steer (切题): 0 not at all, 1 "
            "as the model by itself, and more than 1 keeps closer to them.",
        ),
    ] = GUIDANCE
    pinyin: Annotated[bool, Field(description="Whether each poem's meter has pinyin, too.")] = False
    n: Annotated[int, Field(ge=1, le=MAX_POEMS, description="Poems to write.")] = 1
    candidates: Annotated[
        int | None,
        Field(
            ge=1,
            le=MAX_SEQUENCES,
            description="How many ways to write each poem go on together: after each line those "
            "that had to bend least to the verse are kept. null: as many as the service is set to.",
        ),
    ] = None

    @field_validator("opening")
    @classmethod
    def _lines(cls, opening: str | list[str] | None, info: ValidationInfo) -> list[str] | None:
        if opening is None:
            return None
        lines = chinese_lines(opening if isinstance(opening, str) else "\n".join(opening))
        if lines and isinstance(info.data.get("form"), (Tune, TuneVariant)):
            return lines  # what the tune asks of them the poet says
        if not lines or not all(len(line) == len(lines[0]) in (5, 7) for line in lines):
            raise Said(
                "must be complete lines, all of 5 or all of 7 characters",
                "须为完整的句子，每句 5 字，或每句 7 字",
            )
        size = sum(map(len, lines))
        if size > MAX_LENGTH:
            raise Said(
                f"must have at most {MAX_LENGTH} characters, got {size}",
                f"至多 {MAX_LENGTH} 字，现有 {size} 字",
            )
        return lines

    @field_validator("rhyme")
    @classmethod
    def _rhyme_is_known(cls, rhyme: str | None) -> str | None:
        try:
            if rhyme is not None:
                groups_asked(rhyme)
        except UnknownRhyme as error:
            raise Said(str(error), in_chinese(str(error))) from error
        return rhyme

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        if self.n * (self.candidates or 1) > MAX_SEQUENCES:
            raise Said(
                f"n times candidates must be at most {MAX_SEQUENCES}",
                f"n 与 candidates 之积至多为 {MAX_SEQUENCES}",
            )
        return self

    def ways(self, usual: int) -> int:
        """Return in how many ways each poem is written, usual where the request does not say.

        Raises:
            UnacceptableRequest: If these are too many for n.
        """
        candidates = self.candidates or usual
        if self.n * candidates > MAX_SEQUENCES:
            reason = f"where each poem is written in {candidates} ways, as here by default"
            message = f"must be at most {MAX_SEQUENCES // candidates} {reason}; got {self.n}"
            raise UnacceptableRequest("n", message)
        return candidates

    def params(self, seed: int) -> SamplingParams:
        """Return how the poem that belongs to seed is drawn."""
        return SamplingParams(self.temperature, self.top_k or 0, self.top_p or 1.0, seed)

    @property
    def given(self) -> str:
        """The characters that the poem must have, wherever they stand."""
        return "".join([self.start or "", *(self.opening or ()), self.acrostic or ""])

    def spec(self, seed: int) -> PoemSpec:
        """Return what is asked of the poem that belongs to seed."""
        return PoemSpec(
            start=self.start,
            length=self.length,
            form=self.form,
            meter=self.meter,
            opening=tuple(self.opening or ()),
            acrostic=self.acrostic,
            rhyme=frozenset() if self.rhyme is None else groups_asked(self.rhyme),
            pattern=self.pattern,
            title=self.title,
            theme=self.theme,
            author=self.author,
            era=self.era,
            guidance=self.guidance,
            candidates=self.candidates or 1,
            rare=self.rare,
            novel=self.novel,
            params=self.params(seed),
            script=self.script,
        )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"start": "日", "length": 28, "temperature": 0.8},
                {"form": "lushi-5", "title": "登鹳雀楼", "era": "tang", "seed": 7},
                {"acrostic": "春夏秋冬", "script": "traditional"},
                {"opening": "白日依山尽，黄河入海流。", "form": "五绝", "n": 2},
                {"title": "雪夜", "form": "jueju-7", "guidance": 4, "candidates": 8},
                {"start": "月", "length": 200, "candidates": 1, "novel": True, "theme": "外婆"},
            ]
        }
    )
