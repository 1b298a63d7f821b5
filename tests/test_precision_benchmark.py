import pytest

from benchmarks.precision import bits_per_character
from model.checkpoint import Checkpoint
from model.precision import Precision
from training.bits import bits
from training.corpus_poem import CorpusPoem


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("int8", 0.1)])
def test_the_step_costs_what_the_whole_model_does(
    tiny_checkpoint: Checkpoint, precision: str, tolerance: float
) -> None:
    characters = tiny_checkpoint.vocabulary.characters
    poems = [
        CorpusPoem(author="", title="", paragraphs=("".join(characters[at : at + length]) + "。",))
        for at, length in enumerate([5, 7, 5, 20, 11])
    ]
    expected = bits(
        tiny_checkpoint.build_model(), tiny_checkpoint.vocabulary, poems
    ).bits_per_character
    found = bits_per_character(tiny_checkpoint, poems, Precision(precision))
    assert found == pytest.approx(expected, abs=tolerance)
