from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, permutations, product

import pytest
import torch
from torch import Tensor

from model.checkpoint import Checkpoint
from model.guide import NoCharacterFits
from model.packed_model import PackedModel
from model.poet.poem import PoemSpec
from model.poet.reader import MAX_WEIGHED, Reader
from model.poetry_model import PoetryModel
from model.verse.form import Layout
from model.vocabulary import UnknownCharacter, Vocabulary

QUATRAIN = Layout(5, 4)


@pytest.fixture
def model(tiny_checkpoint: Checkpoint) -> PoetryModel:
    return tiny_checkpoint.build_model()


@pytest.fixture
def reader(tiny_checkpoint: Checkpoint, model: PoetryModel) -> Reader:
    return Reader(tiny_checkpoint.vocabulary, PackedModel(model, 1))


@pytest.fixture
def vocabulary(tiny_checkpoint: Checkpoint) -> Vocabulary:
    return tiny_checkpoint.vocabulary


@contextmanager
def counted_tokens() -> Iterator[list[int]]:
    """Count the tokens that models read, those of each step together."""
    read, step = list[int](), PackedModel.step

    def counted(model: PackedModel, tokens: Tensor, cues: Tensor) -> Tensor:
        read.append(len(tokens))
        return step(model, tokens, cues)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PackedModel, "step", counted)
        yield read


def likeliest(
    vocabulary: Vocabulary, model: PoetryModel, header: list[int], forms: list[str]
) -> str:
    """Return the spelling that the model likes best after a header, each read on its own."""

    def score(text: str) -> float:
        ids = torch.tensor([*header, *vocabulary.encode(text)])
        with torch.inference_mode():
            logits, _ = model(ids[:-1, None])
        chosen = logits.log_softmax(-1)[:, 0].gather(-1, ids[1:, None])
        return float(chosen[len(header) - 1 :].sum())

    return max(map("".join, product(*forms)), key=score)


def test_an_ambiguous_start_is_read_as_the_model_likes_it_best(
    reader: Reader, model: PoetryModel, vocabulary: Vocabulary
) -> None:
    for title in ("", "登樓", "山"):
        header = vocabulary.header(title=title)
        choices = reader.choices(PoemSpec(start="里后干"), QUATRAIN, header)
        read = "".join(vocabulary.decode([tokens[0]]) for tokens in choices.readings.values())
        forms = ["".join(map(vocabulary.tokens.__getitem__, t)) for t in choices.readings.values()]
        assert read == likeliest(vocabulary, model, header, forms)


def test_a_text_is_weighed_once_for_all_drafts_of_a_request(
    reader: Reader, vocabulary: Vocabulary
) -> None:
    spec, header = PoemSpec(start="里"), vocabulary.header()
    with counted_tokens() as read:
        first = reader.choices(spec, QUATRAIN, header)
        weighed = list(read)
        assert weighed
        assert reader.choices(spec, QUATRAIN, header) == first
        assert read == weighed
        reader.choices(spec, QUATRAIN, vocabulary.header(title="山"))  # may be read otherwise
        assert len(read) > len(weighed)


def test_a_long_ambiguous_opening_costs_no_more_than_a_short_one(
    reader: Reader, vocabulary: Vocabulary
) -> None:
    # All of them different: what was weighed once is remembered.
    opening = tuple("".join(line) for line in islice(permutations("发里后干云", 5), 39))
    layout = Layout(5, 40)
    header = vocabulary.header(title="里后干发里后干发里后干发里后干发里后干发")
    with counted_tokens() as read:
        reader.choices(PoemSpec(opening=opening), layout, header)
    assert 0 < sum(read) <= len(header) + MAX_WEIGHED * len(opening[0])


def test_steps_are_counted_only_where_there_is_something_to_weigh(
    reader: Reader, vocabulary: Vocabulary
) -> None:
    header = vocabulary.header()
    assert reader.steps(PoemSpec(start="日", opening=("日紅山夜湖",)), header) == 0
    assert reader.steps(PoemSpec(start="里日"), header) == len(header) + 2


def test_other_forms_stay_for_the_rules_of_verse_to_choose(
    reader: Reader, vocabulary: Vocabulary
) -> None:
    choices = reader.choices(PoemSpec(acrostic="里日"), QUATRAIN, vocabulary.header())
    first, second = choices.readings[0, 0], choices.readings[2, 0]
    assert set(first) == {vocabulary.id_of("里"), vocabulary.id_of("裏")}
    assert second == (vocabulary.id_of("日"),)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (PoemSpec(start="日𠀀"), "start"),
        (PoemSpec(opening=("日紅山夜𠀀",)), "opening"),
        (PoemSpec(acrostic="日𠀀"), "acrostic"),
    ],
)
def test_an_unknown_character_is_refused_where_it_stands(
    reader: Reader, vocabulary: Vocabulary, spec: PoemSpec, field: str
) -> None:
    with pytest.raises(UnknownCharacter, match="𠀀") as refusal:
        reader.choices(spec, QUATRAIN, vocabulary.header())
    assert refusal.value.field == field


def test_characters_that_do_not_fit_are_refused(reader: Reader, vocabulary: Vocabulary) -> None:
    with pytest.raises(NoCharacterFits, match="a line has 5 characters, not 6"):
        reader.choices(PoemSpec(start="日紅山夜湖海"), QUATRAIN, vocabulary.header())


def test_what_a_poem_prints_is_read_though_the_model_knows_another_form(
    model: PoetryModel, vocabulary: Vocabulary
) -> None:
    others = [c for c in vocabulary.characters if c not in "姪侄"]
    small = Vocabulary([*others[: len(others) - 1], "姪"], vocabulary.authors)
    choices = Reader(small, PackedModel(model, 1)).choices(
        PoemSpec(start="侄"), QUATRAIN, [small.bos_id]
    )
    assert choices.readings == {(0, 0): (small.id_of("姪"),)}
    with pytest.raises(UnknownCharacter):
        Reader(vocabulary, PackedModel(model, 1)).choices(
            PoemSpec(start="𣂏"), QUATRAIN, [small.bos_id]
        )
