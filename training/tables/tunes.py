"""Derives model/verse/tunes.tsv, how the tunes of ci run, from the corpus alone.

    python -m training.tables.tunes --poems corpus/ci-train.jsonl --out model/verse/tunes.tsv

A tune's poems are aligned by character. Where their lines end, pause and rhyme, which rhymes belong
together, the strings of tones of each line and what is said again are what most poems have; names,
pinyin, and where the stanzas end if their shape does not show it, are typed (tune_names.tsv).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Annotated

import typer

from training.command import reporting
from training.corpus_poem import read_poems
from training.tables.tune_names import Name, read_names
from training.tables.tune_poems import Ear, Verse
from training.tables.tune_variants import Line, Variant, find_variants

LEAST_POEMS = 20  # of a tune's largest family
LETTERS = "ABCDEFGH"
HEADER = (
    "# How the tunes of ci run. Made by training.tables.tunes from the chinese-poetry corpus at",
    "# commit 99ebbef (MIT License); names and some stanzas by hand. Three kinds of rows. tune:",
    "# name, pinyin, other names, poems. variant, the commonest first: poems, poems that its tones",
    "# are from, percent of these that keep every rhyme, percent of each oblique rhyme that is of",
    "# the entering tone. line: stanza, characters between pauses, rhyme (small if oblique), what",
    "# is said again (spot:earlier spot, from 1 in the poem), strings of tones and their percent.",
)


def tunes_of(
    verses: Mapping[str, list[Verse]], names: Mapping[str, Name], ear: Ear
) -> Iterator[tuple[Name, list[Variant]]]:
    """Yield the tunes that have enough poems, the commonest first, with their variants.

    A variant that is another tune's own, and commoner there, is that tune.
    """
    found = {
        name: sorted(find_variants(verses[name], ear), key=lambda v: (-v.poems, v.size))
        for name in names
        if name in verses
    }
    found = {
        name: variants
        for name, variants in found.items()
        if variants and max(variant.family for variant in variants) >= LEAST_POEMS
    }
    homes = {_shape(variants[0]): name for name, variants in sorted(found.items(), key=_by_poems)}
    for name, variants in sorted(found.items(), key=_by_poems, reverse=True):
        own = [v for v in variants if homes.get(_shape(v), name) == name or v is variants[0]]
        yield names[name], list(_with_stanzas(own, names[name]))


def _by_poems(item: tuple[str, list[Variant]]) -> tuple[int, str]:
    name, variants = item
    return sum(variant.poems for variant in variants), name


def _shape(variant: Variant) -> tuple[tuple[int, int | None], ...]:
    return tuple((line.end, line.rhyme) for line in variant.lines)


def _with_stanzas(variants: Iterable[Variant], name: Name) -> Iterator[Variant]:
    """Yield variants with their stanzas: typed, shown by their shape, or by another's shape."""
    shown = dict[int, tuple[int, ...]]()
    for variant in variants:
        ends = tuple(accumulate(variant.stanzas))[:-1]
        if ends:
            shown.setdefault(variant.size, tuple(variant.lines[n - 1].end for n in ends))
    for variant in variants:
        ends_at = {line.end: number for number, line in enumerate(variant.lines, 1)}
        breaks = name.breaks.get(variant.size) or shown.get(variant.size, ())
        if breaks and all(at in ends_at for at in breaks):
            cuts = [0, *(ends_at[at] for at in breaks), len(variant.lines)]
            sizes = (end - start for start, end in pairwise(cuts))
            variant = replace(variant, stanzas=tuple(sizes))
        yield variant


def rows_of(name: Name, poems: int, variants: Iterable[Variant]) -> Iterator[str]:
    """Yield the rows of a tune."""
    yield "\t".join(("tune", name.name, name.pinyin, " ".join(name.others), str(poems)))
    for variant in variants:
        entering = " ".join(f"{LETTERS[n].lower()}{s:.0%}" for n, s in variant.entering.items())
        kept = f"{100 * variant.kept:.0f}"
        yield "\t".join(
            ("variant", str(variant.poems), str(variant.family), kept, entering.replace("%", ""))
        )
        stanzas = (n for n, size in enumerate(variant.stanzas, 1) for _ in range(size))
        for stanza, line in zip(stanzas, variant.lines, strict=True):
            yield "\t".join(("line", str(stanza), *_cells(line)))


def _cells(line: Line) -> tuple[str, str, str, str]:
    cuts = [0, *line.pauses, line.size]
    sizes = "、".join(str(end - start) for start, end in pairwise(cuts))
    oblique = all(tones.endswith("仄") for tones in line.tones)
    letter = "" if line.rhyme is None else LETTERS[line.rhyme]
    again = " ".join(f"{spot + 1}:{earlier + 1}" for spot, earlier in sorted(line.again.items()))
    tones = " ".join(f"{tones}{max(1, round(100 * share))}" for tones, share in line.tones.items())
    return sizes, letter.lower() if oblique else letter, again, tones


def main(
    poems: Annotated[Path, typer.Option(help="Ci of the corpus, a JSON object a line.")],
    out: Annotated[Path, typer.Option(help="Where the table goes.")] = Path(
        "model/verse/tunes.tsv"
    ),
) -> None:
    """Derive the table, and report each tune's poems, sharpness and kept rhymes."""
    ear, verses = Ear(), defaultdict[str, list[Verse]](list)
    with reporting(OSError, ValueError):
        names = read_names()
        for poem in read_poems(poems):
            verses[poem.tune].append(Verse.of(poem))
    found = list(tunes_of(verses, names, ear))
    rows = [
        row for name, variants in found for row in rows_of(name, len(verses[name.name]), variants)
    ]
    out.write_text("\n".join([*HEADER, *rows]) + "\n", encoding="utf-8")
    for name, variants in found:
        for variant in variants:
            typer.echo(
                f"{name.name} {variant.size}: {variant.poems} of {variant.family} poems, "
                f"sharp {variant.sharpness:.0%}, rhymes kept {variant.kept:.0%}"
            )
    typer.echo(f"{len(found)} tunes, {sum(len(v) for _, v in found)} variants")


if __name__ == "__main__":
    typer.run(main)
