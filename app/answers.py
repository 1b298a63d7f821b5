"""What answers hold in JSON, as the OpenAPI page shows it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, Field

from app.pinyin import pinyin_of_lines
from model.poet.authors import Author, find_authors
from model.poet.poem import Poem
from model.verse.script import Script, to_script

if TYPE_CHECKING:
    from model.checkpoint import Checkpoint  # has PyTorch, which a client need not have


class CheckOut(BaseModel):
    """Whether a rule is kept."""

    holds: bool = Field(description="Whether it is kept.")
    where: list[list[int]] = Field(description="Where it is broken: [line, character], from 1.")
    note: str = Field(description="How it was met, such as 入韵, or why not; often empty.")


class ParallelismOut(BaseModel):
    """How parallel a couplet is."""

    lines: list[int] = Field(description="Its lines, from 1.")
    likeness: float = Field(
        description="The mean over the characters that stand opposite each other, at most 1."
    )
    quartiles: list[float] = Field(description="Those of people's couplets of this length.")


class TuneProofOut(BaseModel):
    """The variant of a tune that a ci was judged by."""

    code: str = Field(description="What form takes to ask for it.")
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
    line_types: str = Field(
        description="The type of each line, such as aBbA: a and A begin 仄, b and B 平; capital "
        "letters rhyme. Empty if there is no pattern."
    )
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
    parallelism: list[ParallelismOut] = Field(
        default=[],  # of an older service
        description="How parallel the middle couplets of eight lines are (对仗): no rule, and "
        "empty for other poems.",
    )
    tune: TuneProofOut | None = Field(None, description="Of a ci; null for anything else.")
    pinyin: list[list[str]] | None = Field(
        None,
        description="On wish: for each line the syllable of each character, with tone marks, in "
        "the tone that it was read in; empty where none is known.",
    )

    def with_pinyin(self, lines: Sequence[str]) -> Self:
        """Return the same with the pinyin of the lines that it is about."""
        return self.model_copy(update={"pinyin": pinyin_of_lines(lines, self.tones)})


class KeywordOut(BaseModel):
    """A word that the poems know."""

    word: str = Field(description="The word.")
    of: str = Field(description="The part of the theme that it stands for, as it was written.")


class CheckedOut(MeterOut):
    """The proof of a poem that was sent."""

    lines: list[str] = Field(
        description="The lines that were judged, without title, author, notes and punctuation."
    )


class PoemOut(BaseModel):
    """A poem."""

    text: str = Field(
        description="The poem with its punctuation, one couplet per line; of a ci one sentence per "
        "line, and an empty line between stanzas."
    )
    lines: list[str] = Field(description="The lines without punctuation.")
    stanzas: list[int] = Field(description="Lines of each stanza; one number unless it is a ci.")
    title: str | None = Field(description="The title that was asked for, or null.")
    form: str = Field(description="The code of its form, such as jueju-7, or of its tune.")
    characters: int = Field(description="Han characters.")
    seed: int = Field(
        description="Gives this poem again, in a request with n = 1 and the same candidates."
    )
    candidates: int = Field(description="How many ways to write it went on together.")
    guidance: float = Field(description="How strongly title, theme, author and era steered.")
    bits_per_character: float = Field(
        description="The model's own score in bits per character; lower is more fluent."
    )
    copied_lines: list[str] = Field(description="Lines that are also in the corpus, word for word.")
    start: str | None = Field(
        description="How the start was read, in traditional script; null without one."
    )
    keywords: list[KeywordOut] = Field(
        default=[],  # of an older service
        description="The words that the theme was read as, in the script asked for.",
    )
    unmapped: list[str] = Field(
        default=[], description="The words of the theme that nothing stands for."
    )
    meter: MeterOut = Field(description="The proof: how it was read, and which rules it keeps.")

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
            keywords=[KeywordOut(word=each.word, of=each.of) for each in poem.keywords],
            unmapped=list(poem.unmapped),
            meter=MeterOut.model_validate(poem.proof.to_dict()),
        )


class ModelOut(BaseModel):
    """Which model wrote it, on what: if all of this is the same, so is a seed's poem."""

    name: str = Field(description="The checkpoint's name.")
    checksum: str = Field(description="SHA-256 of the checkpoint.")
    device: str = Field(description="Where it computes: cpu or cuda.")
    dtype: str = Field(description="The number format that it computes in.")


class NoteOut(BaseModel):
    """What was understood otherwise than it was written."""

    field: str = Field(description="The field of the request.")
    kind: Literal["length", "substituted", "alias"] = Field(
        description="length: a poem has whole couplets of equal lines; substituted: the model "
        "knows another character for it; alias: a poet's other name."
    )
    written: str = Field(description="What the request has.")
    read: str = Field(description="What it was read as, in the script of the answer.")
    message: str = Field(description="In English, or in Chinese if Accept-Language prefers it.")


class GenerateResponse(BaseModel):
    """The poems."""

    poems: list[PoemOut] = Field(description="As many as n asked for.")
    notes: list[NoteOut] = Field(
        [], description="What was understood otherwise than it was written."
    )
    model: ModelOut = Field(description="Which model wrote them, on what.")
    elapsed_s: float = Field(description="Seconds that it took.")


class ModelCard(ModelOut):
    """The model that is served."""

    vocab_size: int = Field(description="Tokens that it knows.")
    parameters: int = Field(description="Numbers that it learnt.")
    author_count: int = Field(description="Authors that it knows; /authors lists them.")
    corpus_commit: str | None = Field(description="The commit of chinese-poetry that it learnt.")
    corpus_poems: int | None = Field(description="The poems that it learnt.")
    steps: int | None = Field(description="Steps of its training.")
    validation_bits: float | None = Field(
        description="Bits per character of poems that it did not learn, without a header."
    )
    authors: list[str] = Field(
        description="Goes with the next release: see /authors.",
        json_schema_extra={"deprecated": True},
    )
    provenance: dict[str, Any] = Field(
        description="Goes with the next release, but for what stands above.",
        json_schema_extra={"deprecated": True},
    )

    @classmethod
    def of(cls, model: ModelOut, checkpoint: "Checkpoint") -> Self:
        """Return the card of a checkpoint; what its provenance lacks is null."""
        corpus, training = (
            dict(checkpoint.provenance.get(part) or {}) for part in ("corpus", "training")
        )
        return cls(
            **model.model_dump(),
            vocab_size=checkpoint.config.vocab_size,
            parameters=sum(weight.numel() for weight in checkpoint.weights.values()),
            author_count=len(checkpoint.vocabulary.authors),
            corpus_commit=corpus.get("commit") or None,
            corpus_poems=(corpus.get("splits") or {}).get("train"),
            steps=training.get("step"),
            validation_bits=training.get("validation_bits"),
            authors=list(checkpoint.vocabulary.authors),
            provenance=dict(checkpoint.provenance),
        )


class AuthorOut(BaseModel):
    """An author whose manner can be asked for."""

    name: str = Field(description="In traditional script.")
    simplified: str = Field(description="In simplified script.")
    eras: list[str] = Field(description="唐, 宋 or both; empty if the corpus does not say.")
    poems: int | None = Field(
        description="Poems of the author in the corpus of Tang and Song; null if it has few."
    )

    @classmethod
    def of(cls, author: Author) -> Self:
        """Return an author's JSON."""
        return cls(
            name=to_script(author.name, Script.TRADITIONAL),
            simplified=to_script(author.name, Script.SIMPLIFIED),
            eras=list(author.poems),
            poems=sum(author.poems.values()) or None,
        )


class Authors(BaseModel):
    """Authors that the model knows, those of the most poems first."""

    total: int = Field(description="How many there are, beyond the limit, too.")
    authors: list[AuthorOut] = Field(description="Those found, up to the limit.")

    @classmethod
    def named(cls, part: str, known: Iterable[str], limit: int) -> Self:
        """Return those whose name has a part, at most limit of them."""
        found = list(find_authors(known, part))
        return cls(total=len(found), authors=[AuthorOut.of(author) for author in found[:limit]])


class Health(BaseModel):
    """A health check that succeeds."""

    status: Literal["ok"] = Field(description="ok; anything else is an error's status.")
