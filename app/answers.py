"""What answers hold in JSON, as the OpenAPI page shows it."""

from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from model.poet.poem import Poem


class CheckOut(BaseModel):
    """Whether a rule is kept."""

    holds: bool
    where: list[list[int]] = Field(description="Where it is broken: [line, character], from 1.")
    note: str


class MeterOut(BaseModel):
    """The proof: how the poem was read, and which rules it keeps."""

    genre: str = Field(description="What the poem is by its prosody, such as 律绝 or 古体.")
    pattern: str | None = Field(
        description="How line 1 begins and whether it rhymes; null if not near regulated verse."
    )
    line_types: str
    tones: list[str] = Field(
        description="The tone that each character was read in, one string per line."
    )
    rhyme: str | None = Field(description="The rhyme group, of 平水韵.")
    rhyme_lines: list[int] = Field(description="The lines that rhyme, from 1.")
    regulated: bool = Field(description="Whether it keeps every rule of regulated verse.")
    checks: dict[str, CheckOut] = Field(description="The rules by name.")


class CheckedOut(MeterOut):
    """The proof of a poem that was sent."""

    lines: list[str] = Field(
        description="The lines that were judged, without title, author, notes and punctuation."
    )


class PoemOut(BaseModel):
    """A poem."""

    text: str = Field(description="The poem with its punctuation, one couplet per line.")
    lines: list[str]
    title: str | None
    form: str
    characters: int
    seed: int = Field(
        description="Gives this poem again, in a request with n = 1 and the same candidates."
    )
    candidates: int = Field(description="How many ways to write it went on together.")
    guidance: float = Field(description="How strongly title, author and era steered.")
    bits_per_character: float = Field(
        description="The model's own score in bits per character; lower is more fluent."
    )
    copied_lines: list[str] = Field(description="Lines that are also in the corpus, word for word.")
    start: str | None = Field(
        description="How the start was read, in traditional script; null without one."
    )
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
            candidates=poem.candidates,
            guidance=poem.guidance,
            bits_per_character=round(poem.bits_per_character, 3),
            copied_lines=list(poem.copied_lines),
            start=poem.start,
            meter=MeterOut.model_validate(poem.proof.to_dict()),
        )


class ModelOut(BaseModel):
    """Which model wrote it, on what: if all of this is the same, so is a seed's poem."""

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
    """The model that is served."""

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
    """A health check that succeeds."""

    status: Literal["ok"]
