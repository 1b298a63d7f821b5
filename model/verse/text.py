"""Reads text as people paste it: written forms folded, and the poem found in what stands around it.

fold() leaves of a text its characters, □ for each that cannot be read, marks of punctuation, spaces
and line ends. find_poem() takes from it the lines of one poem.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from model.verse.scansion import split_lines
from model.verse.script import is_han

UNREADABLE = "□"
PLACEHOLDERS = "■○◯▢〓＊*\ufffd"
MARKS = "，。！？；、,.!?;．｡､"  # that end a line of verse
COMPATIBLE = (
    (0x2E80, 0x2FDF),
    (0x3038, 0x303A),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x2F800, 0x2FA1F),
)
CUTS = {10: 5, 14: 7, 20: 5, 28: 7, 40: 5, 56: 7}  # characters without a mark, and a line's
MODERN = re.compile("[的这們们吗呢這嗎]")  # of prose about poems, not of poems
LONGEST_LINE = 11  # characters of a line of verse

_LINE_ENDS = re.compile("\r\n?|[\v\f\u0085\u2028\u2029]")
_COMPOSED = re.compile(r"\{[^{}\n]*\}")  # {釒基}: a character that the writer had no code for
_NOTES = re.compile(
    r"\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|［[^［］]*］|〔[^〔〕]*〕|【[^【】]*】|〈[^〈〉]*〉"
)
_QUOTES = re.compile("[\"'“”‘’「」『』﹁﹂﹃﹄＂＇`]")
_LETTERS = re.compile(r"[^\W\d_]+")


class StrangeCharacter(ValueError):
    """A character that is none of verse.

    Args:
        character: Which.
    """

    def __init__(self, character: str) -> None:
        super().__init__(f"must be Chinese characters only, without {character!r}")
        self.character = character


class Excerpt(NamedTuple):
    """The poem of a text.

    Args:
        lines: Its lines, without punctuation.
        above: What stands before it, such as title and author, a line or half line each.
        below: What stands after it.
    """

    lines: tuple[str, ...]
    above: tuple[str, ...]
    below: tuple[str, ...]


class Segment(NamedTuple):
    """What stands between two marks or line ends.

    Args:
        text: Its characters.
        marked: Whether a mark of punctuation ends it.
        line: The number of its line, spaces that divide lines taken for line ends.
    """

    text: str
    marked: bool
    line: int


def fold(text: str) -> str:
    """Return text with each character in its usual form and without what is no character or mark.

    Forms for compatibility and radicals become the characters that they stand for; 々 the one
    before it; what stands for a character that is not known, □. Notes in brackets, quotation marks,
    Mandarin spelling, digits and what is invisible are left out.
    """
    text = _LETTERS.sub(_read_letters, _bare(text))
    text = "".join(c for c in text if not unicodedata.category(c).startswith("N") or is_han(c))
    text = _without_repeats(text)
    return "\n".join(map(_without_spacing, text.split("\n")))


def read_lines(text: str) -> list[str]:
    """Return the runs of Han characters of what a caller asks for, as fold() reads them.

    Raises:
        StrangeCharacter: If there is anything but characters, marks, spaces and notes.
    """
    bare = _bare(text)
    strangers = (c for c in bare if not (is_han(c) or c in "々〻\n" or _is_mark(c)))
    stranger = next(strangers, None)
    if stranger is not None:
        raise StrangeCharacter(stranger)
    return split_lines(fold(text))


def find_poem(text: str, *, spoken: bool = False) -> Excerpt:
    """Return the poem of a text, and what stands above and below it.

    Of blocks of lines that are no prose it is the one with most lines of one length, without title,
    author and signature. 20, 28, 40 or 56 characters without marks are cut into lines.

    Args:
        text: As it was pasted.
        spoken: Whether 这 and 的 may stand in verse, as in 这次第，怎一个愁字了得.
    """
    folded = fold(text)
    readings = [folded]
    if re.search(r"[^\s?]\?[^\s?]", folded):
        readings.append(folded.replace("?", UNREADABLE))
    return max((_excerpt(reading, spoken=spoken) for reading in readings), key=_evenness)


def _bare(text: str) -> str:
    """Return text in usual forms, without notes, quotation marks and what is invisible."""
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ").replace("\u3000", " ")
    text = "".join(_compatible(c) for c in text if c == "\n" or not _is_invisible(c))
    text = _COMPOSED.sub(UNREADABLE, text)
    for _ in range(3):  # notes within notes
        text = _NOTES.sub("", text)
    return _QUOTES.sub("", text).translate(dict.fromkeys(map(ord, PLACEHOLDERS), UNREADABLE))


def _is_mark(character: str) -> bool:
    """Return whether a character is a mark of punctuation or a space."""
    return unicodedata.category(character)[0] in "PZ"


def _compatible(character: str) -> str:
    """Return what a character made for compatibility, or a radical, stands for."""
    if any(first <= ord(character) <= last for first, last in COMPATIBLE):
        return unicodedata.normalize("NFKC", character)
    return character


def _is_invisible(character: str) -> bool:
    """Return whether a character is a control, a format character or a variation selector."""
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return selector or unicodedata.category(character) in ("Cc", "Cf")


def _read_letters(match: re.Match[str]) -> str:
    """Return the characters of a run of letters: a single Latin one is □, spelling is nothing."""
    runs = groupby(match[0], key=lambda letter: is_han(letter) or letter in "々〻")
    return "".join(_read_run("".join(run), is_read=is_read) for is_read, run in runs)


def _read_run(run: str, *, is_read: bool) -> str:
    if is_read:
        return run
    return UNREADABLE if len(run) == 1 and run.isascii() else ""


def _without_repeats(text: str) -> str:
    """Return text with the character before it in place of each sign that it comes again."""
    read = ""
    for character in text:
        if character not in "々〻":
            read += character
        elif read and _is_read(read[-1]):
            read += read[-1]
    return read


def _without_spacing(line: str) -> str:
    """Return a line without the spaces that merely spread its characters out."""
    parts = line.split(" ")
    words = [part for part in parts if part]
    if len(words) > 2 and all(sum(map(_is_read, word)) <= 1 for word in words):
        return "".join(words)
    return " ".join(words)


def _is_read(character: str) -> bool:
    return is_han(character) or character == UNREADABLE


def _segments(text: str) -> list[Segment]:
    """Return what stands between the marks, line ends and dividing spaces of folded text."""
    segments = []
    for number, line in enumerate(re.split(r"[\n ]|[：:·•]", text)):
        for part in re.findall(f"[^{re.escape(MARKS)}]+[{re.escape(MARKS)}]?", line):
            found = "".join(split_lines(part))
            if found:
                segments.append(Segment(found, part[-1] in MARKS, number))
    return segments


def _excerpt(text: str, *, spoken: bool) -> Excerpt:
    """Return the best poem of folded text."""
    segments = _segments(text)
    blocks = [_trimmed(block) for block in _blocks(segments, spoken=spoken)]
    if not blocks:
        return Excerpt((), (), ())
    best = max(blocks, key=_evenness_of)
    first, last = best[0], best[-1]
    at, end = segments.index(first), len(segments) - segments[::-1].index(last)
    return Excerpt(
        tuple(_cut([segment.text for segment in best])),
        tuple(segment.text for segment in segments[:at]),
        tuple(segment.text for segment in segments[end:]),
    )


def _blocks(segments: Sequence[Segment], *, spoken: bool) -> list[list[Segment]]:
    """Return the runs of lines that are no prose; all segments if everything is."""
    blocks: list[list[Segment]] = [[]]
    for _, members in groupby(segments, key=lambda segment: segment.line):
        line = list(members)
        prose = any(_is_prose(segment, spoken=spoken) for segment in line)
        if prose and {len(segment.text) for segment in line} not in ({5}, {7}):
            blocks.append([])
        else:
            blocks[-1] += line
    return [block for block in blocks if block] or [list(segments)] * bool(segments)


def _is_prose(segment: Segment, *, spoken: bool) -> bool:
    too_long = len(segment.text) > LONGEST_LINE and len(segment.text) not in CUTS
    return too_long or (not spoken and bool(MODERN.search(segment.text)))


def _trimmed(block: list[Segment]) -> list[Segment]:
    """Return a block without the title, author and signature around the poem.

    Those are lines without a mark, of another length than the poem's lines; where the poem has
    marks, of any length; and the first of an odd number of lines of one length.
    """
    size = _size(block)
    marked = sum(segment.marked for segment in block) > 1

    def is_around(segment: Segment) -> bool:
        return not segment.marked and (len(segment.text) != size or marked)

    kept = list(block)
    while len(kept) > 1 and is_around(kept[0]):
        kept.pop(0)
    while len(kept) > 1 and is_around(kept[-1]) and len(kept[-1].text) != size:
        kept.pop()
    if len(kept) in (5, 9) and {len(segment.text) for segment in kept} == {size} and not marked:
        kept.pop(0)
    return kept


def _size(block: Iterable[Segment]) -> int:
    """Return the length of most segments, that of a regulated line of several; cut ones first."""
    counts = Counter(len(segment.text) for segment in block)
    return max(counts, key=lambda size: (counts[size] * size, size in (5, 7), size))


def _cut(texts: Sequence[str]) -> list[str]:
    """Return texts, cut into lines where all of them are of a number of whole lines."""
    if any(len(text) not in CUTS for text in texts):
        return list(texts)
    return [
        text[at : at + CUTS[len(text)]]
        for text in texts
        for at in range(0, len(text), CUTS[len(text)])
    ]


def _evenness_of(block: Sequence[Segment]) -> int:
    return _evenness(Excerpt(tuple(_cut([segment.text for segment in block])), (), ()))


def _evenness(excerpt: Excerpt) -> int:
    """Return how much an excerpt looks like a poem: by its lines of the commonest length."""
    counts = Counter(map(len, excerpt.lines))
    if not counts:
        return 0
    size, count = max(counts.items(), key=lambda item: (item[1], item[0]))
    whole = 100 * (len(counts) == 1 and count in (4, 8))
    return count * (2 if size in (5, 7) else 1) - (len(excerpt.lines) - count) + whole
