import numpy as np

from model.poet.lexicon import Lexicon
from model.verse.rhymes import Tone
from model.vocabulary import Vocabulary


def test_masks_offer_usual_readings_and_groups_of_them() -> None:
    masks = Lexicon(Vocabulary(["與", "天", "日"]))
    with_, sky, sun = masks.vocabulary.han_ids
    assert np.flatnonzero(masks.by_tones[frozenset([Tone.PING])]).tolist() == [sky]
    assert np.flatnonzero(masks.by_tones[frozenset([Tone.ZE])]).tolist() == [with_, sun]
    assert masks.tones_of(with_, usual=False) == set(Tone)
    assert np.flatnonzero(masks.in_groups(["一先"])).tolist() == [sky]
    assert np.flatnonzero(masks.only(sun)).tolist() == [sun]


def test_characters_that_common_fonts_lack_are_offered_only_on_wish() -> None:
    vocabulary = Vocabulary(["天", "鶑", "日"])  # 鶑 is in no simplified print
    every, common = Lexicon(vocabulary), Lexicon(vocabulary, rare=False)
    sky, warbler, sun = vocabulary.han_ids
    assert np.flatnonzero(every.han).tolist() == [sky, warbler, sun]
    assert np.flatnonzero(common.han).tolist() == [sky, sun]
    assert every.by_group["八庚"][warbler]
    assert "八庚" not in common.by_group or not common.by_group["八庚"][warbler]
    assert common.only(warbler)[warbler]
    assert common.tones_of(warbler, usual=False) == {Tone.PING}
