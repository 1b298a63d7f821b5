from math import log

import numpy as np
import pytest

from model.checkpoint import Checkpoint
from model.poet.last_choice import TRAITS, Judge, LastChoice
from model.verse.form import Layout
from training.tables.choice import find_weights

BITS = log(2)  # nats


def judge(layout: Layout, **weights: float) -> Judge:
    choice = LastChoice.of(dict.fromkeys(TRAITS, 0.0) | weights)
    return Judge(choice, layout)


def test_each_trait_is_weighed_by_itself(tiny_checkpoint: Checkpoint) -> None:
    layout = Layout(5, 4)
    tokens = tiny_checkpoint.vocabulary.encode("日紅山夜湖，海月春夏秋。日紅山夜海，湖月春夏冬。")
    plain = [-2 * BITS] * 24
    plain[10], plain[22] = -4 * BITS, -6 * BITS
    wished = [each + 0.5 * BITS for each in plain]
    measured = {name: judge(layout, **{name: 1.0})(tokens, wished, plain) for name in TRAITS}
    assert measured["bits"] == pytest.approx((22 * 2 + 4 + 6) / 20)
    assert measured["rhyme"] == pytest.approx(5)
    both = judge(layout, bits=2.0, rhyme=-1.0)(tokens, wished, plain)
    assert both == pytest.approx(2 * measured["bits"] - measured["rhyme"])


def test_a_poem_that_was_not_completed_is_not_judged() -> None:
    assert judge(Layout(5, 4), bits=1.0)([5, 6], [-1.0] * 2, [-1.0] * 2) == 0


def test_weights_are_of_the_traits_and_finite() -> None:
    with pytest.raises(ValueError, match="expected weights of bits, rhyme"):
        LastChoice.of({"bits": 1.0})
    with pytest.raises(ValueError, match="finite weight of rhyme, got nan"):
        LastChoice.of(dict.fromkeys(TRAITS, 0.0) | {"rhyme": float("nan")})


def test_the_packaged_weights_take_the_more_foreseeable_rhyme() -> None:
    choice = LastChoice.load()
    assert choice.rhyme < 0


def test_weights_follow_what_tells_people_from_ours() -> None:
    rng = np.random.default_rng(0)
    people, ours = rng.normal(size=(300, 5)), rng.normal(size=(300, 5))
    people[:, 2] *= 10  # the rhyme, in larger units
    ours[:, 2] = ours[:, 2] * 10 + 20
    ours[:, 3] -= 2  # parallelism
    weights = find_weights(people, ours)
    assert set(weights) == set(TRAITS)
    assert weights["rhyme"] < 0
    assert abs(weights["rhyme"]) < 1  # of a unit of its own
