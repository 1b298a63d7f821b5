"""What a run learns from: the vocabulary of a corpus, and its files."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from model.vocabulary import Era, Vocabulary
from tests.test_train import write_corpus
from tests.test_trainer import poems
from training.corpus_poem import CorpusPoem
from training.draw import Draw
from training.epoch import Epoch
from training.material import (
    Material,
    build_vocabulary,
    count_characters,
    coverage,
    min_count_for,
    prolific_authors,
)
from training.poem_dataset import PoemDataset

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


def write_ci(folder: Path, tunes: list[str]) -> list[CorpusPoem]:
    """Add ci of some tunes to a corpus; return them."""
    poems = [CorpusPoem("晏殊", "", ("日月山水，花風。",), Era.SONG, tune=tune) for tune in tunes]
    rows = [json.dumps(asdict(poem), ensure_ascii=False) for poem in poems]
    for name in ("ci-train.jsonl", "ci-validation.jsonl"):
        (folder / name).write_text("\n".join(rows), encoding="utf-8")
    return poems


def test_ci_are_read_too_and_the_commonest_tunes_get_tokens(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    ci = write_ci(tmp_path, ["甲", "乙", "乙", "丙", "丙", "丙"])
    material = Material.read(tmp_path, min_count=1, min_poems=10, max_tunes=2)
    assert material.vocabulary.tunes == ("丙", "乙")
    own = PoemDataset.from_poems([*poems, *ci], material.vocabulary)
    assert material.dataset.digest() == own.digest()
    assert (material.validation, material.ci_validation) == (poems, ci)
    twice = PoemDataset.from_poems([*poems, *ci, *ci], material.vocabulary)
    assert material.repeating_ci(2).dataset.digest() == twice.digest()
    material.save(tmp_path / "packed")
    packed = Material.load(tmp_path / "packed")
    assert packed.repeating_ci(2).dataset.digest() == twice.digest()
    assert packed.ci_validation == ci


def test_without_ci_there_are_none_to_repeat(poems: list[CorpusPoem], tmp_path: Path) -> None:
    write_corpus(tmp_path, poems)
    material = Material.read(tmp_path, min_count=1)
    assert material.repeating_ci(5).dataset is material.dataset


def test_a_checkpoints_vocabulary_gets_tunes_once(poems: list[CorpusPoem], tmp_path: Path) -> None:
    write_corpus(tmp_path, poems)
    before = Vocabulary("春日月山水雲花風雨秋", ["李白"])
    write_ci(tmp_path, ["甲", "乙", "乙"])
    first = Material.read(tmp_path, before).vocabulary
    assert (first.characters, first.authors) == (before.characters, before.authors)
    assert first.tunes == ("乙", "甲")
    write_ci(tmp_path, ["丙"])
    assert Material.read(tmp_path, first).vocabulary.tunes == ("乙", "甲")


def test_a_checkpoints_vocabulary_gets_the_characters_that_ci_have_often(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    many = [*poems] * 3
    write_corpus(tmp_path, many)
    before = Vocabulary("春日月山水雲花風雨秋", ["李白"])
    ci = CorpusPoem("晏殊", "", ("拼月山水，花風拼花。",) * 8, Era.SONG, tune="甲")
    rare = CorpusPoem("晏殊", "", ("俏月山水，花風俏花。",) * 7, Era.SONG, tune="甲")
    rows = [json.dumps(asdict(poem), ensure_ascii=False) for poem in (ci, rare)]
    for name in ("ci-train.jsonl", "ci-validation.jsonl"):
        (tmp_path / name).write_text("\n".join(rows), encoding="utf-8")
    found = Material.read(tmp_path, before).vocabulary
    assert found.characters == (*before.characters, "拼")  # 16 times; 俏 14


def test_packed_material_gives_the_batches_of_the_poems(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    labelled = [replace(p, meter="rhymed" if n % 2 else "aBbA") for n, p in enumerate(poems)]
    write_corpus(tmp_path, labelled)
    material = Material.read(tmp_path, min_count=1, min_poems=10)
    material.save(tmp_path / "packed")
    packed = Material.load(tmp_path / "packed")
    assert packed.validation == material.validation
    assert packed.sample == material.sample == labelled
    assert (packed.provenance, packed.coverage) == (material.provenance, material.coverage)
    assert packed.vocabulary.to_dict() == material.vocabulary.to_dict()
    assert packed.dataset.digest() == material.dataset.digest()
    for epoch in range(3):
        ours, theirs = (Epoch.drawn(m.dataset, 5, epoch, 120, Draw()) for m in (material, packed))
        assert len(ours) == len(theirs)
        for number in range(len(ours)):
            for one, other in zip(ours[number][:3], theirs[number][:3], strict=True):
                assert torch.equal(one, other)


def test_a_packed_file_that_is_damaged_is_refused(poems: list[CorpusPoem], tmp_path: Path) -> None:
    write_corpus(tmp_path, poems)
    path = tmp_path / "packed"
    Material.read(tmp_path, min_count=1).save(path)
    whole = path.read_bytes()
    for index in range(0, len(whole), len(whole) // 60):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 4]) + whole[index + 1 :])
        with pytest.raises(ValueError, match=r"is damaged|is not what"):
            Material.load(path)


def test_another_file_is_not_taken_for_packed_material(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "weights")
    with pytest.raises(ValueError, match=r"weights is not what this release's training\.dataset"):
        Material.load(tmp_path / "weights")
    with pytest.raises(OSError, match="No such file"):
        Material.load(tmp_path / "nowhere")


def test_the_vocabulary_of_a_checkpoint_may_be_given(
    poems: list[CorpusPoem], tmp_path: Path
) -> None:
    write_corpus(tmp_path, poems)
    vocabulary = Vocabulary("春日月山水雲花風雨秋", ["李白"])
    material = Material.read(tmp_path, vocabulary)
    assert material.vocabulary.characters == vocabulary.characters
    assert material.vocabulary.authors == vocabulary.authors
    assert material.vocabulary.keywords
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


def test_prolific_authors_are_persons_with_many_poems() -> None:
    counts = {"李白": 3, "杜甫": 4, "不詳": 9, "王維": 1, "": 5}
    poems = [CorpusPoem(author, "", ()) for author, count in counts.items() for _ in range(count)]
    assert prolific_authors(poems, 3) == ["杜甫", "李白"]


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
