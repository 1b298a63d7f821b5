"""Whether titles are followed: what a title does to the poem after it.

Twice over. The model writes to people's titles and, with the same seeds, to none: how many poems
hold a character of the title? And it reads people's own poems after their title and after none:
how much likelier do the title's characters, and their neighbours in the embedding, become, and how
much likelier the poem? Another poem's title is the control: it should do nothing, or harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from torch.nn import functional as F

from model.poet.poem import PoemSpec
from model.poet.poet import Poet
from model.poetry_model import PoetryModel
from model.sampling import SamplingParams
from model.verse.script import Script, is_han
from model.vocabulary import Vocabulary
from training.corpus_poem import CorpusPoem
from training.evaluation.poems import FORMS, TEMPERATURE, punctuate

TITLE_LENGTHS = range(2, 9)  # characters
NEIGHBOURS = 5  # of each character of a title
CHUNK = 25  # poems that are read at once


@dataclass(frozen=True)
class TitleFigures:
    """What titles were found to do; shares are in [0, 1], lifts in bits per character.

    Args:
        written_with: Share of poems written to a title that hold one of its characters.
        written_without: The same of poems written with the same seeds and no title.
        by_people: The same of the poems that people wrote to these titles.
        lift: How much likelier the title's characters are at each character of people's poems.
        neighbour_lift: The same of the characters nearest to them in the embedding.
        other_lift: The same of the characters of another poem's title.
        bits_with: Bits per character of people's poems after their title.
        bits_without: The same after no title.
        bits_other: The same after another poem's title.
    """

    titles: int
    written_with: float
    written_without: float
    by_people: float
    lift: float
    neighbour_lift: float
    other_lift: float
    bits_with: float
    bits_without: float
    bits_other: float


@dataclass(frozen=True)
class Expectation:
    """What the model expects at each step of one poem.

    Args:
        log_probabilities: Of each token of the vocabulary, (T, V), in nats.
        body: The tokens that do stand there, (T,).
        is_han: Which of them are Han characters, (T,), bool.
    """

    log_probabilities: Tensor
    body: Tensor
    is_han: Tensor

    @property
    def bits(self) -> float:
        """Bits of the poem."""
        return -float(self.log_probabilities.gather(-1, self.body[:, None]).sum()) / log(2)

    def expectation(self, tokens: Sequence[int]) -> Tensor:
        """Return log2 of the probability of any of tokens, at each Han character."""
        chosen = self.log_probabilities[self.is_han][:, list(tokens)]
        return chosen.logsumexp(-1) / log(2)


def titled_poems(
    poems: Sequence[CorpusPoem], vocabulary: Vocabulary, number: int
) -> list[CorpusPoem]:
    """Return the first poems of the four forms whose title, 2 to 8 characters, is all known.

    Raises:
        ValueError: If there are fewer than number.
    """
    titled = [
        poem
        for poem in poems
        if poem.form in FORMS
        and len(characters_of(poem.title)) in TITLE_LENGTHS
        and vocabulary.unk_id not in vocabulary.encode(characters_of(poem.title) + poem.text)
    ][:number]
    if len(titled) < number:
        raise ValueError(f"expected {number} poems with titles, found {len(titled)}")
    return titled


def characters_of(title: str) -> str:
    """Return the Han characters of a title."""
    return "".join(filter(is_han, title))


def follow_titles(
    poet: Poet, model: PoetryModel, poems: Sequence[CorpusPoem], *, seed: int = 0
) -> TitleFigures:
    """Measure what the titles of at least two poems do."""
    vocabulary = poet.vocabulary
    titles = [set(vocabulary.encode(characters_of(poem.title))) for poem in poems]
    written = [_write(poet, poems, seed, titled=titled) for titled in (True, False)]
    own = [vocabulary.encode(poem.text) for poem in poems]
    shares = [
        sum(not title.isdisjoint(ids) for title, ids in zip(titles, bodies, strict=True))
        / len(poems)
        for bodies in (*written, own)
    ]
    lifts, bits = _read_poems(model, vocabulary, poems, titles)
    return TitleFigures(len(poems), *shares, *lifts, *bits)


def _write(poet: Poet, poems: Sequence[CorpusPoem], seed: int, *, titled: bool) -> list[list[int]]:
    """Write a poem for each of poems, of its form, to its title or to none; return token ids."""
    specs = [
        PoemSpec(
            form=poem.form,
            title=poem.title if titled else None,
            params=SamplingParams(temperature=TEMPERATURE, seed=seed + index),
            script=Script.TRADITIONAL,
        )
        for index, poem in enumerate(poems)
    ]
    return [poet.vocabulary.encode("".join(poem.lines)) for poem in poet.write(specs)]


def _read_poems(
    model: PoetryModel,
    vocabulary: Vocabulary,
    poems: Sequence[CorpusPoem],
    titles: Sequence[set[int]],
) -> tuple[list[float], list[float]]:
    """Return the three lifts and the three bits per character, in the order of TitleFigures."""
    near = [neighbours(model, vocabulary, title) for title in titles]
    lifts: list[Tensor] = []
    bits = torch.zeros(3, dtype=torch.float64)
    count = len(poems)
    for at in range(0, count, CHUNK):
        chunk = range(at, min(at + CHUNK, count))
        own, none, other = (
            read(model, vocabulary, [poems[i] for i in chunk], headings)
            for headings in (
                [poems[i].title for i in chunk],
                [None for _ in chunk],
                [poems[(i + 1) % count].title for i in chunk],
            )
        )
        for i, *readings in zip(chunk, own, none, other, strict=True):
            bits += torch.tensor([reading.bits for reading in readings])
            stranger = titles[(i + 1) % count] - titles[i]
            for tokens in (titles[i], near[i], stranger or titles[(i + 1) % count]):
                kept = sorted(tokens)
                lifts.append((readings[0].expectation(kept) - readings[1].expectation(kept)).mean())
    characters = sum(len("".join(poem.lines)) for poem in poems)
    means = torch.stack(lifts).reshape(count, 3).mean(0)
    return means.tolist(), (bits / characters).tolist()


@torch.inference_mode()
def read(
    model: PoetryModel,
    vocabulary: Vocabulary,
    poems: Sequence[CorpusPoem],
    titles: Sequence[str | None],
) -> list[Expectation]:
    """Let a model read poems, each after its form and a title or none."""
    headers = [
        vocabulary.header(form=poem.form, title=title and characters_of(title))
        for poem, title in zip(poems, titles, strict=True)
    ]
    bodies = [[*vocabulary.encode(punctuate(poem.lines)), vocabulary.eos_id] for poem in poems]
    device = model.embedding.weight.device
    columns = [torch.tensor(h + b[:-1]) for h, b in zip(headers, bodies, strict=True)]
    ids = torch.nn.utils.rnn.pad_sequence(columns, padding_value=vocabulary.pad_id)  # (T, B)
    features, _ = model.features(ids.to(device))
    readings = []
    for column, (header, body) in enumerate(zip(headers, bodies, strict=True)):
        own = features[len(header) - 1 : len(header) - 1 + len(body), column]
        targets = torch.tensor(body)
        readings.append(
            Expectation(
                model.output(own).float().log_softmax(-1).cpu(),
                targets,
                targets >= vocabulary.han_ids.start,
            )
        )
    return readings


@torch.inference_mode()
def neighbours(model: PoetryModel, vocabulary: Vocabulary, title: set[int]) -> set[int]:
    """Return the characters nearest to each of a title's by the angle of their embeddings."""
    start = vocabulary.han_ids.start
    vectors = F.normalize(model.embedding.weight[start:].float(), dim=-1)  # (Han, E)
    own = torch.tensor(sorted(title)) - start
    likeness = vectors[own] @ vectors.T  # (N, Han)
    likeness[:, own] = -torch.inf
    return set((likeness.topk(NEIGHBOURS, dim=-1).indices + start).flatten().tolist())
