from model.poet.lexicon import Lexicon
from model.poet.memory import SPAN, Memory
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
