"""The ci of one tune, aligned character by character: families of poems that run alike.

Of 全宋词's punctuation 。 stands at a rhyme, ， at a line's end, 、 at a pause within a line. Poems
of a family have as many characters and break mostly at the same spots; where an editor read 6-5
another read 4-7.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from model.verse.cilin import Cilin, Part
from model.verse.rhymes import Rhymes, Tone
from model.verse.sound import Sound, sounds
from training.corpus_poem import CorpusPoem

ALIKE = 0.6  # of the line ends of two poems of a family are the same, at least
STOP, COMMA, PAUSE = "。", "，", "、"
MARKS = {"。": STOP, "？": STOP, "！": STOP, "，": COMMA, "；": COMMA, "：": COMMA, "、": PAUSE}

Ends = tuple[int, ...]  # how many characters stand before the end of each line


class Ear:
    """What characters sound like, for one table of readings."""

    def __init__(self, rhymes: Rhymes | None = None, cilin: Cilin | None = None) -> None:
        self._sound = sounds(rhymes or Rhymes.load(), exact=True)
        self._cilin = cilin or Cilin.load()
        self._parts: dict[str, frozenset[Part]] = {}

    def sound(self, character: str) -> Sound:
        """Return what a character sounds like."""
        return self._sound(character)

    def parts(self, character: str) -> frozenset[Part]:
        """Return the parts of 词林正韵 of a character's usual readings."""
        if character not in self._parts:
            groups = self._sound(character).usual_groups
            self._parts[character] = self._cilin.parts(character, groups)
        return self._parts[character]


@dataclass(frozen=True, eq=False)
class Verse:
    """One ci.

    Args:
        characters: All of them, without marks.
        marks: STOP, COMMA or PAUSE by how many characters stand before it.
    """

    characters: str
    marks: Mapping[int, str]

    @classmethod
    def of(cls, poem: CorpusPoem) -> "Verse":
        """Return a poem of the corpus."""
        characters, marks = "", dict[int, str]()
        for character in poem.text:
            if character in MARKS:
                marks[len(characters)] = MARKS[character]
            else:
                characters += character
        return cls(characters, marks)

    @cached_property
    def ends(self) -> Ends:
        """Where its lines end."""
        return tuple(at for at, mark in self.marks.items() if mark != PAUSE)


class Family:
    """Poems of one tune that are aligned.

    Args:
        verses: At least one.
    """

    def __init__(self, verses: list[Verse]) -> None:
        self.verses = verses

    def __len__(self) -> int:
        return len(self.verses)

    @property
    def size(self) -> int:
        """Characters of each poem."""
        return len(self.verses[0].characters)

    @cached_property
    def ends(self) -> Ends:
        """Where the lines of some poems end, in order."""
        return tuple(sorted({at for verse in self.verses for at in verse.ends}))

    def share(self, at: int, marks: str) -> float:
        """Return the share of the poems that have one of marks after so many characters."""
        found = sum(verse.marks.get(at, "") in marks and at in verse.marks for verse in self.verses)
        return found / len(self)

    def by_tone_at_end(self, ear: Ear) -> dict[Tone, "Family"]:
        """Return the poems by the tone of their last character.

        Those that can be read in either are with the tone that most of the others have.
        """
        tones = [frozenset(part.tone for part in ear.parts(v.characters[-1])) for v in self.verses]
        counts = {tone: tones.count(frozenset([tone])) for tone in Tone}
        usual = max(Tone, key=lambda tone: counts[tone])
        found = {
            tone: [
                verse
                for verse, own in zip(self.verses, tones, strict=True)
                if own == {tone} or (tone is usual and tone in own)
            ]
            for tone in Tone
        }
        return {tone: Family(verses) for tone, verses in found.items() if verses}


def families(verses: Iterable[Verse]) -> list[Family]:
    """Return the poems of a tune by family, the largest first; each is in one."""
    left = list(verses)
    found = list[Family]()
    while left:
        counts = Counter((len(verse.characters), verse.ends) for verse in left)
        (size, ends), _ = min(counts.items(), key=lambda item: (-item[1], item[0]))
        family = [v for v in left if len(v.characters) == size and _likeness(v.ends, ends) >= ALIKE]
        found.append(Family(family))
        members = set(map(id, family))
        left = [verse for verse in left if id(verse) not in members]
    return sorted(found, key=lambda family: (-len(family), family.size))


def _likeness(ends: Ends, others: Ends) -> float:
    return len({*ends} & {*others}) / len({*ends} | {*others})
