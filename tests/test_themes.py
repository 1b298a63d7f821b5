from model.checkpoint import Checkpoint
from model.poet.poet import Poet
from training.evaluation.themes import NOUNS, write_themes


def test_there_are_a_hundred_different_nouns() -> None:
    assert len(NOUNS) == len(set(NOUNS)) == 100


def test_a_noun_becomes_keywords_and_a_poem_or_neither(tiny_checkpoint: Checkpoint) -> None:
    poet = Poet(tiny_checkpoint, num_slots=8)
    snow, nothing = write_themes(poet, 3.5, 2, ["雪夜", "xyzzy"])
    assert snow.keywords == ("雪夜",)
    assert snow.poem is not None
    assert len(snow.poem.lines) == 4
    assert (nothing.keywords, nothing.poem) == ((), None)
