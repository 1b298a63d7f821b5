"""A poem as token ids: its header's fields and its pieces."""

from dataclasses import replace

import pytest

import training.piece
from model.vocabulary import Era, Vocabulary
from tests.test_poem_dataset import poem, vocabulary
from training.poem_dataset import PoemDataset

__all__ = ["vocabulary"]  # the fixture


def test_an_author_without_a_token_is_left_out(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems([poem(author="無名")], vocabulary)
    assert [len(field) for field in next(dataset.pieces).header] == [1, 0, 1, 0, 3, 0]


def test_a_ci_has_its_tune_for_a_form_or_else_for_a_title() -> None:
    vocabulary = Vocabulary("日月山水紅來", ["李白"], ["滿江紅"])
    known, other = (replace(poem(title=""), tune=tune) for tune in ("滿江紅", "山水令"))
    headers = [
        next(PoemDataset.from_poems([each], vocabulary).pieces).header for each in (known, other)
    ]
    era, author = vocabulary.header(era=Era.TANG)[1:-1], [vocabulary.author_id("李白")]
    assert headers[0] == ([vocabulary.tune_id("滿江紅")], [], era, author, [], [])
    title = vocabulary.header(title="山水令")[1:-1]
    assert headers[1] == ([], [], era, author, title, [])


def test_a_long_poem_is_cut_between_couplets(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.piece, "MAX_BODY", 30)
    long = poem(10)
    pieces = list(PoemDataset.from_poems([long], vocabulary).pieces)
    bodies = [vocabulary.decode(piece.body) for piece in pieces]
    assert "".join(bodies) == long.text
    assert [len(body) for body in bodies] == [24, 24, 12]
    ends = [int(piece.body[-1]) == vocabulary.eos_id for piece in pieces]
    assert ends == [False, False, True]
