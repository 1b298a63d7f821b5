"""What answers hold in JSON, as the OpenAPI page shows it."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from app.pinyin import pinyin_of_lines
from model.poet.poem import Poem


class CheckOut(BaseModel):
    """Whether a rule is kept."""

    holds: bool
    where: list[list[int]] = Field(description="Where it is broken: [line, character], from 1.")
    note: str


class TuneProofOut(BaseModel):
    """The variant of a tune that a ci was judged by."""

    code: str
    name: str = Field(description="Such as 临江仙（六十字）.")
    poems: int = Field(description="Poems of the corpus that run so.")
    stanzas: list[int] = Field(description="Lines of each stanza.")
    patterns: list[str] = Field(description="Each line's places: 平, 仄, or 中 where free.")
    rhymes: list[str] = Field(
        description="The letter of each line's rhyme, small if oblique; empty if it has none."
    )
    parts: dict[str, str | None] = Field(description="Each letter's part of 词林正韵.")


class MeterOut(BaseModel):
    """The proof: how the poem was read, and which rules it keeps."""

    genre: str = Field(description="What the poem is by its prosody, such as 律绝, 古体 or 词.")
    pattern: str | None = Field(
        description="How line 1 begins and whether it rhymes; of a ci its tune; null if not near "
        "regulated verse."
    )
    line_types: str
    tones: list[str] = Field(
        description="The tone that each character was read in, one string per line."
    )
    rhyme: str | None = Field(
        description="The rhyme group, of 平水韵; of a ci the parts of 词林正韵."
    )
    rhyme_lines: list[int] = Field(description="The lines that rhyme, from 1.")
    regulated: bool = Field(
        description="Whether it keeps every rule of regulated verse, or of its tune."
    )
    checks: dict[str, CheckOut] = Field(description="The rules by name.")
    tune: TuneProofOut | None = Field(None, description="Of a ci; null for anything else.")
    pinyin: list[list[str]] | None = Field(
        None,
        description="On wish: for each line the syllable of each character, with tone marks, in "
        "the tone that it was read in; empty where none is known.",
    )

    def with_pinyin(self, lines: Sequence[str]) -> Self:
        """Return the same with the pinyin of the lines that it is about."""
        return self.model_copy(update={"pinyin": pinyin_of_lines(lines, self.tones)})


class PoemOut(BaseModel):
    """A poem."""

    text: str = Field(
        description="The poem with its punctuation, one couplet per line; of a ci one sentence per "
        "line, and an empty line between stanzas."
    )
    lines: list[str]
    stanzas: list[int] = Field(description="Lines of each stanza; one number unless it is a ci.")
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

    def with_pinyin(self) -> Self:
        """Return the same with pinyin in its proof."""
        return self.model_copy(update={"meter": self.meter.with_pinyin(self.lines)})

    @classmethod
    def of(cls, poem: Poem) -> Self:
        """Return a poem's JSON."""
        return cls(
            text=poem.text,
            lines=list(poem.lines),
            stanzas=list(poem.stanzas),
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


class NoteOut(BaseModel):
    """What was understood otherwise than it was written."""

    field: str = Field(description="The field of the request.")
    kind: Literal["length", "substituted", "alias"] = Field(
        description="length: a poem has whole couplets of equal lines; substituted: the model "
        "knows another character for it; alias: a poet's other name."
    )
    written: str
    read: str = Field(description="In the script of the answer.")
    message: str = Field(description="In English, or in Chinese if Accept-Language prefers it.")


class GenerateResponse(BaseModel):
    """The poems."""

    poems: list[PoemOut]
    notes: list[NoteOut] = Field(
        [], description="What was understood otherwise than it was written."
    )
    model: ModelOut
    elapsed_s: float


class ModelCard(ModelOut):
    """The model that is served."""

    vocab_size: int
    parameters: int
    authors: list[str]
    provenance: dict[str, Any]


class Health(BaseModel):
    """A health check that succeeds."""

    status: Literal["ok"]
