"""Derives model/verse/variants.tsv: which written characters are one, and which are several.

Two forms are one character if a source relates them and the corpus uses them alike: the
Bhattacharyya coefficient of their neighbours reaches what two samples of one character of that
frequency reach. So 煙 and 烟 are one, 余 and 餘 are not. The commonest form stands for its class.

Sources: OpenCC's character tables (Apache License 2.0, from the package
opencc-python-reimplemented); Unihan Variants (Unicode License v3); the corpus for the counts.
"""

import bz2
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from training.archive import read_archive

HEADER = """\
# Written forms; what they stand for in the model's script, the commonest first; percent of the use
# of these characters that each has. Made by training.tables.variants. Sources: OpenCC
# (Apache License 2.0), Unihan Variants (Unicode License v3), and how often the poems of Tang and
# Song use each form.
"""
CONTEXT_SIZE = 3000  # the commonest characters, as neighbours
# Likeness that forms of one character reach if the rarer comes so many times.
LIKENESS = ((0, 0.10), (20, 0.22), (50, 0.33), (100, 0.42), (200, 0.50), (300, 0.56), (700, 0.62),
            (1500, 0.70))  # fmt: skip
GLYPH_LENIENCE = 0.8  # where a source says that the two differ in glyph only
RARE = 20  # a form as rare as this shows nothing: glyph relations are believed
RARE_SIMPLIFIED = 100  # likewise, where a form is simplified from one character only
UNUSED = 5  # a form as rare as this may be what any source says
# Used alike, but not the same: two words for I; distinct in simplified script; two words for pale.
DISTINCT = frozenset(map(frozenset, ("予余", "沈沉", "淡澹", "只祇")))

Pair = frozenset[str]


class DictionaryMissing(FileNotFoundError):
    """OpenCC's tables as text are not installed; the message says what has them."""


@dataclass(frozen=True)
class Relations:
    """What the sources say.

    Args:
        glyphs: Pairs that differ in glyph.
        meanings: Pairs that may mean the same.
        simplified: What a simplified character may stand for in traditional script.
    """

    glyphs: frozenset[Pair]
    meanings: frozenset[Pair]
    simplified: dict[str, tuple[str, ...]]


def read_relations(unihan: Path) -> Relations:
    """Read OpenCC's tables and Unihan_Variants.txt, plain or .bz2.

    Raises:
        DictionaryMissing: If OpenCC's tables are not installed as text.
    """
    simplified = {c: tuple(forms) for c, forms in opencc_table("STCharacters")}
    glyphs = {
        frozenset((form, c))
        for table in ("TWVariants", "HKVariants", "JPVariants")
        for c, forms in opencc_table(table)
        for form in forms
    }
    glyphs |= {
        frozenset((c, form)) for c, forms in simplified.items() if c not in forms for form in forms
    }
    distinct = {frozenset((c, f)) for c, forms in simplified.items() if c in forms for f in forms}
    glyphs |= {frozenset((c, normal)) for c, normal in _compatibility_ideographs()}
    meanings = set[Pair]()
    for kind, first, second in _unihan(unihan):
        if kind == "kZVariant":
            glyphs.add(frozenset((first, second)))
        elif kind == "kSemanticVariant":
            meanings.add(frozenset((first, second)))
    dropped = distinct | DISTINCT
    return Relations(frozenset(glyphs - dropped), frozenset(meanings - dropped), simplified)


def opencc_table(table: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of one of OpenCC's tables.

    Raises:
        DictionaryMissing: If OpenCC's tables are not installed as text.
    """
    path = resources.files("opencc").joinpath(f"dictionary/{table}.txt")
    if not path.is_file():
        raise DictionaryMissing(
            f"the installed opencc has no dictionary/{table}.txt; put the package"
            " opencc-python-reimplemented first in PYTHONPATH, which has it"
        )
    for line in path.read_text(encoding="utf-8").splitlines():
        character, _, forms = line.partition("\t")
        yield character, forms.split()


def _unihan(path: Path) -> Iterator[tuple[str, str, str]]:
    text = bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()
    for line in text.decode().splitlines():
        if line.startswith("U+"):
            code, kind, values = line.split("\t")
            for value in values.split():
                yield kind, chr(int(code[2:], 16)), chr(int(value.partition("<")[0][2:], 16))


def _compatibility_ideographs() -> Iterator[tuple[str, str]]:
    for code in (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20)):
        normal = unicodedata.normalize("NFKC", chr(code))
        if normal != chr(code):
            yield chr(code), normal


class Usage:
    """How a corpus uses characters.

    Args:
        texts: The poems.
        wanted: The characters whose neighbours are counted.
    """

    def __init__(self, texts: Iterable[str], wanted: Iterable[str]) -> None:
        poems = list(texts)
        self.counts = Counter("".join(poems))
        marks = {c for c in self.counts if not unicodedata.category(c).startswith("L")}
        common = [c for c, _ in self.counts.most_common(CONTEXT_SIZE) if c not in marks]
        self._columns = {c: column for column, c in enumerate(common)}
        self._neighbours: dict[str, NDArray[np.float64]] = {
            c: np.zeros((2, len(common))) for c in wanted if c in self.counts
        }
        for poem in poems:
            for left, right in pairwise(poem):
                if left in self._columns and right in self._neighbours:
                    self._neighbours[right][0, self._columns[left]] += 1
                if right in self._columns and left in self._neighbours:
                    self._neighbours[left][1, self._columns[right]] += 1

    def likeness(self, first: str, second: str) -> float:
        """Return the Bhattacharyya coefficient of two characters' neighbours, 0 to 1."""
        a, b = self._neighbours[first], self._neighbours[second]
        norm = np.sqrt(a.sum() * b.sum())
        return float(np.sqrt(a * b).sum() / norm) if norm else 0.0


def classes(relations: Relations, usage: Usage) -> dict[str, str]:
    """Return the standard form of every character that is not its own."""
    parents: dict[str, str] = {}

    def root(character: str) -> str:
        while character in parents:
            character = parents[character]
        return character

    for pair in sorted(relations.glyphs | relations.meanings, key=sorted):
        if len(pair) == 2 and _is_one_character(pair, relations, usage):
            common, rare = sorted(map(root, pair), key=lambda c: (-usage.counts[c], c))
            if common != rare:
                parents[rare] = common
    return {character: root(character) for character in parents}


def _is_one_character(pair: Pair, relations: Relations, usage: Usage) -> bool:
    first, second = pair
    count = min(usage.counts[first], usage.counts[second])
    is_glyph = pair in relations.glyphs
    meanings = [relations.simplified[c] for c in pair if c in relations.simplified]
    if is_glyph and len(meanings) == 1 and len(meanings[0]) == 1 and count < RARE_SIMPLIFIED:
        return True
    if count < RARE:
        return is_glyph and all(len(characters) == 1 for characters in meanings)
    needed = max(likeness for least, likeness in LIKENESS if count >= least)
    return usage.likeness(first, second) >= needed * (GLYPH_LENIENCE if is_glyph else 1)


def written_forms(relations: Relations, usage: Usage) -> dict[str, list[str]]:
    """Return what each written character may stand for, the commonest first."""
    standard = classes(relations, usage)
    forms = defaultdict(set, {c: {form} for c, form in standard.items()})
    for character, traditional in relations.simplified.items():
        if character not in standard or len(traditional) > 1:
            forms[character] |= {standard.get(c, c) for c in traditional}
            if usage.counts[character] >= RARE and character not in standard:
                forms[character].add(character)
    for character, partners in _partners(relations.meanings).items():
        used = {standard.get(c, c) for c in partners if usage.counts[c] >= RARE}
        if usage.counts[character] < UNUSED and character not in forms and len(used) == 1:
            forms[character] = used
    for character, stands_for in forms.items():
        forms[character] = {end for form in stands_for for end in _ends(form, forms)}
    for character in {form for stands_for in forms.values() for form in stands_for} & forms.keys():
        forms[character].add(character)
    return {
        character: sorted(stands_for, key=lambda c: (-usage.counts[c], c))
        for character, stands_for in sorted(forms.items())
        if stands_for != {character}
    }


def percents(forms: Sequence[str], usage: Usage) -> list[int]:
    """Return how much each form has of the use of them all; equal parts if none is used."""
    counts = [usage.counts[form] for form in forms]
    total = sum(counts)
    return [round(100 * count / total) if total else 100 // len(forms) for count in counts]


def _ends(form: str, forms: dict[str, set[str]]) -> set[str]:
    """Return what a form stands for in the end: itself, unless it is no standard form."""
    stands_for = forms.get(form, {form})
    return {form} if form in stands_for else stands_for


def _partners(pairs: Iterable[Pair]) -> dict[str, set[str]]:
    partners: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        for character in pair:
            partners[character] |= pair - {character}
    return partners


def main(
    corpus: Annotated[Path, typer.Option(help="Upstream's archive, or a directory of it.")],
    unihan: Annotated[Path, typer.Option(help="Unihan_Variants.txt, plain or .bz2.")],
    out: Annotated[Path, typer.Option(help="Where the table goes.")],
) -> None:
    """Derive the table of written forms."""
    relations = read_relations(unihan)
    wanted = {c for pair in relations.glyphs | relations.meanings for c in pair}
    usage = Usage(("".join(poem["paragraphs"]) for _, poem in read_archive(corpus)), wanted)
    forms = written_forms(relations, usage)
    rows = (
        f"{character}\t{''.join(stands)}\t{' '.join(map(str, percents(stands, usage)))}\n"
        for character, stands in forms.items()
    )
    out.write_text(HEADER + "".join(rows), encoding="utf-8")
    merged = sum(usage.counts[c] for c, stands in forms.items() if c not in stands)
    typer.echo(f"{len(forms)} written forms, {merged} characters of the corpus unified")


if __name__ == "__main__":
    typer.run(main)
