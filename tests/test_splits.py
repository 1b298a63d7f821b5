"""Splits: poems that share a line stay together, and none leaks."""

from training.corpus_poem import CorpusPoem
from training.splits import SPLITS, STOCK_LINE, divide, drop_leaks, find_clusters


def poem(*lines: str) -> CorpusPoem:
    return CorpusPoem("", "", tuple(f"{line}。" for line in lines))


def test_poems_that_share_a_line_are_one_cluster() -> None:
    poems = [
        poem("日月山水雲", "一"),
        poem("二", "日月山水雲", "花風雨春秋"),
        poem("花風雨春秋"),
        poem("三"),
    ]
    first, second, third, fourth = find_clusters(poems)
    assert first == second == third != fourth


def test_a_short_line_or_a_formula_ties_nothing_together() -> None:
    short = [poem("日月山水", str(n)) for n in range(2)]
    formula = [poem("日月山水雲", str(n)) for n in range(STOCK_LINE + 1)]
    assert len(set(find_clusters(short))) == 2
    assert len(set(find_clusters(formula))) == len(formula)


def test_a_cluster_goes_to_one_split() -> None:
    poems = [poem(chr(0x4E00 + n) * 5, chr(0x4E00 + n // 3) * 6) for n in range(3000)]
    splits = divide(poems, find_clusters(poems))
    lines = [{line for each in splits[name] for line in each.lines} for name in SPLITS]
    assert all(lines)
    assert not lines[0] & lines[1]
    assert not lines[0] & lines[2]
    assert not lines[1] & lines[2]


def test_held_out_poems_that_share_a_line_after_all_are_dropped() -> None:
    splits = {
        "train": [poem("一一", "甲")],
        "validation": [poem("一一", "乙"), poem("二二", "丙")],
        "test": [poem("二二", "丁"), poem("三三", "戊")],
    }
    assert drop_leaks(splits) == 2
    assert splits["validation"] == [poem("二二", "丙")]
    assert splits["test"] == [poem("三三", "戊")]


def test_beside_other_splits_poems_give_way_wherever_they_share_a_line() -> None:
    others = {
        "train": [poem("一一一一一")],
        "validation": [poem("二二二二二")],
        "test": [poem("三三三三三", "短")],
    }
    splits = {
        "train": [poem("二二二二二"), poem("一一一一一"), poem("短", "甲")],
        "validation": [poem("一一一一一"), poem("三三三三三"), poem("二二二二二"), poem("乙")],
        "test": [poem("二二二二二"), poem("三三三三三", "丙")],
    }
    assert drop_leaks(splits, others, least=5) == 4
    assert splits["train"] == [poem("一一一一一"), poem("短", "甲")]
    assert splits["validation"] == [poem("二二二二二"), poem("乙")]
    assert splits["test"] == [poem("三三三三三", "丙")]
