"""Reads what a caller wrote, in either script, into tokens: here text ends.

A written character may stand for several of the model's: 后 for 後 and 后. Where more than the
rules of verse has to decide, the model weighs the spellings against each other as a beginning.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as SequenceOf
from functools import cached_property, lru_cache
from itertools import islice, pairwise, product
from math import prod

import torch

from model.packed_model import PackedModel, State
from model.poet.given import Choices, give_acrostic, give_opening, give_start
from model.poet.poem import PoemSpec
from model.verse.form import Measure
from model.verse.script import as_simplified, is_han, standard_forms, unify
from model.vocabulary import UnknownCharacter, Vocabulary

READINGS_KEPT = 1024  # texts whose reading is remembered: every draft of a request asks again
HEADERS_KEPT = 16  # whose states are remembered: every line of an opening comes after the same one
MAX_WEIGHED = 16  # spellings of all a request's texts that are weighed against each other

Forms = tuple[tuple[str, ...], ...]  # what each character of a text may stand for
Tokens = list[tuple[int, ...]]  # the same as token ids, the best first


class Reader:
    """Reads texts for one model.

    Args:
        vocabulary: The tokens.
        model: Weighs the spellings of an ambiguous text.
    """

    def __init__(self, vocabulary: Vocabulary, model: PackedModel) -> None:
        self._vocabulary, self._model = vocabulary, model
        self._best_spelling = lru_cache(READINGS_KEPT)(self._find_best_spelling)
        self._after = lru_cache(HEADERS_KEPT)(self._read_header)

    def choices(self, spec: PoemSpec, layout: Measure, header: SequenceOf[int]) -> Choices:
        """Return the characters that a spec fixes, in every reading, the likeliest first.

        At most 16 spellings are weighed for a request, whatever its length: those of its first
        texts. Other characters are read as their commonest form, unless the rules of verse ask for
        another.

        Args:
            spec: Its start, opening and acrostic are read.
            layout: The measure of the poem.
            header: The tokens that the poem comes after.

        Raises:
            UnknownCharacter: If a character is none that the model knows.
            NoCharacterFits: If the characters do not fit into the layout, or contradict each other.
        """
        texts = self._texts(spec)
        start, *opening = (
            self._tokens(forms, self._best_spelling(tuple(header), forms, weighed))
            for forms, weighed in zip(texts, _numbers_weighed(texts), strict=True)
        )
        acrostic = self._forms(spec.acrostic or "", "acrostic")
        tokens = self._tokens(acrostic, [forms[0] for forms in acrostic])
        return Choices.of(
            start=give_start(start, layout),
            opening=give_opening(opening, layout),
            acrostic=give_acrostic(tokens, layout) if tokens else {},
        )

    def steps(self, spec: PoemSpec, header: SequenceOf[int]) -> int:
        """Return how many steps the model takes to weigh the spellings of a spec's texts.

        Raises:
            UnknownCharacter: If a character is none that the model knows.
        """
        texts = self._texts(spec)
        counts = zip(texts, _numbers_weighed(texts), strict=True)
        steps = sum(len(forms) for forms, weighed in counts if weighed > 1)
        return len(header) + steps if steps else 0

    def _texts(self, spec: PoemSpec) -> list[Forms]:
        """Return what the start and each line of the opening may stand for."""
        opening = [self._forms(line, "opening") for line in spec.opening]
        return [self._forms(spec.start or "", "start"), *opening]

    def _forms(self, text: str, field: str) -> Forms:
        """Return what each character of a text may stand for, the commonest first.

        Raises:
            UnknownCharacter: If a character is none that the model knows.
        """
        return tuple(self._known_forms(character, field) for character in text)

    def _known_forms(self, character: str, field: str) -> tuple[str, ...]:
        forms = tuple(form for form in standard_forms(character) if form in self._vocabulary)
        # A poem may print 侄 for a model that knows 姪 alone, and be gone on from.
        forms = forms or self._printed_alike.get(as_simplified(character), ())
        if not forms or not is_han(unify(character)):
            raise UnknownCharacter(character, field=field)
        return forms

    @cached_property
    def _printed_alike(self) -> dict[str, tuple[str, ...]]:
        """The vocabulary's characters by how simplified script prints them, the commonest first."""
        alike: dict[str, tuple[str, ...]] = {}
        for character in self._vocabulary.characters:
            printed = as_simplified(character)
            alike[printed] = (*alike.get(printed, ()), character)
        return alike

    def _tokens(self, forms: Forms, spelling: Iterable[str]) -> Tokens:
        """Return the tokens of a text's forms, those of the spelling first."""
        return [
            tuple(self._ids([best, *(form for form in each if form != best)]))
            for best, each in zip(spelling, forms, strict=True)
        ]

    def _ids(self, text: Iterable[str]) -> list[int]:
        return [self._vocabulary.id_of(character) for character in text]

    def _find_best_spelling(self, header: tuple[int, ...], forms: Forms, weighed: int) -> str:
        """Return the likeliest of a text's first spellings after a header."""
        spellings = ["".join(spelling) for spelling in islice(product(*forms), weighed)]
        if len(spellings) == 1:
            return spellings[0]
        scores = self._log_probabilities(header, spellings)
        return spellings[scores.index(max(scores))]

    @torch.inference_mode()
    def _log_probabilities(self, header: tuple[int, ...], texts: list[str]) -> list[float]:
        """Return for texts of one length the log-probability of each as a poem's beginning."""
        ids = torch.tensor([[header[-1], *self._ids(text)] for text in texts]).T  # (T, B)
        ids = ids.to(self._model.device)
        after, model = self._after(header[:-1]), self._model.beside(len(texts))
        for slot in range(len(texts)):
            model.set_state(slot, after)
        totals = torch.zeros(len(texts), device=ids.device)
        for tokens, following in pairwise(ids):
            logits = model.logits(model.step(tokens, torch.zeros_like(tokens)))
            totals += logits.log_softmax(-1).gather(-1, following[:, None]).squeeze(-1)
        likelihoods: list[float] = totals.tolist()
        return likelihoods

    @torch.inference_mode()
    def _read_header(self, header: tuple[int, ...]) -> State:
        """Return the state after a header."""
        model = self._model.beside(1)
        for token in torch.tensor(header, device=model.device)[:, None]:
            model.step(token, torch.zeros_like(token))
        return model.state(0)


def _numbers_weighed(texts: Iterable[Forms]) -> Iterator[int]:
    """Yield how many spellings of each text are weighed, 1 where nothing is left to choose."""
    left = MAX_WEIGHED
    for forms in texts:
        weighed = max(1, min(left, prod(map(len, forms))))
        left -= weighed if weighed > 1 else 0
        yield weighed
