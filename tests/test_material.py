"""What a run learns from: the vocabulary of a corpus, and its files."""

from pathlib import Path

import pytest

from model.vocabulary import Era, Vocabulary
from tests.test_train import write_corpus
from tests.test_trainer import poems
from training.corpus_poem import CorpusPoem
from training.dataset import PoemDataset
from training.material import Material, build_vocabulary

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
    vocabulary = Vocabulary("日月", ["李白"])
    material = Material.read(tmp_path, vocabulary)
    assert material.vocabulary is vocabulary
    assert vocabulary.unk_id in material.dataset.pieces[0].body


@pytest.mark.parametrize("missing", ["report.json", "train.jsonl", "validation.jsonl"])
def test_a_corpus_that_is_not_whole_is_refused(
    poems: list[CorpusPoem], tmp_path: Path, missing: str
) -> None:
    write_corpus(tmp_path, poems)
    (tmp_path / missing).unlink()
    with pytest.raises(OSError, match=missing):
        Material.read(tmp_path)
