"""What the rhyme book answers in JSON, as the OpenAPI page shows it."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from app.pinyin import pinyin_of
from model.verse.rhymes import Tone
from model.verse.script import Script, to_script

if TYPE_CHECKING:
    from model.poet.rhyme_book import Entry, Group, UsedReading  # which a client need not have


class ReadingOut(BaseModel):
    """A reading of a character."""

    form: str = Field(description="The traditional character whose reading it is: 髮 of 发.")
    tone: str = Field(description="平 or 仄.")
    category: str = Field(description="平, 上, 去 or 入; 仄 where it is not known which.")
    group: str | None = Field(description="The rhyme group, of 平水韵; null if not known.")
    percent: int = Field(description="Of the character's uses in regulated verse.")
    pinyin: list[str] = Field(description="Today's readings that go with it, with tone marks.")

    @classmethod
    def of(cls, used: "UsedReading", script: Script) -> "ReadingOut":
        """Return a reading's JSON."""
        return cls(
            form=to_script(used.form, Script.TRADITIONAL),
            tone=used.reading.tone.value,
            category=used.reading.category,
            group=to_script(used.reading.group, script) or None,
            percent=used.percent,
            pinyin=pinyin_of(used.form, used.reading.category),
        )


class GroupOut(BaseModel):
    """A rhyme group."""

    name: str = Field(description="Such as 七阳.")
    tone: str = Field(description="平: regulated verse may rhyme in it; else 仄.")
    characters: str = Field(description="Those that rhyme in it, the most used first.")
    neighbours: list[str] = Field(description="Groups that a first line may borrow from (邻韵).")

    @classmethod
    def of(cls, group: "Group") -> "GroupOut":
        """Return a group's JSON."""
        return cls(
            name=group.name,
            tone=(Tone.PING if group.is_level else Tone.ZE).value,
            characters=group.characters,
            neighbours=list(group.neighbours),
        )


class RhymesOut(BaseModel):
    """How a character is read and what rhymes with it, or what rhymes in a group."""

    name: str = Field(description="What was asked for.")
    character: str | None = Field(description="The character; null if a group was asked for.")
    readings: list[ReadingOut] = Field(description="Of the character, the commonest first.")
    groups: list[GroupOut] = Field(description="Those of the readings, or the one asked for.")

    @classmethod
    def of(cls, name: str, entry: "Entry", script: Script) -> "RhymesOut":
        """Return an entry's JSON."""
        return cls(
            name=name,
            character=entry.character,
            readings=[ReadingOut.of(each, script) for each in entry.readings],
            groups=[GroupOut.of(each) for each in entry.groups],
        )
