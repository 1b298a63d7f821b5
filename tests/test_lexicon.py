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
