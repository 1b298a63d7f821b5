import numpy as np
import pytest
import torch

from model.checkpoint import Checkpoint
from training.bits import costs
from training.corpus_poem import CorpusPoem
from training.evaluation.traits import NAMES, Titled, find_traits, rhyme_bits, token_bits

FOUR = ("日紅山夜湖", "海月春夏秋", "日紅山夜海", "湖月春夏冬")
EIGHT = FOUR + FOUR


def test_traits_are_those_of_the_poem_as_it_is_read(tiny_checkpoint: Checkpoint) -> None:
    model, vocabulary = (
        tiny_checkpoint.build_model(torch.float32, "cpu"),
        tiny_checkpoint.vocabulary,
    )
    short, long = find_traits(model, vocabulary, [Titled("登樓", FOUR), Titled("", EIGHT)])
    found = dict(zip(NAMES, short, strict=True))
    text = "日紅山夜湖，海月春夏秋。日紅山夜海，湖月春夏冬。"
    (cost,) = costs(model, vocabulary, [CorpusPoem("", "", (text,))])
    assert found["bits"] == pytest.approx(cost.tokens.sum() / 20)
    assert found["rhyme"] == pytest.approx((cost.tokens[10] + cost.tokens[22]) / 2)
    assert found["parallelism"] == 0
    assert found["repetition"] == pytest.approx(1 - 11 / 20)
    header = vocabulary.header(title="登樓")
    (after,) = costs(model, vocabulary, [CorpusPoem("", "", (text,))], None, [header])
    assert found["gain"] == pytest.approx((cost.tokens.sum() - after.tokens.sum()) / 20, abs=1e-5)
    assert abs(found["gain"]) > 1e-3
    assert dict(zip(NAMES, long, strict=True))["gain"] == pytest.approx(0, abs=1e-5)
    assert dict(zip(NAMES, long, strict=True))["parallelism"] != 0


def test_tokens_are_in_the_order_of_the_poems(tiny_checkpoint: Checkpoint) -> None:
    model, vocabulary = (
        tiny_checkpoint.build_model(torch.float32, "cpu"),
        tiny_checkpoint.vocabulary,
    )
    assert [len(each) for each in token_bits(model, vocabulary, [EIGHT, FOUR])] == [49, 25]


def test_rhymes_are_the_last_characters_of_the_even_lines() -> None:
    assert rhyme_bits(FOUR, np.arange(25.0)).tolist() == [10, 22]
