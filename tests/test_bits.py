"""Bits per character: against a sum taken token by token, and what is refused."""

from math import log2

import pytest
import torch

from model.poetry_model import PoetryConfig, PoetryModel
from model.vocabulary import Era, Vocabulary
from training.bits import UNKNOWN_BITS, bits, by_position, costs, total, totals
from training.corpus_poem import CorpusPoem

VOCABULARY = Vocabulary("日月山水雲")


def poem(*paragraphs: str) -> CorpusPoem:
    return CorpusPoem(author="", title="", paragraphs=paragraphs, era=Era.TANG)


@pytest.fixture
def model() -> PoetryModel:
    torch.manual_seed(3)
    return PoetryModel(PoetryConfig(len(VOCABULARY), 4, 6, 2)).eval()


def flat(model: PoetryModel) -> PoetryModel:
    """The model, made to give every token the same probability."""
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    return model


def test_a_model_that_knows_nothing_costs_log2_of_the_vocabulary_a_token(
    model: PoetryModel,
) -> None:
    result = bits(flat(model), VOCABULARY, [poem("日月山水雲，雲水山月日。")])
    assert result.bits_per_character == pytest.approx(log2(len(VOCABULARY)) * 13 / 10)
    assert (result.poems, result.characters) == (1, 10)


def test_a_character_outside_the_vocabulary_costs_more(model: PoetryModel) -> None:
    known, unknown = (
        bits(flat(model), VOCABULARY, [poem(text)]).bits_per_character
        for text in ("日月，水雲。", "日月，水鬱。")
    )
    assert unknown - known == pytest.approx(UNKNOWN_BITS / 4)


def test_bits_agree_with_a_sum_token_by_token(model: PoetryModel) -> None:
    poems = [poem("日月山，", "水雲日。"), poem("山山，"), poem("雲" * 50 + "。")]
    expected = sum(
        -_log2_probability(model, [*VOCABULARY.encode(each.text), VOCABULARY.eos_id])
        for each in poems
    )
    result = bits(model, VOCABULARY, poems)
    assert result.bits_per_character * 58 == pytest.approx(expected, rel=1e-5)


@torch.inference_mode()
def _log2_probability(model: PoetryModel, body: list[int]) -> float:
    """Sum log2 of the probabilities of a body's tokens, one step at a time."""
    state, total = model.initial_state(1), 0.0
    header = VOCABULARY.header()
    for token, following in zip([*header, *body], [*header[1:], *body, None], strict=False):
        logits, state = model.step(torch.tensor([token]), state)
        if following is not None and following != VOCABULARY.body_id:
            total += float(logits.softmax(-1)[0, following].log2())
    return total


def test_costs_of_kinds_add_up_to_those_of_all(model: PoetryModel) -> None:
    poems = [
        poem("日月山水雲，雲水山月日。"),
        poem("山水，水鬱。"),
        poem("月月月月月，山山山山山。"),
    ]
    found = costs(model, VOCABULARY, poems)
    kinds = totals(found, lambda each: each.form.value if each.form else "other")
    assert {name: kind.poems for name, kind in kinds.items()} == {"other": 1, "五古": 2}
    spent = [kind.bits_per_character * kind.characters for kind in kinds.values()]
    assert sum(spent) == pytest.approx(total(found).bits_per_character * 24)


def test_positions_of_a_line_have_each_their_cost(model: PoetryModel) -> None:
    poems = [poem("日月山，", "水雲日。"), poem("日月，山水。")]
    found = by_position(costs(model, VOCABULARY, poems), 3)
    assert list(found) == ["1", "2", "3", "mark", "end"]
    tokens = costs(model, VOCABULARY, poems[:1])[0].tokens
    assert list(found.values()) == pytest.approx(
        [*((tokens[place] + tokens[place + 4]) / 2 for place in range(4)), tokens[8]], rel=1e-4
    )


def test_glyph_variants_cost_the_same(model: PoetryModel) -> None:
    vocabulary = Vocabulary("日月山水來")
    written = [[poem(text)] for text in ("日月來。", "日月来。")]
    first, second = (bits(model, vocabulary, poems) for poems in written)
    assert first == second


def test_poems_without_a_character_are_refused(model: PoetryModel) -> None:
    with pytest.raises(ValueError, match="at least one Han character"):
        bits(model, VOCABULARY, [poem("，。")])


def test_a_model_that_gives_no_numbers_is_refused(model: PoetryModel) -> None:
    torch.nn.init.constant_(model.output_bias, torch.nan)
    with pytest.raises(ValueError, match="gives nan bits: its weights are damaged"):
        bits(model, VOCABULARY, [poem("日月。")])
