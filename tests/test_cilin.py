import pytest

from model.verse.cilin import Cilin, Part
from model.verse.rhymes import Rhymes, Tone
from training.tables.cilin import Row, divided, parts_of_groups, parts_of_rhymes
from training.tables.rhymes import MERGER

LEVEL, OBLIQUE = Tone.PING, Tone.ZE


def parts_of(character: str) -> frozenset[Part]:
    """Return the parts of all readings of a character in the packaged tables."""
    return Cilin.load().parts(character, Rhymes.load().groups(character))


@pytest.mark.parametrize(
    ("character", "part"),
    [
        ("東", Part(1, LEVEL)),
        ("江", Part(2, LEVEL)),
        ("回", Part(3, LEVEL)),  # 十灰 is divided: 回 by 灰
        ("來", Part(5, LEVEL)),  # … 來 by 咍
        ("魂", Part(6, LEVEL)),  # 十三元: 魂
        ("園", Part(7, LEVEL)),  # … 元
        ("蛙", Part(10, LEVEL)),  # 九佳, closed
        ("街", Part(5, LEVEL)),  # … open
        ("水", Part(3, OBLIQUE)),
        ("泰", Part(5, OBLIQUE)),  # 九泰, open
        ("外", Part(3, OBLIQUE)),  # … closed
        ("卦", Part(10, OBLIQUE)),
        ("買", Part(5, OBLIQUE)),
        ("月", Part(18, OBLIQUE)),
        ("業", Part(19, OBLIQUE)),  # 十六葉: 業
    ],
)
def test_a_character_is_in_its_part(character: str, part: Part) -> None:
    assert part in parts_of(character)


def test_the_entering_tone_has_parts_of_its_own() -> None:
    assert {part.number for part in parts_of("月")} == {18}
    assert Part(18, OBLIQUE).entering
    assert not Part(3, OBLIQUE).entering
    assert [Part(n, LEVEL).name for n in (3, 10, 11, 19)] == [
        "第三部",
        "第十部",
        "第十一部",
        "第十九部",
    ]


def test_every_rhyme_of_the_old_book_is_in_a_part() -> None:
    rhymes = {
        (tone, rhyme)
        for tone, groups in MERGER.items()
        for entry in groups.split()
        for rhyme in entry.split(":")[1]
    }
    assert parts_of_rhymes().keys() == rhymes
    divided_groups = {group for (_, group), parts in parts_of_groups().items() if len(parts) > 1}
    assert len(divided_groups) == 10


def test_a_reading_that_the_book_lacks_is_in_both_parts_of_its_group() -> None:
    key = ("平", "十灰")
    rows = [Row("甲", *key, ""), Row("乙", *key, "丙"), Row("丁", "平", "一東", "")]
    found = list(divided(rows, {("丙", key): {5}}))
    assert found == [(key, 3, "甲"), (key, 5, "乙甲")]


@pytest.mark.parametrize("line", ["平\t一東\t1", "平\t一東\tone\t", "平\t一東\t20\t"])
def test_a_table_of_another_kind_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="expected tone, group, part and characters"):
        Cilin.parse([line])


def test_the_packaged_table_is_what_the_command_makes() -> None:
    pytest.importorskip("tshet_uinh")
    from pathlib import Path

    from training.tables.cilin import parts_in_guangyun, read_readings

    table = Path(__file__).parents[1] / "model/verse"
    listed = [
        line.split("\t")
        for line in (table / "cilin.tsv").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#") and line.split("\t")[3]
    ]
    made = divided(read_readings(table / "rhymes.tsv"), parts_in_guangyun())
    assert listed == [[*key, str(part), characters] for key, part, characters in made]
