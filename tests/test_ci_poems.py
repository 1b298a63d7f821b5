"""Ci as they are asked for and answered: over HTTP, by the command line, by the poet."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import app
from model.checkpoint import Checkpoint
from model.poet.ci_wishes import choose_measures
from model.poet.poem import Meter, PoemSpec
from model.poet.poet import Poet
from model.sampling import SamplingParams
from model.verse.judge import judge
from model.verse.script import Script, to_script
from model.verse.tune import Tune
from model.verse.tunes import form_called
from model.vocabulary import Vocabulary
from model.wish import UnmetWish
from tests.test_routes import refusal
from tests.test_stream import events

run = CliRunner()


def tune(name: str) -> Tune:
    """Return the tune of a name."""
    found = form_called(name)
    assert isinstance(found, Tune)
    return found


def ci(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    """Return the poem of a request."""
    response = client.post("/generate", json={"candidates": 1, **fields})
    assert response.status_code == 200, response.text
    poem: dict[str, Any] = response.json()["poems"][0]
    return poem


@pytest.fixture(scope="module")
def poet(tiny_checkpoint: Checkpoint) -> Poet:
    return Poet(tiny_checkpoint, num_slots=8)


@pytest.mark.parametrize("name", ["浣溪沙", "浣溪紗", "huanxisha"])
def test_a_tune_is_asked_for_by_any_of_its_names(client: httpx.Client, name: str) -> None:
    poem = ci(client, form=name, seed=3)
    assert poem["form"] == "huanxisha"
    assert [len(line) for line in poem["lines"]] == [7] * 6
    assert poem["stanzas"] == [3, 3]
    assert poem["text"].count("\n\n") == 1
    assert poem["meter"]["genre"] == "词"
    assert poem["meter"]["regulated"]
    assert poem["meter"]["tune"]["code"] == "huanxisha"
    assert poem == ci(client, form="浣溪沙", seed=3)


@pytest.mark.parametrize("name", ["念奴娇", "虞美人", "相见欢", "忆秦娥", "木兰花慢-3"])
def test_the_answer_of_a_ci_proves_itself(client: httpx.Client, name: str) -> None:
    poem = ci(client, form=name, seed=1)
    assert poem["meter"]["regulated"]
    own = judge(f"{name.partition('-')[0]}\n{poem['text']}").to_dict()
    assert own["regulated"]
    assert own["tune"]["name"] == poem["meter"]["tune"]["name"]


@pytest.mark.parametrize("candidates", [1, 4])
def test_a_streamed_ci_is_the_one_that_comes_whole(client: httpx.Client, candidates: int) -> None:
    wishes = {"form": "满江红", "seed": 5, "candidates": candidates, "title": "登楼"}
    *characters, (name, answer) = events(client, **wishes)
    assert name == "poem", answer
    poem = answer["poems"][0]
    assert "".join(data["text"] for _, data in characters) == poem["text"].replace("\n", "")
    assert {data["line"] for _, data in characters} == set(range(18))
    assert characters[-1][1] == {"poem": 0, "line": 17, "text": "。"}
    assert ci(client, **wishes) == poem


@pytest.mark.parametrize("candidates", [1, 4])
@pytest.mark.parametrize(
    "wishes",
    [
        {"title": "登楼", "guidance": 4.0},
        {"author": "苏轼", "era": "宋", "guidance": 0.0},
        {"theme": "雪夜"},
        {"theme": "雪", "title": "春日", "author": "李白"},
        {"novel": True, "temperature": 0},
        {"start": "日", "novel": False, "rare": True},
        {"temperature": 2.0, "top_k": 40, "top_p": 0.9},
    ],
)
def test_a_ci_takes_the_wishes_that_any_poem_takes(
    client: httpx.Client, wishes: dict[str, Any], candidates: int
) -> None:
    asked = {
        "form": "菩萨蛮",
        "seed": 8,
        "candidates": candidates,
        "script": "traditional",
        **wishes,
    }
    poem = ci(client, **asked)
    assert poem["meter"]["regulated"]
    assert ci(client, **asked) == poem
    assert poem["lines"][0].startswith(wishes.get("start", ""))
    assert {each["word"] for each in poem["keywords"]} <= {"雪", "夜", "雪夜"}
    assert bool(poem["keywords"]) == ("theme" in wishes)
    if "novel" in wishes:
        assert poem["copied_lines"] == []
    *characters, (name, answer) = events(client, **asked)
    assert name == "poem", answer
    assert answer["poems"][0] == poem
    assert "".join(data["text"] for _, data in characters) == poem["text"].replace("\n", "")


def test_several_ci_of_one_request_have_seeds_of_their_own(client: httpx.Client) -> None:
    response = client.post("/generate", json={"form": "如梦令", "n": 3, "candidates": 2, "seed": 4})
    poems = response.json()["poems"]
    assert len({poem["text"] for poem in poems}) == 3
    for poem in poems:
        again = ci(client, form="如梦令", seed=poem["seed"], candidates=2)
        assert again["text"] == poem["text"]


def test_the_length_picks_a_variant(client: httpx.Client) -> None:
    assert ci(client, form="临江仙", seed=1)["characters"] == 60
    poem = ci(client, form="临江仙", length=58, seed=1)
    assert (poem["characters"], poem["form"]) == (58, "linjiangxian-2")
    expected = r"length: 临江仙 has 60 or 58 characters, not 50"
    assert expected in refusal(client, {"form": "临江仙", "length": 50})


def test_an_opening_picks_a_variant_and_may_be_cut_at_pauses(client: httpx.Client) -> None:
    given = {"form": "临江仙", "meter": "free", "seed": 1}
    poem = ci(client, **given, opening="日日日日日日，月月月月月月。")
    assert [len(line) for line in poem["lines"][:2]] == [6, 6]
    begun = ci(client, form="满江红", meter="free", opening="日日日日，月月月、山山山山。", seed=1)
    assert begun["lines"][:2] == ["日日日日", "月月月山山山山"]
    assert begun["text"].startswith("日日日日，月月月、山山山山。")


def test_an_opening_picks_a_variant_by_its_rhyme_where_lengths_do_not(
    client: httpx.Client,
) -> None:
    given = {"form": "忆秦娥", "meter": "rhyme", "seed": 1}
    assert ci(client, **given, opening="日日月。")["form"] == "yiqine"
    poem = ci(client, **given, opening="日日山。")
    assert poem["form"] == "yiqine-2"
    assert poem["meter"]["tune"]["parts"] == {"A": "第七部平"}
    named = refusal(client, {**given, "form": "忆秦娥-1", "opening": "日日山。"})
    assert "line 1: the line has to rhyme in the oblique tone, and ends in 山" in named


def test_an_acrostic_has_a_character_for_each_line_or_sentence(client: httpx.Client) -> None:
    poem = ci(client, form="卜算子", acrostic="春夏秋冬", meter="rhyme", seed=1)
    assert [line[0] for line in poem["lines"][::2]] == list("春夏秋冬")
    poem = ci(client, form="卜算子", acrostic="春夏秋冬山海日月", meter="rhyme", seed=1)
    assert [line[0] for line in poem["lines"]] == list("春夏秋冬山海日月")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"form": "浣溪砂"}, r"body.form: .*no form is called.*huanxisha \(浣溪沙\)"),
        ({"form": "浣溪沙-9"}, r"body.form: .*huanxisha has \d variants?, from 1"),
        ({"form": "浣溪沙", "start": "日" * 8}, "body.start: line 1: a line has 7 .* not 8"),
        ({"form": "浣溪沙", "acrostic": "春夏"}, r"acrostic: .*takes 5 .*sentence.* or 6 .*not 2"),
        ({"form": "卜算子", "opening": "日日日日日，月月月。"}, "line 2: this line has 5"),
        ({"form": "如梦令", "opening": ["日日日日日日"] * 8}, "opening: line .*"),
        ({"form": "浣溪沙", "author": "無此人"}, "body.author: "),
        (
            {"form": "如梦令", "acrostic": "春夏秋冬山海", "meter": "rhyme"},
            "acrostic: line 6: it says a character of line 5 again: 冬 there, 山 here",
        ),
        ({"form": ["浣溪沙"]}, "body.form"),
        ({"form": "浣溪沙", "rhyme": "七阳"}, "body.rhyme: .*part of 词林正韵"),
        ({"form": "浣溪沙", "pattern": "仄起"}, "body.pattern: .*as its tune does"),
        ({"form": "浣溪沙", "theme": "xyzzy"}, "body.theme: none of its words"),
    ],
)
def test_a_refusal_says_which_wish_does_not_fit_where(
    client: httpx.Client, fields: dict[str, Any], expected: str
) -> None:
    response = client.post("/generate", json=fields)
    assert response.status_code == 422
    errors = response.json()["detail"]
    told = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors]
    assert any(re.search(expected, each) for each in told), told


def test_the_check_recognises_a_ci(client: httpx.Client) -> None:
    text = ci(client, form="水调歌头", seed=2)["text"]
    found = client.post("/check", json={"text": text}).json()
    assert found["tune"]["code"] == "shuidiaogetou"
    assert found["regulated"]
    shi = client.post("/check", json={"text": "白日依山尽，黄河入海流。"}).json()
    assert shi["tune"] is None


def test_seeds_bring_ci_back_alone_and_among_others(poet: Poet) -> None:
    specs = [
        PoemSpec(form=tune(name), params=SamplingParams(seed=seed), candidates=candidates)
        for seed, name in enumerate(("浣溪沙", "虞美人", "浣溪沙"))
        for candidates in (1, 2)
    ]
    together = poet.write(specs[:3]) + poet.write(specs[3:])
    assert [poet.write([spec])[0] for spec in specs] == together


def test_a_tune_is_in_the_header_by_its_token_or_its_characters(
    tiny_checkpoint: Checkpoint, poet: Poet
) -> None:
    vocabulary = tiny_checkpoint.vocabulary
    spec = PoemSpec(form=tune("浣溪沙"))
    by_name = vocabulary.header(title="浣溪沙")
    assert poet.prepare(spec).sequence.header == by_name
    titled = poet.prepare(replace(spec, title="登樓", guidance=3.0)).sequence
    assert titled.header == vocabulary.header(title="登樓")
    assert titled.contrast == by_name
    wide = Vocabulary(vocabulary.characters, vocabulary.authors, ["浣溪沙"])
    knowing = Poet.__new__(Poet)
    knowing.vocabulary = wide
    variant = tune("浣溪沙").variants[0]
    found = knowing._header(replace(spec, title="登樓"), variant, Meter.STRICT)
    assert found == wide.header(tune="浣溪沙", title="登樓")


def test_a_ci_takes_as_many_steps_as_are_reckoned(poet: Poet) -> None:
    spec = PoemSpec(form=tune("满江红"))
    draft = poet.prepare(spec)
    poet.engine.run([draft.sequence])
    assert poet.steps(spec) == len(draft.sequence.header) - 1 + len(draft.sequence.tokens)


def test_the_steps_are_those_of_the_variant_whose_lengths_fit(poet: Poet) -> None:
    spec = PoemSpec(form=tune("临江仙"), opening=("日" * 6, "月" * 6), meter=Meter.FREE)
    (measure, *_) = choose_measures(spec)
    assert measure.lengths[:2] == (6, 6)
    assert measure.characters == 58
    assert {each.lengths[:2] for each in choose_measures(spec)} == {(6, 6)}
    draft = poet.prepare(spec)
    assert draft.layout == measure
    assert poet.steps(spec) > measure.num_tokens
    wrong = replace(spec, opening=("日" * 9,))
    assert choose_measures(wrong) == tune("临江仙").variants[:1]


def test_a_rare_wish_names_its_field(poet: Poet) -> None:
    with pytest.raises(UnmetWish) as refused:
        poet.prepare(PoemSpec(form=tune("浣溪沙"), length=41))
    assert refused.value.field == "length"


def test_the_command_line_writes_lists_and_judges(
    monkeypatch: pytest.MonkeyPatch, checkpoint_path: Path
) -> None:
    monkeypatch.setenv("YIN_CHECKPOINT", str(checkpoint_path))
    monkeypatch.setenv("YIN_DTYPE", "float32")
    written = run.invoke(app, ["generate", "--form", "浣溪沙", "--vertical", "--seed", "3"])
    assert written.exit_code == 0, written.output
    rows = written.output.splitlines()
    assert rows[7] == "— huanxisha, seed 3"
    assert {row[6] for row in rows[:7]} == {"　"}  # the gap between the stanzas
    text = run.invoke(app, ["generate", "--form", "浣溪沙", "--seed", "3"]).output
    judged = run.invoke(app, ["check"], input=text.partition("—")[0])
    assert judged.exit_code == 0, judged.output
    assert "浣溪沙（四十二字），韵 第" in judged.output
    listed = run.invoke(app, ["forms"]).output.splitlines()
    assert (
        "浣溪沙　huanxisha　小令　42、48字" in listed[6]
        or "浣溪沙　huanxisha　小令　42字" in listed[6]
    )
    shown = run.invoke(app, ["forms", "菩萨蛮"]).output
    assert "　中平中仄平平仄A▲。" in shown
    unknown = run.invoke(app, ["forms", "菩萨慢"])
    assert unknown.exit_code == 2
    assert "pusaman (菩萨蛮)" in unknown.output


def test_the_lines_of_the_answer_have_the_script_that_was_asked(client: httpx.Client) -> None:
    poem = ci(client, form="满江红", seed=1, script="traditional")
    simplified = ci(client, form="满江红", seed=1)
    assert [len(line) for line in poem["lines"]] == [len(line) for line in simplified["lines"]]
    assert to_script("".join(poem["lines"]), Script.SIMPLIFIED) != ""
    assert "、" not in "".join(poem["lines"])
    assert "、" in poem["text"]
