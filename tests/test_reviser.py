import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch

from app.chinese import in_chinese
from model.checkpoint import Checkpoint
from model.guide import NoCharacterFits
from model.poet.line_filter import LineFilter
from model.poet.poet import Poet
from model.poet.reviser import Beginning, Reviser
from model.poet.revision import RevisionSpec, Suggestion
from model.poet.way import Way
from model.precision import Precision
from model.sampling import SamplingParams
from model.sequence import Sequence as TokenSequence
from model.verse.cue import template_cues
from model.verse.form import Form, Layout
from model.verse.pattern import templates
from model.verse.proof import check
from model.verse.rhymes import Rhymes
from model.verse.script import Script, unify

STORK = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
SNOW = "千山鸟飞绝，万径人踪灭。孤舟蓑笠翁，独钓寒江雪。"  # in oblique rhyme
MOON = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"  # in no pattern
SHADOW = (
    "花间一壶酒，独酌无相亲。举杯邀明月，对影成三人。月既不解饮，影徒随我身。暂伴月将影，行乐须及春。"
    "我歌月徘徊，我舞影零乱。醒时同交欢，醉后各分散。永结无情游，相期邈云汉。"
)
YOUZHOU = "前不见古人，后不见来者。念天地之悠悠，独怆然而涕下。"  # lines of 5 and 6


@pytest.fixture(scope="module")
def poet(tiny_checkpoint: Checkpoint) -> Poet:
    return Poet(tiny_checkpoint, dtype=Precision.FLOAT32, num_slots=64)


def ways_of(
    poet: Poet, spec: RevisionSpec, reviser: Reviser | None = None
) -> tuple[Beginning, list[TokenSequence]]:
    reviser = reviser or poet.reviser
    beginning = reviser.begin(reviser.read(spec))
    poet.engine.run([beginning.sequence])
    ways = reviser.go_on(beginning)
    poet.engine.run(ways)
    return beginning, ways


def weighed(
    poet: Poet, text: str, reviser: Reviser | None = None, **fields: Any
) -> tuple[Beginning, list[Suggestion]]:
    beginning, ways = ways_of(poet, RevisionSpec(text, **fields), reviser)
    return beginning, (reviser or poet.reviser).finish(beginning, ways)


def revise(poet: Poet, text: str, reviser: Reviser | None = None, **fields: Any) -> list[str]:
    return [each.characters for each in weighed(poet, text, reviser, **fields)[1]]


def bits_by_the_model(
    checkpoint: Checkpoint, poet: Poet, lines: Sequence[str], first: int, last: int
) -> float:
    """Bits of a regulated poem's tokens from one to another, by the model's own forward pass."""
    vocabulary = poet.vocabulary
    text = "".join(f"{line}{'。' if n % 2 else '，'}" for n, line in enumerate(lines))
    body = vocabulary.encode(text)
    template = next(t for t in templates(Layout(5, 4)) if t.name == check(lines).pattern)
    header = vocabulary.header(form=Form.WUJUE, regulated=True)
    ids = torch.tensor([*header, *body])[:, None]
    cues = torch.tensor([*[0] * (len(header) - 1), *template_cues(template), 0])[:, None]
    with torch.inference_mode():
        model = checkpoint.build_model()
        logits, _ = model(ids, cues=cues)
    costs = logits[:-1, 0].log_softmax(-1).gather(-1, ids[1:])[len(header) - 1 :, 0]
    return float(-costs[first:last].sum()) / math.log(2)


@pytest.mark.parametrize(
    ("fields", "first", "last"),
    [({"spots": ((1, 1),)}, 7, 11), ({"spots": ((2, 4),)}, 16, 17), ({"line": 0}, 0, 17)],
    ids=["a spot and the rest of its line", "an end", "a line and the two after it"],
)
def test_ways_are_ranked_by_what_the_model_says(
    tiny_checkpoint: Checkpoint, poet: Poet, fields: dict[str, Any], first: int, last: int
) -> None:
    beginning, ways = ways_of(poet, RevisionSpec(STORK, **fields))
    found = poet.reviser.weigh(beginning, ways)
    assert len(found) == (64 if "spots" in fields else 32)
    for way in found[:10]:
        expected = bits_by_the_model(tiny_checkpoint, poet, way.lines, first, last)
        assert -way.log_probability / math.log(2) == pytest.approx(expected, abs=1e-3)
    assert all(one.log_probability >= other.log_probability for one, other in pairwise(found))


def test_the_way_to_score_can_be_another(poet: Poet, tiny_checkpoint: Checkpoint) -> None:
    def late(way: Way) -> float:
        assert way.title == "登樓"
        return ord(way.lines[3][0])

    lexicon = poet.rhyme_book._lexicon
    reviser = Reviser(tiny_checkpoint.vocabulary, lambda _: lexicon, score=late)
    found = revise(poet, STORK, reviser, spots=((3, 0),), title="登樓", script=Script.TRADITIONAL)
    assert len(found) == 16
    assert [ord(each) for each in map(unify, found)] == sorted(map(ord, map(unify, found)))[::-1]


@pytest.mark.parametrize("spots", [((0, 4),), ((1, 4),), ((0, 1), (0, 2)), ((1, 3), (2, 0))])
def test_a_regulated_poem_stays_one(poet: Poet, spots: tuple[tuple[int, int], ...]) -> None:
    for each in weighed(poet, STORK, spots=spots)[1]:
        assert check(each.lines).regulated
        assert each.regulated


def test_a_fault_that_is_marked_is_mended(poet: Poet) -> None:
    faulty = STORK.replace("尽", "青")
    assert not check(faulty).regulated
    found = weighed(poet, faulty, spots=((0, 4),))[1]
    assert all(each.regulated for each in found)


def test_a_fault_elsewhere_stays_and_no_other_comes(poet: Poet) -> None:
    faulty = STORK.replace("河", "鹤")  # which is oblique
    before = check(faulty)
    assert not before.regulated
    beginning, found = weighed(poet, faulty, spots=((2, 2),))
    assert "平仄" not in beginning.rules.names
    assert "押韵" in beginning.rules.names
    for each in found:
        after = check(each.lines)
        for name, rule in after.checks.items():
            assert len(rule.where) <= len(before.checks[name].where)


@pytest.mark.parametrize("line", range(4))
def test_a_poem_far_from_regulated_keeps_what_it_keeps(poet: Poet, line: int) -> None:
    before = check(MOON)
    beginning, found = weighed(poet, MOON, line=line)
    assert found
    for each in found:
        after = check(each.lines)
        assert not beginning.rules.broken(after)
        for name, rule in after.checks.items():
            assert rule.holds or len(rule.where) <= len(before.checks[name].where) > 0


def test_a_line_that_no_tones_could_mend_may_stay(poet: Poet) -> None:
    rules = {line: weighed(poet, MOON, line=line)[0].rules for line in (0, 1)}
    assert rules[1].keep(check(MOON))  # with □□□□□ it has fewer faults than any line leaves it
    assert not rules[0].keep(check(MOON))  # another line is better


def test_ways_are_found_that_fit_as_a_whole_alone(poet: Poet) -> None:
    beginning, found = weighed(poet, SHADOW, line=5)
    assert beginning.rules.keep(check(SHADOW))
    assert len({*beginning.rules.ways}) == len(beginning.rules.ways) > 0
    assert found


def test_an_oblique_rhyme_is_kept(poet: Poet) -> None:
    for each in weighed(poet, SNOW, spots=((3, 4),))[1]:
        assert check(each.lines).rhyme == check(SNOW).rhyme


def test_lines_of_several_lengths_are_revised(poet: Poet) -> None:
    found = revise(poet, YOUZHOU, spots=((3, 4),))
    assert found
    assert not {*found} & {*YOUZHOU}


def test_two_rhymes_that_are_open_rhyme_with_each_other(poet: Poet) -> None:
    text = STORK.replace("流", "□").replace("楼", "□")
    for each in weighed(poet, text)[1]:
        assert check(each.lines).regulated
        assert len({*each.characters}) == 2


def test_no_character_comes_again_unless_the_poem_repeats_some(poet: Poet) -> None:
    found = revise(poet, STORK, spots=((2, 2), (2, 3)), params=SamplingParams(1.0, seed=1))
    assert not {*"".join(found)} & {*STORK}
    doubled = STORK.replace("里", "日")
    allowed = weighed(poet, doubled, spots=((3, 0),))[0].constraints.unused
    plain = weighed(poet, STORK, spots=((3, 0),))[0].constraints.unused
    assert allowed.sum() > plain.sum()


def test_no_line_of_the_corpus_is_suggested_unless_it_was_one(tiny_checkpoint: Checkpoint) -> None:
    characters = tiny_checkpoint.vocabulary.characters
    known = Rhymes.load()
    copies = [f"{c}上一層樓" for c in characters if len(known.readings(c)) > 1 and c != "更"]
    poet = Poet(tiny_checkpoint, LineFilter.build([*copies, "黄河入海流"]), num_slots=64)
    fields: dict[str, Any] = {"spots": ((3, 0),), "script": Script.TRADITIONAL}
    new, any_line = (revise(poet, STORK, novel=novel, **fields) for novel in (True, False))
    assert not {f"{unify(each)}上一層樓" for each in new} & {*copies}
    assert {f"{unify(each)}上一層樓" for each in any_line} & {*copies}
    drawn = {f"{unify(each)}層樓" for each in revise(poet, STORK, spots=((3, 0), (3, 1), (3, 2)))}
    assert not drawn & {*copies}
    again = [f"{c}河入海流" for c in characters]
    poet = Poet(tiny_checkpoint, LineFilter.build([*again, "黄河入海流"]), num_slots=64)
    assert revise(poet, STORK, spots=((1, 0),))  # it was a copy before
    with pytest.raises(NoCharacterFits, match="stands in the corpus") as refusal:
        revise(poet, STORK.replace("黄", "□"))
    assert refusal.value.field == "text"


def test_what_stood_there_is_not_suggested_nor_anything_twice(poet: Poet) -> None:
    for spots in (((0, 1),), ((0, 1), (1, 0))):
        found = revise(poet, STORK, spots=spots)
        own = "".join(STORK.replace("，", "").replace("。", "")[5 * i + j] for i, j in spots)
        assert own not in found
        assert len({*found}) == len(found)


@pytest.mark.parametrize("text", [STORK, STORK.replace("尽", "盡")])
def test_what_looks_alike_is_suggested_once(
    poet: Poet, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    def suggested(text: str, characters: str) -> str:
        beginning, ways = ways_of(poet, RevisionSpec(text, spots=((0, 0),)))
        lines, rest = beginning.poem.written, beginning.poem.written[0][1:]
        found = [Way([c + rest, *lines[1:]], beginning.poem.spots, 0.0, None) for c in characters]
        monkeypatch.setattr(beginning.rules, "broken", lambda _: [])
        monkeypatch.setattr(Reviser, "weigh", lambda *_: found)
        return "".join(each.characters for each in poet.reviser.finish(beginning, ways))

    assert unify(suggested(text, "沉花掛沈挂")) in ("沉花掛", "沉花挂")
    assert suggested(text, "沈花沉") == "沈花"
    assert suggested(text.replace("白", "沉"), "沈花") == "花"  # it stood there


def test_suggestions_come_in_the_poems_script_or_the_one_asked_for(poet: Poet) -> None:
    simplified, traditional = (
        revise(poet, STORK, line=2, script=script) for script in (None, Script.TRADITIONAL)
    )
    assert [unify(each) for each in traditional] != simplified
    (first, *_) = weighed(poet, STORK, line=2, script=Script.TRADITIONAL)[1]
    assert first.lines[0] == "白日依山尽"


def test_nothing_that_fits_is_refused(poet: Poet) -> None:

    beginning = poet.reviser.begin(poet.reviser.read(RevisionSpec(STORK, spots=((0, 0),))))
    poet.engine.run([beginning.sequence])
    ways = poet.reviser.go_on(beginning)
    for way in ways:
        way.error = NoCharacterFits(1, "as if none fitted")
    with pytest.raises(NoCharacterFits, match="line 1: as if none fitted") as refusal:
        poet.reviser.finish(beginning, ways)
    assert refusal.value.field == "spots"
    beginning, _ = ways_of(poet, RevisionSpec(STORK, line=0))
    with pytest.raises(NoCharacterFits, match="line 1: nothing that keeps every rule was found"):
        poet.reviser.finish(beginning, [])


@pytest.mark.parametrize(
    ("text", "fields", "field"),
    [
        (STORK, {"spots": ((0, 0),)}, "spots"),
        (STORK, {"line": 0}, "line"),
        (STORK.replace("白", "□"), {}, "text"),
    ],
)
def test_a_refusal_says_which_rules_were_broken_and_names_what_was_sent(
    poet: Poet,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    fields: dict[str, Any],
    field: str,
) -> None:
    beginning, ways = ways_of(poet, RevisionSpec(text, **fields))
    monkeypatch.setattr(beginning.rules, "broken", lambda _: ["平仄", "粘"])
    with pytest.raises(NoCharacterFits, match="what was tried breaks 平仄、粘") as refusal:
        poet.reviser.finish(beginning, ways)
    assert refusal.value.field == field
    assert in_chinese(str(refusal.value)).endswith("试过的都犯平仄、粘")
    beginning.sequence.error = NoCharacterFits(1, "as if none fitted")
    with pytest.raises(NoCharacterFits, match="as if none fitted") as refusal:
        poet.reviser.go_on(beginning)
    assert refusal.value.field == field


@pytest.mark.parametrize("fields", [{"spots": ((2, 1),)}, {"line": 3}, {"line": 1, "title": "春"}])
def test_costs_are_the_steps_that_the_engine_takes(
    tiny_checkpoint: Checkpoint, fields: dict[str, Any]
) -> None:
    poet = Poet(tiny_checkpoint, num_slots=128)
    poem = poet.reviser.read(RevisionSpec(STORK, guidance=3.0, **fields))
    reading, going_on = poet.reviser.costs(poem)
    beginning = poet.reviser.begin(poem)
    poet.engine.add(beginning.sequence)
    assert poet.engine.slots_taken == reading[0]
    assert _steps(poet) == reading[1]
    for way in poet.reviser.go_on(beginning):
        poet.engine.add(way)
    assert poet.engine.slots_taken <= going_on[0]
    assert _steps(poet) == going_on[1]


def _steps(poet: Poet) -> int:
    steps = 0
    while poet.engine.slots_taken:
        poet.engine.step()
        steps += 1
    return steps
