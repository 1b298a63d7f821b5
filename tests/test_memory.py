import numpy as np

from model.poet.lexicon import Lexicon
from model.poet.memory import SPAN, Memory
from model.poet.novelty import Novelty
from model.poet.rhyme_supply import RhymeSupply
from model.verse.rhymes import Reading, Rhymes
from model.verse.script import unify
from model.vocabulary import Vocabulary

USABLE = [c for c in map(chr, range(0x4E00, 0x5200)) if unify(c) == c]


def lexicon() -> Lexicon:
    """Return a vocabulary of 遊 and 游, which are printed alike, and a hundred others."""
    return Lexicon(Vocabulary(["遊", "游", *USABLE[:100]]))


def test_a_character_and_its_lookalikes_do_not_come_again_until_56_others_have() -> None:
    masks = lexicon()
    roam, swim, *others = masks.vocabulary.han_ids
    memory = Memory(masks, [])
    assert memory.use(roam)
    assert not memory.unused[[roam, swim]].any()
    assert not memory.use(swim)
    assert memory.write(roam, for_good=False) is None
    released = []
    for other in others[:SPAN]:
        memory.use(other)
        released.append(memory.write(other, for_good=False))
    assert released == [None] * (SPAN - 1) + [roam]
    assert memory.unused[[roam, swim]].all()


def test_rhymes_and_given_characters_never_come_again() -> None:
    masks = lexicon()
    roam, _, given, *others = masks.vocabulary.han_ids
    memory = Memory(masks, [given])
    assert not memory.unused[given]
    memory.use(roam)
    memory.write(roam, for_good=True)
    memory.write(given, for_good=False)
    assert [memory.write(each, for_good=False) for each in others[:SPAN]] == [None] * SPAN
    assert not memory.unused[[roam, given]].any()


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


def test_without_known_lines_nothing_is_a_copy() -> None:
    masks = lexicon()
    novelty = Novelty(masks, None, required=True)
    assert not novelty.is_copy("白日依山盡")
    assert novelty.without_copies(masks.han, "白日依山", "", 1) is masks.han
