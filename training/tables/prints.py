"""Derives how the model's characters are printed: model/verse/prints.tsv and standard.tsv.

    python -m training.tables.prints --unihan FILE --itaiji FILE --corpus ARCHIVE \\
        --prints FILE --standard FILE

In simplified script a character is printed as 通用规范汉字表 (2013) has it: as OpenCC simplifies it
if that is in the list, else as the form of the same character, or of one that means and sounds the
same, that is. In traditional script it is printed as Big5 has it, 爲 as 為 and 鳬 as 鳧. A mere
form of another character is printed as that one: 邉 as 边 and 邊. Pairs in which a character stays
as it is (乾坤) are listed as such. No print takes a reading away: 旂, which rhymes with 微, is not
printed as 旗.

Sources: OpenCC's tables (Apache License 2.0, from the package opencc-python-reimplemented); Unihan
15.0 (Unicode License v3): kTGH, kMandarin and the variants; the package ja-itaiji 1.0.2 (MIT
License), file ja-itaiji.json; the corpus for the counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated

import typer

from model.verse.rhymes import LEVEL_GROUPS, Rhymes
from model.verse.script import is_han, standard_forms, unify
from training.archive import read_archive
from training.tables.glyphs import mere_forms, read_families
from training.tables.phonetics import read_property
from training.tables.rhymes import unihan_variants
from training.tables.variants import Usage, opencc_table

HEADER = """\
# How characters, and pairs of them, are printed in simplified and in traditional script, where it
# is otherwise than they are written; 形 if it is a mere form of another character. Made by
# training.tables.prints. Sources: OpenCC (Apache License 2.0), Unihan 15.0 (Unicode License v3),
# ja-itaiji 1.0.2 (MIT License).
"""
STANDARD_HEADER = """\
# The characters of 通用规范汉字表 (2013) in the basic plane that GB 2312 has not. Made by
# training.tables.prints. Source: Unihan 15.0 (Unicode License v3), kTGH.
"""
MERE = "形"  # of the rows of mere forms
BASIC_PLANE = 0x10000
MEANINGS = ("kZVariant", "kSemanticVariant")  # that relate two forms of one word, the surest first
MIN_PHRASE = 3  # times that a pair of characters comes in the corpus to be listed
# As simplified editions print poems, where the list has both forms and OpenCC keeps the other.
EDITED = {"著": "着", "祇": "只"}
EDITED_PHRASES = {"著書": "著书", "著作": "著作", "著述": "著述", "名著": "名著", "顯著": "显著",
                  "昭著": "昭著", "神祇": "神祇", "地祇": "地祇", "彷彿": "仿佛"}  # fmt: skip


@dataclass(frozen=True)
class Forms:
    """What the sources say of written forms.

    Args:
        listed: The characters of 通用规范汉字表 that common fonts have.
        simplified: OpenCC's simplified form of traditional characters.
        traditional: Characters that OpenCC takes for traditional forms of simplified ones.
        simplifications: Characters that it takes for simplified ones.
        variants: Property of Unihan -> character -> other forms of it.
        counts: How often the corpus has each character.
        rhymes: How characters are read.
        mere: The character that others are mere forms of; see training.tables.glyphs.
    """

    listed: frozenset[str]
    simplified: dict[str, str]
    traditional: frozenset[str]
    simplifications: frozenset[str]
    variants: Mapping[str, Mapping[str, set[str]]]
    counts: Counter[str]
    rhymes: Rhymes
    mere: Mapping[str, str] = field(default_factory=dict)

    def simplify(self, character: str) -> str:
        """Return the simplified form of a character, itself if it has none in common fonts."""
        simplified = self.simplified.get(character, character)
        return simplified if ord(simplified) < BASIC_PLANE else character

    def print_simplified(self, character: str) -> str:
        """Return how simplified script prints one of the model's characters."""
        if character in EDITED:
            return EDITED[character]
        plain = self.simplify(character)
        if character not in standard_forms(plain) and not self.sounds_alike(character, plain):
            plain = character
        if plain in self.listed and in_codec(plain, "gb2312"):
            return plain
        standard = self._standard(character)
        if standard and (plain not in self.listed or in_codec(self.simplify(standard), "gb2312")):
            return EDITED.get(standard, self.simplify(standard))
        return plain

    def print_traditional(self, character: str) -> str:
        """Return how traditional script prints one of the model's characters."""
        codec = "cp950" if character in self.traditional else "big5"  # cp950 has seven more
        if in_codec(character, codec):
            return character
        forms = self._siblings[character] - self.simplifications
        known = [form for form in forms if in_codec(form, "big5")]
        standard = self._standard(character)
        if standard and in_codec(standard, "big5"):
            known = known or [standard]
        known = known or [*self._simplified_alike(character), *self._simplified_alike(standard)]
        return max(known, key=lambda form: (self.counts[form], form), default=character)

    def _standard(self, character: str) -> str | None:
        """Return the form whose simplified one is listed and that stands for a character."""
        groups = [self._siblings[character]]
        groups += [self.variants.get(name, {}).get(character, set()) for name in MEANINGS]
        votes = Counter(
            form
            for group in groups
            for form in group
            if self.simplify(form) in self.listed and self.sounds_alike(character, unify(form))
        )
        best = max(votes, key=lambda form: (votes[form], self.counts[form], form), default=None)
        return best or self.mere.get(character)

    def is_odd(self, character: str) -> bool:
        """Return whether no list has a character, and it has no simplified form of its own."""
        listed = character in self.listed or in_codec(character, "gb2312")
        return not listed and character not in self.simplified and not self._standard(character)

    def _simplified_alike(self, character: str | None) -> list[str]:
        """Return the forms in Big5 that simplified script prints like a character: 鳧 for 鳬."""
        plain = self.simplified.get(character or "")
        return [
            form
            for form, own in self.simplified.items()
            if own == plain and in_codec(form, "big5")
            if self.sounds_alike(character or "", unify(form))
        ]

    def sounds_alike(self, character: str, other: str) -> bool:
        """Return whether one can stand for the other in verse: in its tones and its rhymes."""
        own, theirs = (self.rhymes.readings(c, usual=True) for c in (character, other))
        groups = {reading.group for reading in theirs}
        return {r.tone for r in own} <= {r.tone for r in theirs} and all(
            reading.group in groups for reading in own if reading.group in LEVEL_GROUPS
        )

    @cached_property
    def _siblings(self) -> dict[str, set[str]]:
        """The written forms that stand for each of the model's characters, but for itself."""
        siblings: dict[str, set[str]] = defaultdict(set)
        for character in every_character():
            unified = unify(character)
            if unified != character:
                siblings[unified].add(character)
        return siblings


def every_character() -> Iterator[str]:
    """Yield the ideographs of the basic plane, and those beyond it that the model may know."""
    yield from filter(is_han, map(chr, (*range(0x3400, 0xA000), *range(0x20000, 0x32000))))


def in_codec(character: str, codec: str) -> bool:
    """Return whether a character set has a character."""
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def read_forms(unihan: Path, counts: Counter[str]) -> Forms:
    """Read the sources; Unihan's other files lie beside Unihan_Variants.txt, packed as it is."""
    mappings = unihan.with_name(unihan.name.replace("Variants", "OtherMappings"))
    listed = frozenset(c for c in read_property(mappings, "kTGH") if ord(c) < BASIC_PLANE)
    simplified = {c: forms[0] for c, forms in opencc_table("TSCharacters")}
    rows = dict(opencc_table("STCharacters"))
    return Forms(
        listed,
        simplified,
        traditional=frozenset(form for forms in rows.values() for form in forms),
        simplifications=frozenset(c for c, forms in rows.items() if c not in forms),
        variants=unihan_variants(unihan),
        counts=counts,
        rhymes=Rhymes.load(),
    )


def with_mere_forms(forms: Forms, unihan: Path, itaiji: Path, poems: Iterable[str]) -> Forms:
    """Return the sources with the characters that are mere forms of others."""
    families = {
        character: {other for other in others if forms.simplify(other) in forms.listed}
        for character, others in read_families(itaiji).items()
        if forms.is_odd(character)
    }
    readings = unihan.with_name(unihan.name.replace("Variants", "Readings"))
    usage = Usage(poems, {*families, *chain(*families.values())})
    mandarin = read_property(readings, "kMandarin")
    return replace(forms, mere=mere_forms(families, usage, mandarin, forms.sounds_alike))


def phrase_prints(forms: Forms, prints: Mapping[str, str], pairs: Counter[str]) -> dict[str, str]:
    """Return the pairs in which a character that is printed otherwise alone stays as it is."""
    found = {unify(phrase): printed for phrase, printed in EDITED_PHRASES.items()}
    for phrase, (printed, *_) in opencc_table("TSPhrases"):
        if len(phrase) == len(printed) == 2 and pairs[phrase] >= MIN_PHRASE:
            alone = [prints.get(c, c) for c in phrase]
            stays = [own == p != q for own, p, q in zip(phrase, printed, alone, strict=True)]
            if any(stays) and set(printed) <= forms.listed:
                found.setdefault(phrase, printed)
    return found


def table(forms: Forms, pairs: Counter[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what is printed otherwise than written: characters or pairs, and their two prints."""
    simplified, traditional = dict[str, str](), dict[str, str]()
    for character in every_character():
        if unify(character) == character:
            simplified[character] = forms.print_simplified(character)
            traditional[character] = forms.print_traditional(character)
        elif (plain := forms.simplify(character)) != character:
            simplified[character] = plain
    for character, printed in simplified.items():
        usual = traditional.get(character, character)
        if (printed, usual) != (character, character):
            yield character, printed, usual
    for phrase, printed in sorted(phrase_prints(forms, simplified, pairs).items()):
        yield phrase, printed, "".join(traditional.get(c, c) for c in phrase)


def count(poems: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Return how often the characters and the pairs of characters of poems come."""
    characters, pairs = Counter[str](), Counter[str]()
    for poem in poems:
        characters.update(poem)
        pairs.update(map("".join, pairwise(unify(poem))))
    return characters, pairs


def main(
    corpus: Annotated[Path, typer.Option(help="Upstream's archive, or a directory of it.")],
    unihan: Annotated[Path, typer.Option(help="Unihan_Variants.txt, plain or .bz2.")],
    itaiji: Annotated[Path, typer.Option(help="The list of ja-itaiji.")],
    prints: Annotated[Path, typer.Option(help="Where the table of prints goes.")],
    standard: Annotated[Path, typer.Option(help="Where the listed characters go.")],
) -> None:
    """Derive how characters are printed."""
    poems = ["".join(poem["paragraphs"]) for _, poem in read_archive(corpus)]
    characters, pairs = count(poems)
    forms = with_mere_forms(read_forms(unihan, characters), unihan, itaiji, poems)
    rows = list(table(forms, pairs))
    lines = "".join("\t".join((*row, MERE) if row[0] in forms.mere else row) + "\n" for row in rows)
    prints.write_text(HEADER + lines, encoding="utf-8")
    supplement = sorted(c for c in forms.listed if not in_codec(c, "gb2312"))
    standard.write_text(STANDARD_HEADER + "".join(supplement) + "\n", encoding="utf-8")
    typer.echo(f"{len(rows)} prints, {len(supplement)} listed characters beyond GB 2312")


if __name__ == "__main__":
    typer.run(main)
