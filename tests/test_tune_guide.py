import random
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from model.guide import ForkableGuide, NoCharacterFits
from model.poet.given import Given
from model.poet.line_filter import LineFilter
from model.poet.parts import Parts
from model.poet.poem import Meter
from model.poet.tune_guide import TuneGuide
from model.poet.tune_plan import choose_tune_plan
from model.verse.ci_proof import check_ci
from model.verse.cilin import Part
from model.verse.rhymes import Tone
from model.verse.script import Script, to_script
from model.verse.tune import TuneLine, TuneVariant
from model.verse.tunes import Tunes
from tests.guides import lexicon

SHORT = ["浣溪沙", "菩萨蛮", "西江月", "如梦令", "忆秦娥", "长相思", "定风波", "霜天晓角"]


@cache
def parts() -> Parts:
    """Return the masks of enough characters for any tune."""
    return Parts(lexicon(6000))


def variants(name: str) -> list[TuneVariant]:
    """Return the variants of a tune."""
    found = Tunes.load().find(name)
    assert found is not None
    return found.tune.variants


def guide_to(
    variant: TuneVariant,
    *,
    meter: Meter = Meter.STRICT,
    given: Given | None = None,
    seed: int = 0,
    lines: LineFilter | None = None,
    novel: bool = False,
) -> TuneGuide:
    """Return a guide to a variant under the plan that a seed draws."""
    plan = choose_tune_plan(parts(), variant, meter, given or {}, seed)
    return TuneGuide(parts(), plan, lines=lines, novel=novel)


def write(guide: TuneGuide, seed: int = 0) -> str:
    """Return what chance writes under a guide."""
    chance, tokens = random.Random(seed), list[int]()
    while not guide.finished:
        ids = np.flatnonzero(guide.allowed().numpy()).tolist()
        token = chance.choice(ids)
        while not guide.vet(token):
            token = chance.choice(np.flatnonzero(guide.allowed().numpy()).tolist())
        tokens.append(token)
        guide.advance(token)
    return parts().lexicon.vocabulary.decode(tokens)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text without its pauses."""
    return [line for line in text.replace("、", "").replace("，", "。").split("。") if line]


def spelled(line: int, text: str, start: int = 0) -> dict[tuple[int, int], int]:
    """Return characters as given in a line."""
    vocabulary = parts().lexicon.vocabulary
    return {(line, n): vocabulary.id_of(c) for n, c in enumerate(text, start)}


def known(reading: Part, number: int) -> list[str]:
    """Return characters of the vocabulary that rhyme in a part, and have one reading."""
    masks = parts()
    tokens = np.flatnonzero(masks.by_part[reading]).tolist()
    alone = [t for t in tokens if masks.all_of(t) == {reading}]
    return [masks.lexicon.character(token) for token in alone[:number]]


@pytest.mark.parametrize("name", SHORT)
def test_whatever_chance_writes_keeps_every_rule_as_it_is_printed_too(name: str) -> None:
    for variant in variants(name):
        for seed in range(4):
            text = write(guide_to(variant, seed=seed), seed)
            assert check_ci(lines_of(text), variant, exact=True).regulated
            printed = to_script(text, Script.SIMPLIFIED)
            assert check_ci(lines_of(printed), variant).regulated
            assert text.endswith("。")


def test_pauses_and_marks_stand_where_the_tune_has_them() -> None:
    text = write(guide_to(variants("满江红")[0]))
    assert [len(part) for part in text.replace("、", "，").replace("。", "，").split("，")] == [
        *(4, 3, 4, 3, 4, 4, 7, 7, 3, 5, 3),
        *(3, 3, 3, 3, 5, 4, 7, 7, 3, 5, 3, 0),
    ]
    assert text.count("。") == sum(bool(line.rhyme) for line in variants("满江红")[0].lines)


def test_the_same_guide_is_copied_and_goes_on_alone() -> None:
    guide = guide_to(variants("如梦令")[0])
    assert isinstance(guide, ForkableGuide)
    for _ in range(9):
        guide.advance(int(np.flatnonzero(guide.allowed().numpy())[0]))
    twin = guide.copy()
    mask = twin.allowed().numpy().copy()
    first = write(guide, 1)
    assert (twin.allowed().numpy() == mask).all()
    assert write(twin, 1) == first


def test_a_line_ends_where_particles_meet() -> None:
    guide, breaks = guide_to(variants("如梦令")[0]), 0
    while not guide.finished:
        guide.advance(int(np.flatnonzero(guide.allowed().numpy())[0]))
        breaks += guide.at_break
    assert breaks == 7


def test_given_characters_stand_where_they_are_given() -> None:
    heads = known(Part(8, Tone.PING), 1) + known(Part(8, Tone.ZE), 1)
    given = spelled(0, heads[0]) | spelled(3, heads[1])
    lines = lines_of(write(guide_to(variants("浣溪沙")[0], given=given)))
    assert (lines[0][0], lines[3][0]) == tuple(heads)


def test_what_is_given_is_said_again_too() -> None:
    word = known(Part(1, Tone.ZE), 2)
    given = spelled(5, "".join(word))
    variant = variants("如梦令")[0]
    with pytest.raises(NoCharacterFits, match="line 5") as refusal:
        # Line 6 says line 5 again, whose own end is given otherwise.
        guide_to(variant, given=given | spelled(4, known(Part(1, Tone.ZE), 3)[2], 1))
    assert refusal.value.spot in ((5, 1), (4, 1))
    tones = [parts().lexicon.tones_of(given[5, n], usual=True) for n in (0, 1)]
    assert tones == [{Tone.ZE}, {Tone.ZE}]
    lines = lines_of(write(guide_to(variant, given=spelled(5, word[0], 1))))
    assert lines[4] == lines[5]
    assert lines[5][1] == word[0]


@pytest.mark.parametrize("seed", range(8))
def test_a_line_runs_so_that_what_it_says_again_at_its_end_fits(seed: int) -> None:
    line = TuneLine((3,), "", {"平平仄": 50, "仄仄平": 50})
    variant = TuneVariant("測", "ce", 1, 20, 20, 100, {}, (2,), (line, line), {(1, 2): (0, 2)})
    lines = lines_of(write(guide_to(variant), seed))
    assert lines[0][2] == lines[1][2]
    assert check_ci(lines, variant, exact=True).checks["平仄"].holds


@pytest.mark.parametrize("seed", range(6))
def test_oblique_rhymes_are_entering_as_often_as_custom_has_it(seed: int) -> None:
    variant = variants("忆秦娥")[0]
    shares = [
        choose_tune_plan(parts(), variant, Meter.STRICT, {}, 100 * seed + n).parts["A"]
        for n in range(60)
    ]
    entering = sum(min(found) >= 15 for found in shares) / 60
    assert all((min(found) >= 15) == (max(found) >= 15) for found in shares)
    assert abs(entering - variant.entering["a"] / 100) < 0.2


def test_rhymes_come_from_parts_that_leave_a_choice_unless_one_is_given() -> None:
    variant, small = Tunes.load().find("虞美人"), Part(5, Tone.PING)
    assert variant is not None
    scarce = Parts(lexicon(700))
    number = scarce.count(())[small]
    assert 2 <= number < 2 * 2 + 8
    plans = [
        choose_tune_plan(scarce, variant.tune.variants[0], Meter.STRICT, {}, seed)
        for seed in range(8)
    ]
    assert not any(small.number in plan.parts[letter] for plan in plans for letter in "BD")
    token = int(np.flatnonzero(scarce.by_part[small])[0])
    given = {(2, 6): token}
    plan = choose_tune_plan(scarce, variant.tune.variants[0], Meter.RHYME, given, 0)
    assert plan.parts["B"] <= {part.number for part in scarce.all_of(token)}


def test_rhymes_change_part_where_they_change() -> None:
    variant = variants("虞美人")[0]
    for seed in range(8):
        lines = lines_of(write(guide_to(variant, seed=seed), seed))
        found = check_ci(lines, variant, exact=True).parts
        assert found["A"] != found["C"]
        assert found["B"] != found["D"]


@pytest.mark.parametrize(
    ("given", "message", "spot"),
    [
        (spelled(0, known(Part(8, Tone.ZE), 1)[0], 6), "has to rhyme in the level tone", (0, 6)),
        (
            spelled(0, known(Part(8, Tone.PING), 1)[0], 6)
            | spelled(1, known(Part(12, Tone.PING), 1)[0], 6),
            "does not rhyme with the lines before it",
            (1, 6),
        ),
        (
            spelled(0, known(Part(8, Tone.PING), 1)[0], 6)
            | spelled(1, known(Part(8, Tone.PING), 1)[0], 6),
            "comes twice",
            (1, 6),
        ),
    ],
)
def test_rhymes_that_do_not_fit_are_refused_with_their_line(
    given: Given, message: str, spot: tuple[int, int]
) -> None:
    with pytest.raises(NoCharacterFits, match=message) as refusal:
        guide_to(variants("浣溪沙")[0], meter=Meter.RHYME, given=given)
    assert refusal.value.spot == spot
    assert refusal.value.line == spot[0] + 1


def test_characters_of_other_tones_are_refused_with_the_pattern() -> None:
    level = "".join(known(Part(7, Tone.PING), 4))
    with pytest.raises(NoCharacterFits, match="line 2: it runs 中平中仄仄平平") as refusal:
        guide_to(variants("浣溪沙")[0], given=spelled(1, level))
    assert refusal.value.line == 2
    assert lines_of(
        write(guide_to(variants("浣溪沙")[0], meter=Meter.RHYME, given=spelled(1, level)))
    )[1].startswith(level)


def test_without_meter_the_form_alone_is_kept() -> None:
    variant = variants("忆秦娥")[0]
    lines = lines_of(write(guide_to(variant, meter=Meter.FREE)))
    proof = check_ci(lines, variant, exact=True)
    assert proof.checks["句式"].holds
    assert proof.checks["叠句"].holds
    assert not proof.checks["平仄"].holds


def test_no_character_comes_twice_but_as_a_pair() -> None:
    for seed in range(6):
        written = "".join(lines_of(write(guide_to(variants("浣溪沙")[0], seed=seed), seed)))
        pairs = sum(one == other for one, other in pairwise(written))
        assert len(set(written)) == len(written) - pairs
        assert pairs <= 1


def test_pairs_come_once_in_four_lines_and_never_as_three() -> None:
    variant = variants("满江红")[0]
    guide, tokens, doubled = guide_to(variant), list[int](), 0
    while not guide.finished:
        ids = np.flatnonzero(guide.allowed().numpy()).tolist()
        again = bool(tokens) and tokens[-1] in ids
        doubled += again
        tokens.append(tokens[-1] if again else random.Random(len(tokens)).choice(ids))
        guide.advance(tokens[-1])
    assert doubled == variant.num_lines // 4
    assert not any(tokens[at] == tokens[at + 1] == tokens[at + 2] for at in range(len(tokens) - 2))


@pytest.mark.parametrize("name", ["兰陵王", "沁园春", "木兰花慢", "浣溪沙"])
def test_the_supply_counts_what_has_not_come_or_may_come_again(name: str) -> None:
    guide, chance = guide_to(variants(name)[0]), random.Random(1)
    while not guide.finished:
        guide.advance(chance.choice(np.flatnonzero(guide.allowed().numpy()).tolist()))
    come = np.flatnonzero(parts().lexicon.han & ~guide._memory.unused).tolist()
    left = parts().count(come)
    for supply in guide._supplies.values():
        assert supply._counts == {part: left[part] for part in supply._counts}


def test_copies_are_avoided_and_where_they_must_come_refused() -> None:
    variant = variants("浣溪沙")[0]
    begun = lines_of(write(guide_to(variant)))[0][:6]
    masks = parts().lexicon
    whole = LineFilter.build(begun + c for c in masks.vocabulary.characters)
    given = spelled(0, begun)
    with pytest.raises(NoCharacterFits, match="stands in the corpus"):
        write(guide_to(variant, given=given, lines=whole, novel=True))
    half = LineFilter.build(begun + c for c in masks.vocabulary.characters[::2])
    lines = lines_of(write(guide_to(variant, given=given, lines=half)))
    assert lines[0] not in half


def test_an_unknown_step_is_refused() -> None:
    guide = guide_to(variants("浣溪沙")[0])
    with pytest.raises(ValueError, match="line 1 cannot go on"):
        guide.advance(parts().lexicon.vocabulary.comma_id)


def test_a_vocabulary_that_is_too_small_is_refused() -> None:
    small = Parts(lexicon(60))
    with pytest.raises(NoCharacterFits, match="too few characters"):
        choose_tune_plan(small, variants("浣溪沙")[0], Meter.STRICT, {}, 0)
