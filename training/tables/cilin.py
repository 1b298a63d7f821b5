"""Derives model/verse/cilin.tsv: which part of 词林正韵 each reading of rhymes.tsv belongs to.

    python -m training.tables.cilin --out model/verse/cilin.tsv

The nineteen parts are merged from the 206 rhymes of 廣韻, as the 106 groups of 平水韵 are. Most
groups lie in one part whole; ten are divided, and there the character's rhyme in 廣韻 decides,
in two of them whether it is open or closed (開口, 合口) too. A reading that 廣韻 lacks, or has in
both parts of its group, is listed under both.

Sources: 戈載, 词林正韵 (1821, public domain), for the parts; 廣韻 (1008) as the package tshet-uinh
carries it (MIT).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from training.tables.rhymes import MERGER

# Of each part its rhymes of 廣韻 by tone. 開 and 合 stand for the open and the closed characters of
# a rhyme; its labials, which are neither, go with LABIALS.
PARTS = {
    1: "平:東冬鍾 上:董腫 去:送宋用",
    2: "平:江陽唐 上:講養蕩 去:絳漾宕",
    3: "平:支脂之微齊灰 上:紙旨止尾薺賄 去:寘至志未霽祭泰合隊廢",
    4: "平:魚虞模 上:語麌姥 去:御遇暮",
    5: "平:佳開皆咍 上:蟹駭海 去:泰開卦開怪夬代",
    6: "平:真諄臻文欣魂痕 上:軫準吻隱混很 去:震稕問焮慁恨",
    7: "平:元寒桓刪山先仙 上:阮旱緩潸產銑獮 去:願翰換諫襇霰線",
    8: "平:蕭宵肴豪 上:篠小巧晧 去:嘯笑效号",
    9: "平:歌戈 上:哿果 去:箇過",
    10: "平:佳合麻 上:馬 去:卦合禡",
    11: "平:庚耕清青蒸登 上:梗耿靜迥拯等 去:映諍勁徑證嶝",
    12: "平:尤侯幽 上:有厚黝 去:宥候幼",
    13: "平:侵 上:寑 去:沁",
    14: "平:覃談鹽添嚴咸銜凡 上:感敢琰忝儼豏檻范 去:勘闞豔㮇釅陷鑑梵",
    15: "入:屋沃燭",
    16: "入:覺藥鐸",
    17: "入:質術櫛陌麥昔錫職德緝",
    18: "入:物迄月沒曷末黠鎋屑薛葉怗",
    19: "入:合盍業洽狎乏",
}
OPEN, CLOSED = "開", "合"
LABIALS = {"泰": CLOSED, "佳": OPEN, "卦": OPEN}
HEADER = (
    "# The part of 词林正韵 that each group of 平水韵 lies in: tone; group; part; where a group",
    "# is divided, the characters of this part. Made by training.tables.cilin. Sources: 戈載,",
    "# 词林正韵 (1821, public domain); 廣韻 (1008, public domain) as digitised by the nk2028",
    "# project in the package tshet-uinh 0.1.0 (MIT License).",
)

Key = tuple[str, str]  # a tone of 平上去入, and a group of 平水韵 or a rhyme of 廣韻


class Row(NamedTuple):
    """A reading of rhymes.tsv."""

    character: str
    tone: str
    group: str
    source: str  # as the table has it: a character is the form whose reading it is


def parts_of_rhymes() -> dict[Key, dict[str, int]]:
    """Return for each tone and rhyme of 廣韻 its part: by 開 and 合 if divided, else by ''."""
    parts: dict[Key, dict[str, int]] = defaultdict(dict)
    for part, text in PARTS.items():
        for tone, rhymes in (entry.split(":") for entry in text.split()):
            for rhyme, following in zip(rhymes, [*rhymes[1:], ""], strict=True):
                # 合 is the rhyme of 盍 in the entering tone, and no mark.
                marked = tone != "入" and following in (OPEN, CLOSED)
                if tone == "入" or rhyme not in (OPEN, CLOSED):
                    parts[tone, rhyme][following if marked else ""] = part
    return parts


def parts_of_groups() -> dict[Key, set[int]]:
    """Return for each tone and group of 平水韵 the parts that it lies in."""
    parts = parts_of_rhymes()
    return {
        (tone, group): {part for rhyme in rhymes for part in parts[tone, rhyme].values()}
        for tone, groups in MERGER.items()
        for group, rhymes in (entry.split(":") for entry in groups.split())
    }


def parts_in_guangyun() -> dict[tuple[str, Key], set[int]]:
    """Return the parts of each character in each group, as 廣韻 has it."""
    from tshet_uinh import 資料

    parts, found = parts_of_rhymes(), defaultdict[tuple[str, Key], set[int]](set)
    merged = {
        (tone, rhyme): (tone, group)
        for tone, groups in MERGER.items()
        for group, rhymes in (entry.split(":") for entry in groups.split())
        for rhyme in rhymes
    }
    for character in sorted({entry.字頭 for entry in 資料.廣韻.iter條目()}):
        for entry in 資料.query字頭(character):
            key = entry.音韻地位.聲, entry.來源.韻目
            by_mouth = parts.get(key, {})
            mouth = entry.音韻地位.呼 or LABIALS.get(entry.來源.韻目, "")
            part = by_mouth.get(mouth, by_mouth.get(""))
            if part is not None:
                found[character, merged[key]].add(part)
    return found


def divided(
    rows: Iterable[Row], guangyun: Mapping[tuple[str, Key], set[int]]
) -> Iterator[tuple[Key, int, str]]:
    """Yield each divided group's tone and name, with a part and the characters that are in it."""
    both = {key: found for key, found in parts_of_groups().items() if len(found) > 1}
    characters: dict[tuple[Key, int], set[str]] = defaultdict(set)
    for row in rows:
        key = row.tone, row.group
        form = row.source if len(row.source) == 1 else ""
        if key in both:
            own = guangyun.get((row.character, key)) or guangyun.get((form, key)) or both[key]
            for part in own:
                characters[key, part].add(row.character)
    for (key, part), found in sorted(characters.items()):
        yield key, part, "".join(sorted(found))


def read_readings(path: Path) -> Iterator[Row]:
    """Yield the readings of rhymes.tsv."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield Row(*line.split("\t")[:4])


def main(
    readings: Annotated[Path, typer.Option(help="The table of readings.")] = Path(
        "model/verse/rhymes.tsv"
    ),
    out: Annotated[Path, typer.Option(help="Where the table goes.")] = Path(
        "model/verse/cilin.tsv"
    ),
) -> None:
    """Derive the table, and report how many readings are in one part."""
    rows = list(read_readings(readings))
    whole = {key: parts for key, parts in parts_of_groups().items() if len(parts) == 1}
    lines = [*HEADER, *(f"{tone}\t{group}\t{min(p)}\t" for (tone, group), p in whole.items())]
    parts = list(divided(rows, parts_in_guangyun()))
    lines += [f"{tone}\t{group}\t{part}\t{found}" for (tone, group), part, found in parts]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")

    listed = [(key, character) for key, _, found in parts for character in found]
    both = len(listed) - len(set(listed))
    unknown = sum((row.tone, row.group) not in parts_of_groups() for row in rows)
    typer.echo(
        f"{len(rows):,} readings: {len(rows) - both - unknown:,} in one part, {both:,} in two, "
        f"{unknown:,} without a group"
    )


if __name__ == "__main__":
    typer.run(main)
