import numpy as np

from model.poet.lexicon import Lexicon
from model.poet.rhyme_supply import RhymeSupply
from model.verse.rhymes import Reading, Rhymes
from model.verse.script import unify
from model.vocabulary import Vocabulary

USABLE = [c for c in map(chr, range(0x4E00, 0x5200)) if unify(c) == c]


def lexicon() -> Lexicon:
    """Return a vocabulary of 遊 and 游, which are printed alike, and a hundred others."""
    return Lexicon(Vocabulary(["遊", "游", *USABLE[:100]]))


def test_the_supply_of_rhymes_follows_what_is_taken_given_back_and_chosen() -> None:
    east, sorrow = Reading("平", "一東"), Reading("平", "十一尤")
    table: dict[str, tuple[Reading, ...]] = dict.fromkeys(USABLE[:3], (east,))
    table |= dict.fromkeys(USABLE[3:7], (sorrow,))
    table[USABLE[7]] = (east, sorrow)
    masks = Lexicon(Vocabulary(list(table)), Rhymes(table))
    ids = list(masks.vocabulary.han_ids)
    supply = RhymeSupply(masks, ["一東", "十一尤"], needed=3, given=[ids[0]])
    assert supply.mask()[ids].all()
    supply.take(ids[1])  # two of 一東 are left for three lines
    assert np.flatnonzero(supply.mask()).tolist() == ids[3:]
    supply.take(ids[3])
    supply.take(ids[4])
    spared = masks.han.copy()
    supply.spare(spared)  # three of 十一尤 are left for three lines: none may go elsewhere
    assert not spared[ids[5:]].any()
    assert spared[ids[:3]].all()
    supply.give_back(ids[3])
    spared = masks.han.copy()
    supply.spare(spared)
    assert spared.sum() == len(ids)
    supply.choose(ids[7])
    assert np.flatnonzero(supply.mask()).tolist() == ids[3:]
