"""Ci from upstream's fields, in simplified script, to poems with a tune."""

import pytest

from model.vocabulary import Era
from training.ci import ci_of, tune_of


@pytest.mark.parametrize(
    ("name", "tune"),
    [
        ("浣溪沙", "浣溪沙"),
        ("丑奴儿・采桑子", "採桑子"),
        ("望江南·忆江南", "憶江南"),
        ("满江红", "滿江紅"),
        ("减字木兰花", "減字木蘭花"),
        ("太常引", "太常引"),
        ("导引", "導引"),
        ("江梅引・江城梅花引", "江城梅花引"),
        ("莺啼序", "鶯啼序"),
        ("", ""),
    ],
)
def test_a_tune_has_its_usual_name_in_the_models_script(name: str, tune: str) -> None:
    assert tune_of(name) == tune


def test_a_ci_is_traditional_and_keeps_its_pauses() -> None:
    fields = {
        "author": "晏几道",
        "rhythmic": "临江仙",
        "paragraphs": ["云里（一作中）门前，东风日后、万里。", "山水。"],
    }
    poem, reason = ci_of(fields, Era.SONG)
    assert reason == ""
    assert poem is not None
    assert (poem.author, poem.tune, poem.era) == ("晏幾道", "臨江仙", Era.SONG)
    assert poem.text == "雲裏門前，東風日後、萬里。山水。"


@pytest.mark.parametrize(
    ("tune", "text", "reason"),
    [
        ("失调名", "日月山水，花风雨春秋。山水。", "has no tune"),
        ("", "日月山水，花风雨春秋。山水。", "has no tune"),
        ("浣溪沙", "日□山水，花风雨春秋。山水。", "has a placeholder or markup"),
        ("浣溪沙", "日月。", "is a fragment or empty"),
    ],
)
def test_a_ci_that_is_dropped_has_a_reason(tune: str, text: str, reason: str) -> None:
    fields = {"author": "晏殊", "rhythmic": tune, "paragraphs": [text]}
    assert ci_of(fields, Era.SONG) == (None, reason)
