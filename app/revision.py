"""What a revision asks for and answers in JSON, as the OpenAPI page shows it."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.answers import ModelOut
from app.fields import AS_CHARACTERS, AnEra, AScript, Strict, none_for
from app.saying import Said
from app.schemas import GUIDANCE, MAX_GUIDANCE
from model.poet.revision import MOST_SPOTS, MOST_SUGGESTIONS, RevisionSpec, Suggestion
from model.sampling import MAX_SEED, MAX_TEMPERATURE, SamplingParams

MOST_NAMED = 32  # spots in a request, however they stand
Number = Annotated[int, Field(ge=1)]


def _pair(spot: object) -> object:
    """Refuse what is no pair; leave its numbers to their own checks."""
    if not isinstance(spot, list) or len(spot) != 2:
        raise Said("must be [line, character], such as [4, 1]", "须为 [句, 字]，如 [4, 1]")
    return spot


Place = Annotated[list[Number], Field(min_length=2, max_length=2), BeforeValidator(_pair)]


class ReviseRequest(Strict):
    """A poem, and what to replace in it: spots, a line, or every □."""

    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1000,
            description="The poem, in either script, perhaps with title and notes around it; at "
            "most 200 characters of verse.",
        ),
    ]
    spots: Annotated[
        list[Place] | None,
        Field(
            min_length=1,
            max_length=MOST_NAMED,
            description=f"What to replace: [line, character], both from 1; at most {MOST_SPOTS}, "
            "or those of one line, within four lines in a row.",
            examples=[[[4, 1]]],
        ),
    ] = None
    line: Annotated[
        Number | None, Field(description="The line to replace whole, from 1; instead of spots.")
    ] = None
    n: Annotated[int, Field(ge=1, le=MOST_SUGGESTIONS, description="Suggestions at most.")] = (
        MOST_SUGGESTIONS
    )
    title: Annotated[
        str | None,
        Field(min_length=1, max_length=20, description="What the poem is about."),
        AS_CHARACTERS,
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
    guidance: Annotated[
        float,
        Field(
            ge=0,
            le=MAX_GUIDANCE,
            description="How strongly title, author and era steer where several characters are "
            "open; 1 as the model by itself.",
        ),
    ] = GUIDANCE
    temperature: Annotated[
        float,
        Field(
            ge=0,
            le=MAX_TEMPERATURE,
            description="How wildly to draw where several characters are open.",
        ),
    ] = 1.0
    seed: Annotated[
        int | None,
        Field(
            ge=0,
            le=MAX_SEED,
            description="The same seed gives the same suggestions; drawn if absent. Of one spot "
            "nothing is drawn.",
        ),
        none_for(-1),
    ] = None
    rare: Annotated[
        bool, Field(description="Whether characters that common fonts lack may be suggested.")
    ] = False
    novel: Annotated[
        bool,
        Field(
            description="true: nothing that makes a line of the corpus, unless it was one before."
        ),
    ] = True
    script: Annotated[
        AScript | None,
        Field(description="The script of what is suggested; null for that of the poem."),
    ] = None

    @model_validator(mode="after")
    def _marks_once(self) -> Self:
        if self.spots is not None and self.line is not None:
            raise Said("name spots or line, not both", "spots 与 line 只可用其一")
        return self

    def spec(self, seed: int) -> RevisionSpec:
        """Return what is asked."""
        return RevisionSpec(
            self.text,
            spots=tuple((line - 1, character - 1) for line, character in self.spots or ()),
            line=None if self.line is None else self.line - 1,
            number=self.n,
            title=self.title,
            author=self.author,
            era=self.era,
            guidance=self.guidance,
            rare=self.rare,
            novel=self.novel,
            params=SamplingParams(self.temperature, seed=seed),
            script=self.script,
        )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。", "spots": [[4, 1]]},
                {"text": "白日依山尽，黄河入海流。□□千里目，更上一层楼。"},
                {
                    "text": "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。",
                    "line": 3,
                    "title": "登鹳雀楼",
                    "seed": 7,
                },
            ]
        }
    )


class SuggestionOut(BaseModel):
    """One way to replace what was asked."""

    characters: str = Field(description="What stands at the spots, in their order.")
    lines: list[str] = Field(description="The poem with it.")
    text: str = Field(description="The same with punctuation, one couplet per line.")
    bits: float = Field(
        description="Minus log2 of the probability by the model of it and of what follows: lower "
        "is likelier."
    )
    regulated: bool = Field(description="Whether the poem with it is regulated verse.")

    @classmethod
    def of(cls, suggestion: Suggestion) -> Self:
        """Return a suggestion's JSON."""
        return cls(
            characters=suggestion.characters,
            lines=list(suggestion.lines),
            text=suggestion.text,
            bits=round(suggestion.bits, 2),
            regulated=suggestion.regulated,
        )


class ReviseResponse(BaseModel):
    """Suggestions, the best first."""

    lines: list[str] = Field(description="The poem as it was read.")
    spots: list[list[int]] = Field(description="What is replaced: [line, character], from 1.")
    suggestions: list[SuggestionOut] = Field(description="At least one, and at most n.")
    kept: list[str] = Field(description="The rules of verse that every suggestion keeps.")
    seed: int = Field(description="Gives the same suggestions again.")
    model: ModelOut = Field(description="Which model suggests, on what.")
    elapsed_s: float = Field(description="Seconds that it took.")
