import numpy as np
import pytest

from model.guide import NoCharacterFits
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.novelty import Novelty
from model.verse.script import unify
from model.vocabulary import Vocabulary

CHARACTERS = [c for c in map(chr, range(0x4E00, 0x4F00)) if unify(c) == c][:40]
LINES = ["".join(CHARACTERS[:4]) + last for last in CHARACTERS[10:20]]


def test_without_known_lines_nothing_is_a_copy() -> None:
    masks = Lexicon(Vocabulary(CHARACTERS))
    novelty = Novelty(masks, None, required=True)
    assert not novelty.is_copy(LINES[0])
    assert novelty.without_copies(masks.han, LINES[0][:4], "", 1) is masks.han


def test_characters_that_complete_a_known_line_are_taken_out() -> None:
    masks = Lexicon(Vocabulary(CHARACTERS))
    novelty = Novelty(masks, LineFilter.build(LINES), required=True)
    assert novelty.is_copy(LINES[3])
    left = novelty.without_copies(masks.han, LINES[0][:4], "", 1)
    known = [masks.vocabulary.id_of(line[4]) for line in LINES]
    assert not left[known].any()
    assert left.sum() == masks.han.sum() - len(LINES)
    assert np.array_equal(novelty.without_copies(masks.han, LINES[0][1:5], "", 1), masks.han)


@pytest.mark.parametrize("required", [True, False])
def test_where_every_line_is_known_one_is_written_or_refused(required: bool) -> None:
    masks = Lexicon(Vocabulary(CHARACTERS))
    novelty = Novelty(masks, LineFilter.build(LINES), required=required)
    only_known = np.zeros_like(masks.han)
    only_known[[masks.vocabulary.id_of(line[4]) for line in LINES]] = True
    if required:
        with pytest.raises(NoCharacterFits, match=r"line 3: every line .* corpus") as refusal:
            novelty.without_copies(only_known, LINES[0][:4], "", 3)
        assert refusal.value.field == "novel"
    else:
        assert novelty.without_copies(only_known, LINES[0][:4], "", 3) is only_known
