import numpy as np
import pytest

from training.corpus_poem import CorpusPoem
from training.evaluation.retrieval import TitleScorer, find_titles, found_among

SNOW, MOON = "雪白寒冰凍", "月明夜光圓"


def corpus() -> list[CorpusPoem]:
    """Return poems about snow and about the moon."""
    snow = [CorpusPoem("", "雪", (f"{SNOW}，山水日人心。",)) for _ in range(30)]
    moon = [CorpusPoem("", "月", (f"{MOON}，山水日人心。",)) for _ in range(30)]
    return snow + moon


def test_a_title_makes_the_characters_of_its_poems_likelier() -> None:
    scores = TitleScorer(corpus(), ["雪", "月"]).scores([SNOW, MOON, "山水日人心"])
    assert scores[0, 0] > 1 > -1 > scores[0, 1]
    assert scores[1, 1] > 1 > -1 > scores[1, 0]
    assert scores[2, 0] == pytest.approx(scores[2, 1], abs=0.1)


def test_a_title_without_known_characters_says_nothing() -> None:
    scores = TitleScorer(corpus(), ["龘"]).scores([SNOW])
    assert scores.tolist() == [[0.0]]


def test_the_own_title_counts_where_it_ranks_high_enough() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
    assert found_among(scores, [0, 2, 1], 1, 3) == pytest.approx(1 / 3)
    assert found_among(scores, [0, 1, 2], 2, 3) == pytest.approx(2 / 3)
    assert found_among(scores, [0, 1, 2], 3, 3) == 1  # a tie counts against it


def test_titles_are_found_by_their_poems() -> None:
    scorer = TitleScorer(corpus(), ["雪", "月"])
    found = find_titles(scorer, ["雪", "月"], [SNOW, MOON])
    assert (found.first, found.in_ten, found.character, found.opening) == (1, 1, 1, 1)
    assert find_titles(scorer, ["雪", "月"], [MOON, SNOW]).first == 0
