"""What a couplet is about: its rarest word."""

import pytest

import training.keywords
from model.vocabulary import KEYWORD, Vocabulary
from training.corpus_poem import CorpusPoem
from training.keywords import with_keywords
from training.piece import Piece, pieces_of

VOCABULARY = Vocabulary("日月山水雲花風雨春秋", keywords=True)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are pairs that come twice and twice as often as by chance."""
    monkeypatch.setattr(training.keywords, "WORD_COUNT", 2)
    monkeypatch.setattr(training.keywords, "WORD_BITS", 1.0)


def keywords(*texts: str) -> list[list[str]]:
    """The keywords of each poem."""
    poems = [CorpusPoem("", "", (text,)) for text in texts]
    found = with_keywords([p for poem in poems for p in pieces_of(poem, VOCABULARY)], VOCABULARY)
    names = []
    for piece in found:
        ids = list(piece.header[-1])
        assert ids[::3] == [VOCABULARY.tokens.index(KEYWORD)] * (len(ids) // 3)
        names.append([VOCABULARY.decode(ids[n : n + 3]) for n in range(0, len(ids), 3)])
    return names


def test_the_rarest_word_of_each_couplet_is_its_keyword() -> None:
    often = ["山水山，水山水。"] * 3
    assert keywords("山水，日月。雲花，風山。", "日月，春秋。雲花，山雨。", *often)[:2] == [
        ["日月", "雲花"],
        ["日月", "雲花"],
    ]


def test_a_pair_that_comes_once_or_by_chance_is_no_word() -> None:
    once, _ = keywords("日月，雲花。", "山水，風雨。")
    assert once == []
    assert keywords(*["山山山山，山山山水。"] * 4)[0] == []


def test_a_couplet_without_a_word_has_no_keyword_and_others_keep_theirs() -> None:
    found = keywords("日月，山花。雲風，秋雨。日月，春水。", "日月，秋水。")
    assert found == [["日月", "日月"], ["日月"]]


def test_a_line_or_a_poem_does_not_lend_its_end_to_a_word() -> None:
    assert keywords("風日，月花。", "春日，月山。") == [[], []]
    assert keywords("風花，山日。月水，雲。", "春雲，水日。月秋，雨。") == [[], []]
    assert keywords("日月，風", "日月，花") == [["日月"], ["日月"]]  # two couplets, without a stop


def test_without_pieces_or_words_there_are_none() -> None:
    assert with_keywords([], VOCABULARY) == []
    lone = Piece(((), [VOCABULARY.eos_id]), [VOCABULARY.eos_id], [0])
    assert with_keywords([lone], VOCABULARY)[0].header == ((), [])
