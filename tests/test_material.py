"""What a run learns from: the vocabulary of a corpus, and its files."""

from pathlib import Path

import pytest

from model.vocabulary import Era, Vocabulary
from tests.test_train import write_corpus
from tests.test_trainer import poems
from training.corpus_poem import CorpusPoem
from training.dataset import PoemDataset
from training.material import (
    Material,
    build_vocabulary,
    count_characters,
    coverage,
    min_count_for,
)

__all__ = ["poems"]  # the fixture


def test_the_vocabulary_holds_what_is_frequent_and_prolific(poems: list[CorpusPoem]) -> None:
    rare = CorpusPoem(
        author="王維", title="", paragraphs=("空日月山水，日月山水雲。",), era=Era.TANG
    )
    vocabulary = build_vocabulary([*poems, rare], min_count=2, min_poems=10)
    assert "空" not in vocabulary
    assert set(vocabulary.characters) == set("日月山水雲花風雨春秋")
    assert sorted(vocabulary.authors) == ["李白", "杜甫"]


def test_vocabularies_are_the_same_for_the_same_poems(poems: list[CorpusPoem]) -> None:
    first, second = (build_vocabulary(poems, 1, 1) for _ in range(2))
    assert isinstance(first, Vocabulary)
    assert first.tokens == second.tokens


def test_a_corpus_is_read_from_its_folder(poems: list[CorpusPoem], tmp_path: Path) -> None:
    write_corpus(tmp_path, poems)
    material = Material.read(tmp_path, min_count=1, min_poems=10)
    assert material.validation == poems
    assert material.provenance == {"commit": "abc"}
    assert material.vocabulary.tokens == build_vocabulary(poems, 1, 10).tokens
    own = PoemDataset.from_poems(poems, material.vocabulary)
    assert material.dataset.digest() == own.digest()


def test_the_vocabulary_of_a_checkpoint_may_be_given(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    vocabulary = Vocabulary("春日月山水雲花風雨秋", ["李白"])
    material = Material.read(tmp_path, vocabulary)
    assert material.vocabulary is vocabulary
    with pytest.raises(ValueError, match=r"covers 20\.0% .* at least 95%: leave out --checkpoint"):
        Material.read(tmp_path, Vocabulary("日月"))


def of_counts(*counts: int) -> list[CorpusPoem]:
    """A poem with a different character for each count, so many times."""
    text = "".join(chr(0x4E00 + index) * count for index, count in enumerate(counts))
    return [CorpusPoem("", "", (f"{text}。",))]


@pytest.mark.parametrize(
    ("counts", "least"),
    [
        ([10_000, 14, 14], 15),  # a large corpus: what is rare is not much of it
        ([10_000, 30, 7, 7, 30, 25], 15),
        ([1000, 14, 2, 2], 14),
        ([15] * 19 + [1] * 300, 1),  # a small one: what is rare is most of it
        ([2] * 10, 2),
        ([], 15),
    ],
)
def test_how_often_a_character_must_occur_follows_the_corpus(counts: list[int], least: int) -> None:
    poems = of_counts(*counts)
    found = count_characters(poems)
    assert min_count_for(found) == least
    vocabulary = build_vocabulary(poems)
    assert set(vocabulary.characters) == {c for c, count in found.items() if count >= least}
    assert coverage(vocabulary, found) >= 0.995


def test_a_vocabulary_covers_what_it_has_a_token_for() -> None:
    counts = count_characters(of_counts(6, 3, 1))
    assert coverage(Vocabulary(list(counts)[:2]), counts) == pytest.approx(0.9)


def test_a_validation_poem_without_a_character_is_left_out(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, [*poems, CorpusPoem("", "", ("，。",))])
    assert Material.read(tmp_path).validation == poems


@pytest.mark.parametrize("missing", ["report.json", "train.jsonl", "validation.jsonl"])
def test_a_corpus_that_is_not_whole_is_refused(
    poems: list[CorpusPoem], tmp_path: Path, missing: str
) -> None:
    write_corpus(tmp_path, poems)
    (tmp_path / missing).unlink()
    with pytest.raises(OSError, match=missing):
        Material.read(tmp_path)
