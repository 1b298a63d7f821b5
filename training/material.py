"""What a run learns from and is measured on."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from model.verse.script import is_han
from model.vocabulary import Vocabulary
from training.corpus import prolific_authors
from training.corpus_poem import CorpusPoem, read_poems
from training.dataset import PoemDataset

MIN_COUNT = 15  # how often a character must stand in bodies to get a token
MIN_POEMS = 100  # how many poems an author must have to get one


@dataclass(frozen=True)
class Material:
    """What a run learns from and is measured on.

    Args:
        dataset: The training poems, as token ids.
        validation: The poems that are measured.
        provenance: What training.corpus reported of them.
    """

    dataset: PoemDataset
    validation: Sequence[CorpusPoem]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def vocabulary(self) -> Vocabulary:
        """The meaning of token ids."""
        return self.dataset.vocabulary

    @classmethod
    def read(
        cls,
        corpus: Path,
        vocabulary: Vocabulary | None = None,
        min_count: int = MIN_COUNT,
        min_poems: int = MIN_POEMS,
    ) -> Self:
        """Return the poems that training.corpus wrote to a folder.

        Args:
            corpus: The folder.
            vocabulary: The meaning of token ids; if None, that of the training poems.
            min_count: As in build_vocabulary().
            min_poems: As in build_vocabulary().

        Raises:
            OSError: If a file is not there.
            ValueError: If a file is damaged, or there is no poem to train on.
        """
        report = read_report(corpus / "report.json")
        poems = list(read_poems(corpus / "train.jsonl"))
        validation = list(read_poems(corpus / "validation.jsonl"))
        vocabulary = vocabulary or build_vocabulary(poems, min_count, min_poems)
        return cls(PoemDataset.from_poems(poems, vocabulary), validation, report)


def build_vocabulary(poems: Sequence[CorpusPoem], min_count: int, min_poems: int) -> Vocabulary:
    """Return the vocabulary of a corpus.

    Args:
        poems: The training split.
        min_count: How often a character must stand in bodies to get a token.
        min_poems: How many poems an author must have to get one.
    """
    counts = Counter("".join(poem.text for poem in poems))
    characters = [c for c, count in counts.most_common() if is_han(c) and count >= min_count]
    return Vocabulary(characters, prolific_authors(poems, min_poems))


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
