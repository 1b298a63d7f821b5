"""What a run learns from and is measured on."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.checkpoint import digest, write_tensors
from model.verse.script import is_han
from model.vocabulary import Vocabulary
from training.corpus_poem import CorpusPoem, poem_of, read_poems
from training.piece import FIELDS
from training.poem_dataset import PoemDataset

FORMAT = "yin-material-1"
MIN_COUNT = 15  # how often a character must occur in bodies to get a token, in a large corpus
COVERAGE = 0.995  # of a corpus's characters, which a smaller one's min_count reaches
LEAST_COVERAGE = 0.95  # with less a model meets too much that it cannot read
COLLECTIVE = ("不詳", "無名氏", "佚名", "闕名", "郊廟朝會歌辭")  # no persons
SAMPLE = 1000  # training poems that are kept as they are
MAX_TUNES = 150  # tunes of ci that get a token; of others the characters are the title
MIN_POEMS = 100  # how many poems an author must have to get one


@dataclass(frozen=True)
class Material:
    """What a run learns from and is measured on.

    Args:
        dataset: The training poems, as token ids.
        validation: The poems that are measured.
        provenance: What training.corpus reported of them.
        coverage: The share of the training poems' characters that the vocabulary has.
        sample: Some of the training poems, to be measured beside those for validation.
        ci_validation: The ci that are measured.
    """

    dataset: PoemDataset
    validation: Sequence[CorpusPoem]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    coverage: float = 1.0
    sample: Sequence[CorpusPoem] = ()
    ci_validation: Sequence[CorpusPoem] = ()

    @property
    def vocabulary(self) -> Vocabulary:
        """The meaning of token ids."""
        return self.dataset.vocabulary

    @classmethod
    def read(
        cls,
        corpus: Path,
        vocabulary: Vocabulary | None = None,
        min_count: int | None = None,
        min_poems: int = MIN_POEMS,
        max_tunes: int = MAX_TUNES,
    ) -> Self:
        """Return the poems that training.corpus wrote to a folder, ci too if there are any.

        Args:
            corpus: The folder.
            vocabulary: The meaning of token ids, to which the tunes of the ci are added if it has
                none; if None, that of the training poems.
            min_count: As in build_vocabulary().
            min_poems: As in build_vocabulary().
            max_tunes: As in build_vocabulary().

        Raises:
            OSError: If a file is not there.
            ValueError: If a file is damaged, there is no poem to train on, or the vocabulary
                covers less than LEAST_COVERAGE of their characters.
        """
        report = read_report(corpus / "report.json")
        shi = list(read_poems(corpus / "train.jsonl"))
        has_ci = (corpus / "ci-train.jsonl").exists()
        ci = list(read_poems(corpus / "ci-train.jsonl")) if has_ci else []
        poems = [*shi, *ci]
        counts = count_characters(poems)
        if vocabulary is None:
            vocabulary = build_vocabulary(poems, min_count, min_poems, max_tunes)
            way_out = f"give --min-count {min_count_for(counts)}, or leave it out"
        else:
            way_out = "leave out --checkpoint, or start from one of a similar corpus"
        covered = coverage(vocabulary, counts)
        if covered < LEAST_COVERAGE:
            raise ValueError(
                f"the vocabulary covers {covered:.1%} of the characters of {corpus}, "
                f"expected at least {LEAST_COVERAGE:.0%}: {way_out}"
            )
        vocabulary = widened_for(poems, vocabulary, counts, max_tunes)
        return cls(
            PoemDataset.from_poems(poems, vocabulary),
            _to_measure(corpus / "validation.jsonl"),
            report,
            covered,
            [poem for poem in shi[:SAMPLE] if has_characters(poem)],
            _to_measure(corpus / "ci-validation.jsonl") if has_ci else [],
        )

    def repeating_ci(self, times: int) -> Self:
        """Return material whose every epoch has each ci so many times."""
        return replace(self, dataset=self.dataset.repeating_ci(times))

    def save(self, path: Path) -> None:
        """Write everything to one file, whole or not at all.

        Raises:
            OSError: If it cannot be written; what stood at path is still there.
        """
        data = self.dataset
        arrays = {
            "field_lengths": data.field_lengths.astype(np.int16),
            "body_lengths": data.body_lengths.astype(np.int32),
            "headers": data.headers,
            "bodies": data.bodies,
            # They repeat themselves: a few hundredths of their size.
            "cues": np.frombuffer(bytearray(zlib.compress(data.cues.tobytes())), dtype=np.uint8),
        }
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        metadata = {
            "format": FORMAT,
            "fields": json.dumps(FIELDS),
            "vocabulary": json.dumps(self.vocabulary.to_dict(), ensure_ascii=False),
            "validation": _to_json(self.validation),
            "sample": _to_json(self.sample),
            "ci_validation": _to_json(self.ci_validation),
            "first_ci": json.dumps(data.first_ci),
            "provenance": json.dumps(dict(self.provenance), ensure_ascii=False),
            "coverage": json.dumps(self.coverage),
        }
        write_tensors(path, tensors, metadata | {"checksum": digest(metadata, tensors)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save() wrote.

        Raises:
            OSError: If there is no file.
            ValueError: If it is damaged, or not such a file.
        """
        metadata, tensors = _read_tensors(path)
        if (metadata.get("format"), metadata.get("fields")) != (FORMAT, json.dumps(FIELDS)):
            raise ValueError(f"{path} is not what this release's training.dataset writes")
        if metadata.pop("checksum", None) != digest(metadata, tensors):
            raise ValueError(f"{path} is damaged: its content does not match its checksum")
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        dataset = PoemDataset(
            Vocabulary.from_dict(json.loads(metadata["vocabulary"])),
            arrays["field_lengths"].astype(np.int64),
            arrays["body_lengths"].astype(np.int64),
            arrays["headers"],
            arrays["bodies"],
            np.frombuffer(zlib.decompress(arrays["cues"].tobytes()), dtype=np.int8),
            json.loads(metadata["first_ci"]),
        )
        read = {name: json.loads(metadata[name]) for name in ("provenance", "coverage")}
        measured: dict[str, Any] = {
            name: [poem_of(fields) for fields in json.loads(metadata[name])]
            for name in ("validation", "sample", "ci_validation")
        }
        return cls(dataset, **read, **measured)


def _to_measure(path: Path) -> list[CorpusPoem]:
    return [poem for poem in read_poems(path) if has_characters(poem)]


def _to_json(poems: Iterable[CorpusPoem]) -> str:
    return json.dumps([asdict(poem) for poem in poems], ensure_ascii=False)


def _read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged, or not packed by training.dataset: {error}"
        ) from error


def has_characters(poem: CorpusPoem) -> bool:
    """Return whether a poem has at least one Han character."""
    return any(map(is_han, poem.text))


def count_characters(poems: Iterable[CorpusPoem]) -> Counter[str]:
    """Return how often each Han character occurs in the bodies of poems, the commonest first."""
    counts = Counter("".join(poem.text for poem in poems))
    return Counter({c: count for c, count in counts.most_common() if is_han(c)})


def min_count_for(counts: Counter[str]) -> int:
    """Return how often a character of a corpus must occur to get a token.

    MIN_COUNT for a large corpus, less for a small one: as much as leaves COVERAGE of its text.
    """
    enough = COVERAGE * counts.total()
    for least in range(MIN_COUNT, 1, -1):
        if sum(count for count in counts.values() if count >= least) >= enough:
            return least
    return 1


def coverage(vocabulary: Vocabulary, counts: Counter[str]) -> float:
    """Return the share of a corpus's characters that a vocabulary has; all if there are none."""
    known = sum(count for character, count in counts.items() if character in vocabulary)
    return known / counts.total() if counts else 1.0


def prolific_authors(poems: Iterable[CorpusPoem], min_poems: int) -> list[str]:
    """Return the authors of at least min_poems, the most prolific first."""
    counts = Counter(poem.author for poem in poems)
    return [
        author
        for author, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= min_poems and author and author not in COLLECTIVE
    ]


def common_tunes(poems: Iterable[CorpusPoem], max_tunes: int) -> list[str]:
    """Return the tunes of the most ci, the commonest first."""
    counts = Counter(poem.tune for poem in poems if poem.tune)
    return sorted(counts, key=lambda tune: (-counts[tune], tune))[:max_tunes]


def widened_for(
    poems: Sequence[CorpusPoem], vocabulary: Vocabulary, counts: Counter[str], max_tunes: int
) -> Vocabulary:
    """Return a vocabulary with what it lacks of a corpus, all that it has as it is.

    Keywords; the commonest tunes, if it has none; characters as frequent as a new vocabulary of the
    corpus would have.
    """
    tunes = vocabulary.tunes or common_tunes(poems, max_tunes)
    least = max(MIN_COUNT, min_count_for(counts))
    added = [c for c, count in counts.items() if count >= least and c not in vocabulary]
    characters = [*vocabulary.characters, *added]
    return Vocabulary(characters, vocabulary.authors, tunes, keywords=True)


def build_vocabulary(
    poems: Sequence[CorpusPoem],
    min_count: int | None = None,
    min_poems: int = MIN_POEMS,
    max_tunes: int = MAX_TUNES,
) -> Vocabulary:
    """Return the vocabulary of a corpus.

    Args:
        poems: The training split.
        min_count: How often a character must occur in bodies to get a token; if None, it follows
            from the corpus.
        min_poems: How many poems an author must have to get one.
        max_tunes: How many tunes of ci get one, the commonest.
    """
    counts = count_characters(poems)
    least = min_count_for(counts) if min_count is None else min_count
    characters = [c for c, count in counts.items() if count >= least]
    authors, tunes = prolific_authors(poems, min_poems), common_tunes(poems, max_tunes)
    return Vocabulary(characters, authors, tunes, keywords=True)


def read_report(path: Path) -> Any:
    """Return what training.corpus reported of the corpus.

    Raises:
        OSError: If there is no such file.
        ValueError: If it is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}; prepare the corpus again") from error
