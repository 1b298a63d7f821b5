import numpy as np
import pytest
import torch

from model.checkpoint import Checkpoint
from model.poet.poet import Poet
from model.verse.form import Form
from training.corpus_poem import CorpusPoem
from training.evaluation.sense import (
    COLUMNS,
    DEFAULT,
    JUDGED,
    PEOPLE,
    PLAIN,
    UNTITLED,
    measure_sense,
    sense_table,
    tell_apart,
    write_to_titles,
)

QUATRAIN = "日紅山夜湖，海月春夏秋。日紅山夜湖，海月春夏秋。"


def people(number: int) -> list[CorpusPoem]:
    return [CorpusPoem("", "登樓", (QUATRAIN * (1 + n % 2),)) for n in range(number)]


@pytest.fixture(scope="module")
def poet(tiny_checkpoint: Checkpoint) -> Poet:
    return Poet(tiny_checkpoint, num_slots=32)


def test_poems_are_written_to_the_titles(poet: Poet) -> None:
    first, second = write_to_titles(poet, people(2), 3.5, 2)
    assert [len(lines) for lines in (first, second)] == [4, 8]
    assert first != write_to_titles(poet, people(1), 3.5, 2, titled=False)[0]
    assert second != write_to_titles(poet, people(2), 3.5, 2, pairing=False)[1]
    assert Form.of_lines(list(second)) is Form.WULV


def test_every_writer_is_measured_beside_people(poet: Poet, tiny_checkpoint: Checkpoint) -> None:
    model = tiny_checkpoint.build_model(torch.float32, "cpu")
    judged = Poet(tiny_checkpoint, num_slots=32, judging=True)
    figures = measure_sense(poet, judged, model, people(12), people(30), 3.5, 2)
    assert set(figures) == {PEOPLE, DEFAULT, JUDGED, PLAIN, UNTITLED}
    assert figures[PEOPLE].auc is None
    for writer in (DEFAULT, JUDGED, PLAIN, UNTITLED):
        auc = figures[writer].auc
        assert auc is not None
        assert auc > 0.9  # nothing is easier to tell apart
    for each in figures.values():
        assert each.bits > 5
        assert each.rhyme > 5
        assert each.parallel is not None
    table = sense_table(figures).splitlines()
    assert len(table) == 7
    assert all(row.count("|") == len(COLUMNS) + 1 for row in table)


def test_what_is_the_same_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    poems = [(f"{chr(0x4E00 + n)}一二三四",) * 4 for n in range(80)]
    traits = {PEOPLE: rng.normal(size=(80, 5)), DEFAULT: rng.normal(size=(80, 5))}
    assert tell_apart(traits, {PEOPLE: poems, DEFAULT: poems}, DEFAULT) == pytest.approx(
        0.5, abs=0.15
    )
