"""A theme in free words, read as words that the corpus knows.

Characters are cut into words: those of the corpus stand for themselves. Others, modern ones and
English ones, are looked up in CC-CEDICT, and words of the corpus stand in for them, by what they
score together:

    the same gloss        外婆, "maternal grandmother", and 母 by the last word of that
    beside its glosses    咖啡, "coffee": 茶 stands in entries that speak of coffee
    its own characters    火車, unless it is a foreign word spelt out: 車

Each score is less for words that are commoner in the dictionary than in the corpus (電).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, islice, pairwise
from math import sqrt

from model.poet.dictionary import Dictionary, Entry
from model.poet.gloss import EMPTY, is_foreign, phrases, senses, singular, words
from model.poet.keyword import Keyword
from model.poet.words import Words
from model.verse.script import is_han, unify
from model.wish import UnmetWish

MAX_THEME = 200  # characters
MAX_KEYWORDS = 6
LONGEST_CUT = 4  # characters of a word of the dictionary that is looked for
MAX_CHARACTERS = 8  # of all keywords together: titles are seldom longer
FEW = 2  # words of a theme, of which each may become two
MAX_STRANGERS = 24  # words of a theme that are looked up
LEAST_SCORE = 0.2  # of a word that may stand in for another
SECOND, LEAST_SECOND = 0.6, 0.8  # of the best score, and at all, that a second word needs
MAX_SENSES, MAX_WORDS = 4, 8  # of an entry, and of a sense, that count
THEMES_KEPT = 256

SAME, LAST_WORD, OWN, OWN_LAST, OWN_PAIR, TWICE, MODIFIES = 4.0, 0.8, 0.3, 0.1, 1.0, 2.0, 1.2
FOREIGN = 0.2  # times the score of the characters that only spell a foreign word
SAYS = 0.15  # nats that a word's titles say, enough for a keyword
COMMON = 40.0  # times in the corpus for each entry of the dictionary: a word of the poems

# What carries no sense of its own, and what it costs within another word.
PARTICLES = dict.fromkeys("的了着著過过在是和與与及或這这那也都就很把被從从到對对嗎吗呢吧啊呀", 1.2)
PARTICLES |= dict.fromkeys("我你您他她它們们哪個个一不讓让給给為为之其於于而且", 0.5)
Scores = defaultdict[str, float]  # by word of the corpus

TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")


@dataclass(frozen=True)
class Theme:
    """What became of a theme.

    Args:
        keywords: In the order of the theme; one at the least.
        unmapped: The words that nothing stands for, as they were written.
    """

    keywords: tuple[Keyword, ...]
    unmapped: tuple[str, ...]

    @property
    def text(self) -> str:
        """The keywords, one after the other."""
        return "".join(keyword.word for keyword in self.keywords)


class NoThemeFits(UnmetWish):
    """A theme of which no word leads to one that the corpus knows."""

    def __init__(self, unmapped: Sequence[str]) -> None:
        named = "、".join(unmapped[:8]) or "it has none but particles"
        message = f"none of its words leads to one that the poems know: {named}; try others"
        super().__init__(message, field="theme")


class Themes:
    """Reads themes.

    Args:
        corpus: The words that the corpus knows.
        dictionary: Returns what other words mean; called when the first of them comes.
    """

    def __init__(self, corpus: Words, dictionary: Callable[[], Dictionary]) -> None:
        self._corpus, self._dictionary = corpus, dictionary
        self.read = lru_cache(THEMES_KEPT)(self._read)

    def _read(self, text: str) -> Theme:
        """Return what a theme of at most MAX_THEME characters becomes.

        Raises:
            NoThemeFits: If none of its words leads anywhere.
        """
        parts = [*dict.fromkeys(self._cut(text))]
        each = 1 if len(parts) > FEW else 2
        found, unmapped, strangers = list[Keyword](), list[str](), 0
        for part in parts:
            known = self._own_word(part)
            strangers += known is None
            read = [known] if known else self._stand_ins(part, each) * (strangers <= MAX_STRANGERS)
            found += [Keyword(word, part) for word in read]
            unmapped += [part] * (not read)
        chosen = self._choose(found)
        if not chosen:
            raise NoThemeFits(unmapped)
        return Theme(tuple(chosen), tuple(unmapped))

    def _own_word(self, part: str) -> str | None:
        """Return a part as a word of the corpus, if it is one as it stands."""
        word = unify(part)
        return word if is_han(part[0]) and word in self._corpus else None

    def _choose(self, found: Iterable[Keyword]) -> list[Keyword]:
        """Return the keywords that say most, as many as a title holds, in their order."""
        first = dict[str, Keyword]()
        for keyword in found:
            first.setdefault(keyword.word, keyword)
        ranked = sorted(first, key=lambda word: -self._corpus[word].sense)
        kept, size = set[str](), 0
        for word in ranked:
            if len(kept) < MAX_KEYWORDS and size + len(word) <= MAX_CHARACTERS:
                kept.add(word)
                size += len(word)
        return [keyword for word, keyword in first.items() if word in kept]

    def _cut(self, text: str) -> Iterator[str]:
        """Yield the words of a theme that carry sense, as they are written."""
        for is_word, run in _runs(text):
            if is_word:
                yield from self._cut_english(run)
            else:
                yield from (part for part in self._cut_han(run) if part not in PARTICLES)

    def _cut_english(self, run: str) -> Iterator[str]:
        """Yield the words of a run of English, longer glosses of a word of the corpus first."""
        tokens, at = run.split(), 0
        while at < len(tokens):
            for size in (3, 2, 1):
                part = " ".join(tokens[at : at + size])
                if size == 1 or self._named(part):
                    break
            if part.lower() not in EMPTY:
                yield part
            at += len(part.split())

    def _cut_han(self, run: str) -> list[str]:
        """Return a run of Han characters, cut into the fewest words."""
        parts = _fewest(run, self._is_known)
        if self._is_known(run) or all(map(self._is_pair, parts)):
            return parts
        return _fewest(run, self._is_word)

    def _is_known(self, part: str) -> bool:
        return unify(part) in self._corpus

    def _is_pair(self, part: str) -> bool:
        return len(part) == 2 and self._is_known(part)

    def _is_word(self, part: str) -> bool:
        """Return whether a part is a word of the corpus, or of the dictionary but not two of it."""
        if len(part) == 4 and self._is_pair(part[:2]) and self._is_pair(part[2:]):
            return False
        return self._is_known(part) or (len(part) <= LONGEST_CUT and part in self._meanings)

    @cached_property
    def _meanings(self) -> Dictionary:
        return self._dictionary()

    def _named(self, phrase: str) -> bool:
        lower = singular(phrase.lower())
        return any(self._meanings.named(verb + lower) for verb in ("", "to "))

    def _stand_ins(self, part: str, most: int) -> list[str]:
        """Return the words of the corpus that stand in for another, the best first."""
        scores = self._scores(part)
        ranked = sorted(scores, key=lambda word: (-scores[word], word))
        best = scores[ranked[0]] if ranked else 0.0
        if best < LEAST_SCORE:
            return []
        enough = max(LEAST_SECOND, SECOND * best)
        others = (w for w in ranked[1:] if w[0] not in ranked[0] and ranked[0] not in w)
        return [ranked[0], *(word for word in islice(others, most - 1) if scores[word] >= enough)]

    def _scores(self, part: str) -> Scores:
        """Return what the words of the corpus score that may stand in for another."""
        scores = Scores(float)
        if not is_han(part[0]):
            lower = part.lower()
            entries = [Entry("", f"{lower}/to {lower}")]
        else:
            entries = [*self._meanings.entries(part)]
        for rank, entry in enumerate(entries):
            for order, sense in enumerate(senses(entry.glosses)[:MAX_SENSES]):
                self._add_sense(scores, sense, entry.word, 1 / (1 + rank + order))
        if entries and entries[0].word:
            foreign = is_foreign(entries[0].glosses)
            self._add_own(scores, entries[0].word, foreign=foreign)
        for word in scores:
            scores[word] *= self._age(word) * self._weight(word)
        return scores

    def _add_sense(self, scores: Scores, sense: str, own: str, weight: float) -> None:
        """Add what one sense of a word says for others."""
        for phrase in phrases(sense):
            for word, share in self._meanings.named(phrase).items():
                scores[word] += SAME * weight * share
            verb = "to " if phrase.startswith("to ") else ""
            last = verb + singular(phrase.split()[-1])
            if last != phrase:
                for word, share in self._meanings.named(last).items():
                    scores[word] += LAST_WORD * weight * share
        for english in dict.fromkeys(words(sense)[:MAX_WORDS]):
            for word, share in self._meanings.beside(english, own):
                scores[word] += weight * share

    def _add_own(self, scores: Scores, own: str, *, foreign: bool) -> None:
        """Add what a word's own characters say for themselves."""
        for word in scores:
            if set(word) <= set(own):
                last = TWICE if word[-1] == own[-1] else MODIFIES
                scores[word] *= FOREIGN if foreign else last
        if foreign:
            return
        for character in own:
            if character in self._corpus:
                scores[character] += OWN + OWN_LAST * (character == own[-1])
        for pair in map("".join, pairwise(own)):
            if pair in self._corpus:
                scores[pair] += OWN_PAIR

    def _age(self, word: str) -> float:
        """Return 1 for a word of the poems, less for one that is commoner in the dictionary."""
        shares = (
            self._corpus[c].count / (COMMON * max(1, self._meanings.uses(c)))
            if c in self._corpus
            else 0.0
            for c in word
        )
        return min(1.0, sqrt(min(shares)))

    def _weight(self, word: str) -> float:
        """Return 1 for a word whose titles say something of their poems, down to a half."""
        says = self._corpus[word].sense if word in self._corpus else 0.0
        return 0.5 + min(0.5, says / SAYS / 2)


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the runs of a theme: whether it is English, and its words; or its Han characters."""
    for match in re.finditer(rf"(?:{TOKEN.pattern}\s*)+|[^\x00-\x7f]+", text):
        run = match[0]
        if run[0].isascii():
            yield True, " ".join(TOKEN.findall(run))
        else:
            for is_character, characters in groupby(run, key=is_han):
                if is_character:
                    yield False, "".join(characters)


def _fewest(run: str, knows: Callable[[str], bool]) -> list[str]:
    """Return a run cut into the fewest parts that are known, or one character each.

    A particle within a part counts as much as another part, or half: 在下雨 is 在 and 下雨. Of cuts
    that count the same it is that with the longest last part.
    """
    best: list[tuple[float, list[str]]] = [(0.0, [])]
    for end in range(1, len(run) + 1):
        options = []
        for start in range(max(0, end - LONGEST_CUT), end):
            part = run[start:end]
            if len(part) == 1 or knows(part):
                cost = best[start][0] + 1
                if len(part) > 1:
                    cost += max((PARTICLES.get(c, 0.0) for c in part), default=0.0)
                options.append((cost, [*best[start][1], part]))
        best.append(min(options, key=lambda option: option[0]))
    return best[-1][1]
