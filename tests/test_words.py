import numpy as np
import pytest

from model.poet.words import Word, Words
from model.verse.table import TableError
from training.corpus_poem import CorpusPoem
from training.tables.words import divergences, find_words

WORDS = Words({"雪": Word(5000, 0.5), "明月": Word(40, 1.25), "一": Word(1, 0.0)})


def test_words_are_read_as_they_were_written_but_for_rounding() -> None:
    again = Words.from_bytes(WORDS.to_bytes())
    assert len(again) == 3
    for word in ("雪", "明月", "一"):
        assert again[word].count == pytest.approx(WORDS[word].count, rel=0.1)
        assert again[word].sense == pytest.approx(WORDS[word].sense, abs=0.01)
    assert "月" not in again


def test_what_is_no_list_of_words_is_refused() -> None:
    with pytest.raises(TableError, match="begins with 'yin-words 1'"):
        Words.from_bytes(b"yin-parallels 1 ")
    with pytest.raises(TableError, match="damaged"):
        Words.from_bytes(WORDS.to_bytes()[:-1])


def corpus() -> list[CorpusPoem]:
    """Return poems under 雪 that are of ice, others under 次 that are of anything."""
    ice, sun = "氷寒白凍明月，氷寒白凍明月。", "日紅山水一二，日紅山水一二。"
    return [
        CorpusPoem("", "雪" if n % 2 else "次", (ice if n % 2 or n % 4 == 0 else sun,))
        for n in range(80)
    ]


def test_pairs_that_belong_together_are_words() -> None:
    words = find_words(corpus(), scale=0.5)
    assert "明月" in words
    assert "月氷" not in words
    assert "雪" not in words  # in titles alone
    assert words["明月"].count == words["月"].count


def test_a_word_says_as_much_as_the_poems_below_it_differ_from_all() -> None:
    p = np.array([0.5, 0.25, 0.25])
    same, other = divergences(np.array([[500.0, 250, 250], [0, 0, 50_000]]), p)
    assert same == pytest.approx(0, abs=1e-9)
    assert other == pytest.approx(np.log(4), abs=0.2)


def test_a_word_that_is_seldom_seen_says_little() -> None:
    p = np.array([0.5, 0.25, 0.25])
    assert divergences(np.array([[0.0, 0, 20]]), p)[0] < 0.01
