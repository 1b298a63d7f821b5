from dataclasses import replace
from math import log2

import pytest
import torch

from model.checkpoint import Checkpoint
from model.poet.poet import Poet
from model.poetry_model import PoetryModel
from model.precision import Precision
from model.vocabulary import Vocabulary
from training.corpus_poem import CorpusPoem
from training.evaluation.poems import FORMS, punctuate
from training.evaluation.titles import (
    NEIGHBOURS,
    Expectation,
    characters_of,
    follow_titles,
    neighbours,
    read,
    titled_poems,
)


@pytest.fixture(scope="module")
def vocabulary(tiny_checkpoint: Checkpoint) -> Vocabulary:
    return tiny_checkpoint.vocabulary


@pytest.fixture(scope="module")
def poems(vocabulary: Vocabulary) -> list[CorpusPoem]:
    """A poem a form, no character twice among them, each with the next form's title."""
    characters = iter(vocabulary.characters[100:])
    lines = [
        tuple("".join(next(characters) for _ in range(f.line_length)) for _ in range(f.num_lines))
        for f in FORMS
        if f.num_lines
    ]
    return [
        CorpusPoem("", next(characters) + next(characters), (punctuate(each),)) for each in lines
    ]


def test_only_poems_of_the_forms_with_known_titles_of_two_to_eight_are_taken(
    poems: list[CorpusPoem], vocabulary: Vocabulary
) -> None:
    first = poems[0]
    unfit = [
        replace(first, title=first.title[0]),
        replace(first, title="・".join(vocabulary.characters[:9])),
        replace(first, title="日鱻"),
        replace(first, paragraphs=(first.text.replace(first.text[0], "鱻"),)),
        replace(first, paragraphs=("日月山，水雲。",)),
    ]
    assert "鱻" not in vocabulary
    assert titled_poems([*unfit, *poems], vocabulary, 3) == poems[:3]
    with pytest.raises(ValueError, match="expected 5 poems with titles, found 4"):
        titled_poems([*unfit, *poems], vocabulary, 5)


def test_characters_of_a_title_are_its_han_characters() -> None:
    assert characters_of("登樓・其一（a）") == "登樓其一"


def test_neighbours_are_the_nearest_by_angle_and_never_the_title_itself(
    tiny_checkpoint: Checkpoint, vocabulary: Vocabulary
) -> None:
    model = tiny_checkpoint.build_model()
    own, start = vocabulary.id_of("日"), vocabulary.han_ids.start
    weight = model.embedding.weight.detach()
    angles = {
        i: float(torch.cosine_similarity(weight[own], weight[i], dim=0)) for i in vocabulary.han_ids
    }
    nearest = sorted((i for i in angles if i != own), key=lambda i: -angles[i])[:NEIGHBOURS]
    assert neighbours(model, vocabulary, {own}) == set(nearest)
    both = neighbours(model, vocabulary, {own, nearest[0]})
    assert both.isdisjoint({own, nearest[0]})
    assert min(both) >= start


def test_reading_side_by_side_agrees_with_reading_token_by_token(
    tiny_checkpoint: Checkpoint, vocabulary: Vocabulary, poems: list[CorpusPoem]
) -> None:
    model = tiny_checkpoint.build_model()
    titles = [poems[0].title, None, poems[2].title, None]
    for poem, title, reading in zip(
        poems, titles, read(model, vocabulary, poems, titles), strict=True
    ):
        header = vocabulary.header(form=poem.form, title=title)
        body = [*vocabulary.encode(poem.text), vocabulary.eos_id]
        assert reading.body.tolist() == body
        assert int(reading.is_han.sum()) == len("".join(poem.lines))
        assert reading.bits == pytest.approx(bits_of(model, header, body), rel=1e-5)


@torch.inference_mode()
def bits_of(model: PoetryModel, header: list[int], body: list[int]) -> float:
    state, total = model.initial_state(1), 0.0
    for token in header[:-1]:
        _, state = model.step(torch.tensor([token]), state)
    for token, following in zip([header[-1], *body[:-1]], body, strict=True):
        logits, state = model.step(torch.tensor([token]), state)
        total -= float(logits.log_softmax(-1)[0, following]) / float(torch.log(torch.tensor(2.0)))
    return total


def test_an_expectation_is_the_probability_of_any_of_the_tokens_where_a_character_stands() -> None:
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    reading = Expectation(probabilities.log(), torch.tensor([1, 0]), torch.tensor([True, False]))
    assert reading.expectation([1, 2]).tolist() == pytest.approx([log2(0.5)])
    assert reading.bits == pytest.approx(-log2(0.25) - log2(0.1))


def test_a_model_that_hears_nothing_follows_no_title(
    tiny_checkpoint: Checkpoint, poems: list[CorpusPoem]
) -> None:
    """All its weights are zero."""
    weights = {name: torch.zeros_like(w) for name, w in tiny_checkpoint.weights.items()}
    deaf = replace(tiny_checkpoint, weights=weights)
    figures = follow_titles(Poet(deaf), deaf.build_model(), poems)
    assert (figures.lift, figures.neighbour_lift, figures.other_lift) == pytest.approx((0, 0, 0))
    assert figures.bits_with == pytest.approx(figures.bits_without) == figures.bits_other
    assert figures.written_with == figures.written_without
    assert (figures.titles, figures.by_people) == (4, 0)


def test_a_model_that_hears_titles_is_seen_to(
    tiny_checkpoint: Checkpoint, poems: list[CorpusPoem]
) -> None:
    """Whatever it has read is likelier from then on."""
    bag = bag_of_words(tiny_checkpoint)
    named = [replace(poem, title=poem.text[7:9]) for poem in poems]
    figures = follow_titles(Poet(bag, dtype=Precision.FLOAT32), bag.build_model(), named)
    assert figures.lift > 1
    assert figures.lift > figures.other_lift
    assert figures.by_people == 1
    assert figures.written_with > figures.written_without


def test_titles_are_shifted_for_the_control(
    tiny_checkpoint: Checkpoint, vocabulary: Vocabulary, poems: list[CorpusPoem]
) -> None:
    bag = bag_of_words(tiny_checkpoint)
    figures = follow_titles(Poet(bag, dtype=Precision.FLOAT32), bag.build_model(), poems)
    characters = sum(len("".join(poem.lines)) for poem in poems)
    own = [poem.title for poem in poems]
    for titles, found in (
        (own, figures.bits_with),
        ([None] * 4, figures.bits_without),
        ([*own[1:], own[0]], figures.bits_other),
    ):
        readings = read(bag.build_model(), vocabulary, poems, titles)
        expected = sum(reading.bits for reading in readings) / characters
        assert found == pytest.approx(expected, rel=1e-5)


def bag_of_words(tiny: Checkpoint) -> Checkpoint:
    """Return a model of one layer that sums what it reads and expects it again."""
    size = 64
    vocabulary = len(tiny.vocabulary)
    config = replace(tiny.config, embedding_size=size, hidden_size=size, num_layers=1)
    model = PoetryModel(config)
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.embedding.weight.copy_(torch.randn(vocabulary, size) / size**0.5)
        model.embedding.weight[: tiny.vocabulary.han_ids.start] = 0
        cell = model.lstm.cells[0]
        cell.bias[: 2 * size] = 20.0
        cell.bias[3 * size :] = 20.0
        cell.weight_ih[2 * size : 3 * size] = torch.eye(size)
        model.projection.weight.copy_(8 * torch.eye(size))
    return replace(tiny, config=config, weights=model.state_dict())
