import random

import pytest

from model.checkpoint import Checkpoint
from model.guide import NoCharacterFits
from model.poet.line_filter import LineFilter
from model.poet.poem import Meter, PoemSpec
from model.poet.poet import Poet
from model.precision import Precision
from model.sampling import SamplingParams
from model.verse.form import Form
from model.verse.script import Script
from model.verse.tunes import form_called
from model.wish import UnmetWish


@pytest.fixture(scope="module")
def poet(tiny_checkpoint: Checkpoint) -> Poet:
    return Poet(tiny_checkpoint, num_slots=4)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (PoemSpec(length=9), "length"),
        (PoemSpec(length=60, meter=Meter.STRICT), "meter"),
        (PoemSpec(author="莎士比亞"), "author"),
        (PoemSpec(start="日𠀀"), "start"),
        (PoemSpec(opening=("日紅山夜𠀀",)), "opening"),
        (PoemSpec(acrostic="春𠀀"), "acrostic"),
        (PoemSpec(start="日紅山夜湖海", form=Form.WUJUE), "start"),
        (PoemSpec(opening=("日紅山夜湖",) * 5, form=Form.WUJUE), "opening"),
        (PoemSpec(opening=("日紅山夜湖",), form=Form.QIJUE), "opening"),
        # The acrostic is right by itself: it is the opening that is too long.
        (PoemSpec(opening=("日紅山夜湖",) * 5, acrostic="春夏", form=Form.WUJUE), "opening"),
        (PoemSpec(acrostic="春夏秋", form=Form.WUJUE), "acrostic"),
        (PoemSpec(start="日", acrostic="春夏"), "acrostic"),
        (PoemSpec(start="山山山山山", form=Form.WUJUE, acrostic="山夏"), "start"),
    ],
)
def test_a_refusal_names_the_wish_at_fault(poet: Poet, spec: PoemSpec, field: str) -> None:
    with pytest.raises(UnmetWish) as refusal:
        poet.prepare(spec)
    assert refusal.value.field == field


def test_a_poem_that_has_to_be_new_and_cannot_be_blames_that_wish(
    tiny_checkpoint: Checkpoint,
) -> None:
    opening = "日紅山夜"
    characters = tiny_checkpoint.vocabulary.characters
    poet = Poet(tiny_checkpoint, LineFilter.build(opening + last for last in characters))
    spec = PoemSpec(start=opening, form=Form.WUJUE, meter=Meter.FREE, novel=True)
    with pytest.raises(NoCharacterFits, match="stands in the corpus") as refusal:
        poet.write([spec])
    assert refusal.value.field == "novel"


def test_the_same_seed_brings_the_same_poem_back_alone_or_among_others(poet: Poet) -> None:
    specs = [PoemSpec(params=SamplingParams(seed=seed)) for seed in range(6)]
    together = poet.write(specs)
    assert [poet.write([spec])[0] for spec in specs] == together
    assert len({poem.lines for poem in together}) == 6


def test_a_strict_poem_keeps_the_rules_and_begins_as_asked(poet: Poet) -> None:
    spec = PoemSpec(start="春山", form=Form.WUJUE, script=Script.TRADITIONAL)
    (poem,) = poet.write([spec])
    assert poem.proof.regulated
    assert poem.lines[0].startswith("春山")
    assert poem.start == "春山"
    assert poem.characters == 20
    assert poem.text.count("，") == poem.text.count("。") == 2


def test_the_model_does_not_hear_the_number_of_a_title_and_the_poem_keeps_it(poet: Poet) -> None:
    title = "登樓其二"
    headers = [
        poet.prepare(PoemSpec(title=t)).sequence.header for t in (title, "登樓", None, "無題")
    ]
    assert headers[0] == headers[1] != headers[2] == headers[3]
    assert poet.write([PoemSpec(title=title, script=Script.TRADITIONAL)])[0].title == title


@pytest.mark.parametrize(
    "spec", [PoemSpec(), PoemSpec(title="登樓", author="李白"), PoemSpec(length=60)]
)
def test_steps_are_those_that_the_engine_takes(tiny_checkpoint: Checkpoint, spec: PoemSpec) -> None:
    poet = Poet(tiny_checkpoint, num_slots=1)  # no header has been read yet
    draft = poet.prepare(spec)
    poet.engine.add(draft.sequence)
    steps = 0
    while not draft.sequence.finished:
        poet.engine.step()
        steps += 1
    assert poet.steps(spec) == steps


def test_themes_and_parallels_are_the_same_alone_and_among_others(
    tiny_checkpoint: Checkpoint,
) -> None:
    rng = random.Random(3)
    specs = [
        PoemSpec(
            form=rng.choice([Form.WUJUE, Form.WULV, Form.QILV]),
            theme=rng.choice([None, "雪夜", "春山", "明月"]),
            candidates=rng.choice([1, 2, 4]),
            guidance=rng.choice([1.0, 3.5]),
            params=SamplingParams(seed=seed),
        )
        for seed in range(24)
    ]
    together = Poet(tiny_checkpoint, dtype=Precision.FLOAT32, num_slots=64).write(specs)
    poet = Poet(tiny_checkpoint, dtype=Precision.FLOAT32, num_slots=8)
    assert together == [poem for spec in specs for poem in poet.write([spec])]


def test_a_judge_has_a_say_in_which_candidate_is_answered(tiny_checkpoint: Checkpoint) -> None:
    specs = [PoemSpec(candidates=8, params=SamplingParams(seed=seed)) for seed in range(12)]
    judged, unjudged = (
        Poet(tiny_checkpoint, dtype=Precision.FLOAT32, num_slots=64, judging=judging).write(specs)
        for judging in (True, False)
    )
    assert judged != unjudged
    assert (
        Poet(tiny_checkpoint).prepare(PoemSpec(form=form_called("如梦令"))).sequence.judge is None
    )
