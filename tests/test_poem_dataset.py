import hashlib
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

import training.poem_dataset
from model.verse.script import unify
from model.vocabulary import Era, Vocabulary
from training.corpus_poem import CorpusPoem
from training.poem_dataset import PoemDataset

LINES = ("日月山水來", "山水日月紅", "來紅山水日", "紅日月山水")


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary("日月山水紅來", ["李白"])


def poem(num_lines: int = 4, author: str = "李白", title: str = "山月") -> CorpusPoem:
    lines = [LINES[number % 4] for number in range(num_lines)]
    couplets = [f"{a}，{b}。" for a, b in zip(lines[::2], lines[1::2], strict=True)]
    return CorpusPoem(author=author, title=title, paragraphs=tuple(couplets), era=Era.TANG)


def varied_poems() -> list[CorpusPoem]:
    return [poem(2 * (1 + number % 5), title="山" * (number % 7)) for number in range(40)]


def test_a_vocabulary_that_16_bits_do_not_hold_is_refused() -> None:
    codes = map(chr, range(0x20000, 0x2A000))
    large = Vocabulary([character for character in codes if unify(character) == character])
    with pytest.raises(ValueError, match="at most 32,767 tokens"):
        PoemDataset.from_poems([poem()], large)


def test_ci_may_come_several_times(vocabulary: Vocabulary) -> None:
    poems = varied_poems()
    ci = [replace(each, tune="滿江紅") for each in poems[30:]]
    dataset = PoemDataset.from_poems([*poems[:30], *ci], vocabulary)
    assert dataset.first_ci == 30
    repeated = PoemDataset.from_poems([*poems[:30], *ci * 3], vocabulary)
    assert dataset.repeating_ci(3).digest() == repeated.digest()
    assert dataset.repeating_ci(3).first_ci == 30
    assert dataset.repeating_ci(1).digest() == dataset.digest()
    assert PoemDataset.from_poems(poems, vocabulary).first_ci is None


def test_the_digest_is_of_lengths_and_then_of_every_piece(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.poem_dataset, "DIGESTED_AT_ONCE", 7)
    dataset = PoemDataset.from_poems(
        [replace(each, meter="rhymed") for each in varied_poems()], vocabulary
    )
    pieces = list(dataset.pieces)
    numbers = [len(field) for piece in pieces for field in piece.header]
    numbers += [len(piece.body) for piece in pieces]
    for piece in pieces:
        numbers += [*chain.from_iterable(piece.header), *piece.body, *piece.cues]
    expected = hashlib.sha256(np.array(numbers, dtype=np.int64).tobytes()).hexdigest()
    assert dataset.digest() == expected


def test_a_dataset_without_poems_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match="expected at least one poem"):
        PoemDataset.from_poems([], vocabulary)


def test_frequencies_count_bodies_alone(vocabulary: Vocabulary) -> None:
    dataset = PoemDataset.from_poems(varied_poems(), vocabulary)
    bodies = [token for piece in dataset.pieces for token in piece.body]
    shares = dataset.log_frequencies().exp()
    assert shares.sum() == pytest.approx(1)
    never = set(range(len(vocabulary))) - set(bodies)
    total = len(bodies) + 0.5 * len(never)
    for token in range(len(vocabulary)):
        assert float(shares[token]) == pytest.approx((bodies.count(token) or 0.5) / total)
