"""Reads what a caller wrote, in either script, into tokens: here text ends.

A written character may stand for several of the model's: 后 for 後 and 后. Where more than the
rules of verse has to decide, the model weighs the spellings against each other as a beginning.
"""

from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from functools import lru_cache
from itertools import product

import torch

from model.poet.given import Choices, give_acrostic, give_opening, give_start
from model.poet.poem import PoemSpec
from model.poetry_model import PoetryModel
from model.verse.form import Layout
from model.verse.script import is_han, standard_forms, unify
from model.vocabulary import UnknownCharacter, Vocabulary

READINGS_KEPT = 1024  # starts whose reading is remembered: every draft of a request asks again
MAX_WEIGHED = 16  # ways to read a start that are weighed against each other

Tokens = list[tuple[int, ...]]  # what each character of a text may stand for, the best first


class Reader:
    """Reads texts for one model.

    Args:
        vocabulary: The tokens.
        model: Weighs the spellings of an ambiguous text.
    """

    def __init__(self, vocabulary: Vocabulary, model: PoetryModel) -> None:
        self._vocabulary, self._model = vocabulary, model
        self._best_spelling = lru_cache(READINGS_KEPT)(self._find_best_spelling)

    def choices(self, spec: PoemSpec, layout: Layout, header: SequenceOf[int]) -> Choices:
        """Return the characters that a spec fixes, in every reading.

        Args:
            spec: Its start, opening and acrostic are read.
            layout: The measure of the poem.
            header: The tokens that the poem comes after.

        Raises:
            UnknownCharacter: If a character is none that the model knows.
            NoCharacterFits: If the characters do not fit into the layout, or contradict each other.
        """
        start = self._read(spec.start or "", header, "start")
        opening = [self._read(line, header, "opening") for line in spec.opening]
        acrostic = self._read(spec.acrostic or "", None, "acrostic")
        return Choices.of(
            start=give_start(start, layout),
            opening=give_opening(opening, layout),
            acrostic=give_acrostic(acrostic, layout) if acrostic else {},
        )

    def _read(self, text: str, header: SequenceOf[int] | None, field: str) -> Tokens:
        """Return what each character of a text may stand for, the likeliest first.

        Args:
            text: What is written, in either script.
            header: What the text would come after; None takes the commonest readings.
            field: Where it was written, for the error.

        Raises:
            UnknownCharacter: If a character is none that the model knows.
        """
        forms = [self._known_forms(character, field) for character in text]
        chosen = [each[0] for each in forms]
        if header is not None and any(len(each) > 1 for each in forms):
            chosen = [*self._best_spelling(tuple(header), tuple(map(tuple, forms)))]
        return [
            tuple(self._ids([best, *(form for form in each if form != best)]))
            for best, each in zip(chosen, forms, strict=True)
        ]

    def _known_forms(self, character: str, field: str) -> list[str]:
        forms = [form for form in standard_forms(character) if form in self._vocabulary]
        if not forms or not is_han(unify(character)):
            raise UnknownCharacter(character, field=field)
        return forms

    def _ids(self, text: Iterable[str]) -> list[int]:
        return [self._vocabulary.id_of(character) for character in text]

    def _find_best_spelling(
        self, header: tuple[int, ...], forms: tuple[tuple[str, ...], ...]
    ) -> str:
        spellings = ["".join(spelling) for spelling in product(*forms)][:MAX_WEIGHED]
        return max(spellings, key=self._log_probabilities(header, spellings).__getitem__)

    @torch.inference_mode()
    def _log_probabilities(self, header: SequenceOf[int], texts: list[str]) -> dict[str, float]:
        """Return for texts of one length the log-probability of each as a poem's beginning."""
        ids = torch.tensor([[*header, *self._ids(text)] for text in texts]).T  # (T, B)
        ids = ids.to(self._model.embedding.weight.device)
        logits, _ = self._model(ids[:-1])
        log_probabilities = logits.float().log_softmax(-1).gather(-1, ids[1:, :, None]).squeeze(-1)
        totals = log_probabilities[len(header) - 1 :].sum(0).tolist()
        return dict(zip(texts, totals, strict=True))
