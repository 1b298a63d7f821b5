import numpy as np
import pytest

from model.verse.parallels import UNIT, Parallelism, Parallels, likeness
from model.verse.proof import check
from model.verse.table import TableError
from training.corpus_poem import CorpusPoem
from training.tables.parallels import build, find_parallels, find_vectors, middle_couplets

TABLE = Parallels(
    "天地日月",
    2,
    bytes([UNIT, 0] * 2 + [0, UNIT] * 2),  # 天 with 地, 日 with 月
    bytes([UNIT, 0] + [0, UNIT] * 2 + [UNIT, 0]),  # 天 with 月, 地 with 日
    {5: (0.1, 0.2, 0.3)},
)
EIGHT = (
    ["一二三四五"] * 2
    + ["天日天日天", "月地月日天"]
    + ["天天天天天", "日地日地日"]
    + ["一二三四五"] * 2
)


def test_a_couplet_is_as_parallel_as_its_characters_go_together() -> None:
    assert TABLE.couplet("天日", "月地") == 1
    assert TABLE.couplet("天日", "地月") == 0
    assert TABLE.couplet("天日", "月一") == 1  # what is not known says nothing
    assert TABLE.couplet("一二", "三四") is None


def test_the_middle_couplets_of_eight_lines_are_judged() -> None:
    assert TABLE.judge(EIGHT) == (
        Parallelism((3, 4), 1.0, (0.1, 0.2, 0.3)),
        Parallelism((5, 6), 0.0, (0.1, 0.2, 0.3)),
    )
    assert TABLE.judge(EIGHT[:4]) == ()
    assert TABLE.judge([*EIGHT[:7], "一二三"]) == ()
    assert TABLE.judge([line + "天天" for line in EIGHT]) == ()  # of no length that was measured


def test_other_vectors_lead_than_judge() -> None:
    assert list(TABLE.leading_vector("日")) == [0, UNIT]
    assert list(TABLE.leading_vector("一")) == []


def test_a_table_is_read_as_it_was_written() -> None:
    assert Parallels.from_bytes(TABLE.to_bytes()) == TABLE


def test_what_is_no_table_is_refused() -> None:
    data = TABLE.to_bytes()
    with pytest.raises(TableError, match="begins with 'yin-parallels 1'"):
        Parallels.from_bytes(b"something else")
    with pytest.raises(TableError, match="damaged"):
        Parallels.from_bytes(data[:-1] + b"\1")


def test_the_packaged_table_knows_what_goes_together() -> None:
    table = Parallels.load()
    vectors = {c: table.leading_vector(c) for c in "白黄山水一雲"}
    assert likeness(vectors["白"], vectors["黄"]) > 0.6
    assert likeness(vectors["山"], vectors["水"]) > 0.4
    assert likeness(vectors["白"], vectors["山"]) < 0.3
    assert len(table.to_bytes()) < 1_000_000
    for first, second, third in table.quartiles.values():
        assert 0 < first < second < third < 1


def test_a_famous_poem_is_parallel_where_it_should_be() -> None:
    poem = (
        "国破山河在，城春草木深。感时花溅泪，恨别鸟惊心。"
        "烽火连三月，家书抵万金。白头搔更短，浑欲不胜簪。"
    )
    found = check(poem).parallelism
    assert found[0].likeness > found[0].quartiles[1]
    assert sum(each.likeness for each in found) / 2 > found[0].quartiles[0]
    assert [each.lines for each in check(poem).parallelism] == [(3, 4), (5, 6)]
    table, lines = Parallels.load(), check(poem).lines
    last = table.couplet(lines[6], lines[7])
    assert last is not None
    assert last < check(poem).parallelism[0].likeness
    assert check(poem).to_dict()["parallelism"][0]["lines"] == [3, 4]


def test_both_scripts_are_judged_alike() -> None:
    simplified = (
        "锦瑟无端五十弦，一弦一柱思华年。庄生晓梦迷蝴蝶，望帝春心托杜鹃。"
        "沧海月明珠有泪，蓝田日暖玉生烟。此情可待成追忆，只是当时已惘然。"
    )
    traditional = (
        "錦瑟無端五十弦，一弦一柱思華年。莊生曉夢迷蝴蝶，望帝春心托杜鵑。"
        "滄海月明珠有淚，藍田日暖玉生煙。此情可待成追憶，只是當時已惘然。"
    )
    assert check(simplified).parallelism == check(traditional).parallelism
    assert not check(simplified[:32]).parallelism


def corpus() -> list[CorpusPoem]:
    """Return poems in which 天 faces 地 and 日 faces 月, and no other way round."""
    ends = "一二三四五，六七八九十。"
    middles = ["天日天日天，地月地月地。", "日天日天日，月地月地月。"]
    orders = ((0, 1), (1, 0), (0, 0), (1, 1))
    eights = [ends + middles[a] + middles[b] + ends for a, b in orders]
    return [CorpusPoem("", "", (text,)) for text in (*eights, ends)]


def test_only_the_middle_of_eight_lines_is_counted() -> None:
    poem = corpus()[0]
    assert middle_couplets(poem) == [("天日天日天", "地月地月地"), ("日天日天日", "月地月地月")]
    assert middle_couplets(corpus()[-1]) == []


def test_what_stands_opposite_becomes_alike() -> None:
    table = build(corpus(), corpus())
    assert set(table.characters) == set("天地日月")
    vectors = {c: table.leading_vector(c) for c in "天地日月"}
    assert likeness(vectors["天"], vectors["地"]) == pytest.approx(1, abs=0.05)
    assert likeness(vectors["天"], vectors["日"]) == pytest.approx(0, abs=0.05)
    assert set(table.quartiles) == {5}
    with pytest.raises(ValueError, match="both halves"):
        find_parallels(corpus()[-1:])


def test_vectors_have_unit_length_and_follow_the_counts() -> None:
    counts = np.array([[0, 9, 1, 1], [9, 0, 1, 1], [1, 1, 0, 9], [1, 1, 9, 0]], dtype=np.float32)
    vectors = find_vectors(counts, 2).astype(int)
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([UNIT] * 4, abs=1)
    products = vectors @ vectors.T / UNIT**2
    assert products[0, 1] == pytest.approx(1, abs=0.05)
    assert abs(products[0, 2]) < 0.05
