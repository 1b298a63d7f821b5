import pytest

from model.verse.cue import Cue
from model.verse.form import Form
from model.verse.tune import Tune, TuneLine, TuneVariant, numeral
from model.verse.tune_cue import tune_cues
from model.verse.tunes import Tunes, form_called


def variant(name: str, number: int = 1) -> TuneVariant:
    """Return a variant of the packaged table."""
    found = Tunes.load().find(name)
    assert found is not None
    return found.tune.variants[number - 1]


def shapes(name: str) -> list[str]:
    """Return each variant of a tune: its lines, a letter where they rhyme."""
    found = Tunes.load().find(name)
    assert found is not None
    return [
        " ".join(f"{line.size}{line.rhyme}" for line in variant.lines)
        for variant in found.tune.variants
    ]


def test_there_are_seventy_tunes_of_forty_poems_and_more() -> None:
    assert sum(tune.poems >= 40 for tune in Tunes.load()) >= 70
    assert len(Tunes.load()) >= 90
    assert len({tune.pinyin for tune in Tunes.load()}) == len(Tunes.load())


@pytest.mark.parametrize("name", ["浣溪沙", "浣溪纱", "huanxisha", "Huan Xi Sha", "《浣溪沙》"])
def test_a_tune_is_found_by_its_names(name: str) -> None:
    found = form_called(name)
    assert isinstance(found, Tune)
    assert found.name == "浣溪沙"


def test_a_number_names_a_variant() -> None:
    assert form_called("臨江仙-2") is variant("临江仙", 2)
    assert variant("临江仙", 2).code == "linjiangxian-2"
    assert variant("临江仙").code == "linjiangxian"
    assert form_called("七绝") is Form.QIJUE
    with pytest.raises(ValueError, match=r"linjiangxian has \d variants"):
        form_called("临江仙-99")


def test_an_unknown_name_is_refused_with_those_like_it() -> None:
    with pytest.raises(ValueError, match=r"the forms are jueju-5.*nearest to it are huanxisha"):
        form_called("浣溪砂")
    with pytest.raises(ValueError, match=r"the tunes nearest to it are huanxisha"):
        form_called("wanxisha")


@pytest.mark.parametrize("name", ["绝句", "絕句", "sonnet", "俳句", "x"])
def test_no_tune_is_offered_that_is_called_unlike(name: str) -> None:
    with pytest.raises(ValueError, match=r"jueju-\d") as refusal:
        form_called(name)
    assert "tune" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "stanzas", "pattern"),
    [
        ("浣溪沙", (3, 3), "中仄平平仄仄平"),
        ("菩萨蛮", (4, 4), "中平中仄平平仄"),
        ("水调歌头", (9, 10), "中中中中仄"),
        ("满江红", (8, 10), "中仄平平"),
        ("如梦令", (7,), "中仄中平中仄"),
        ("兰陵王", (10, 8, 10), "仄平仄"),
    ],
)
def test_stanzas_and_first_lines(name: str, stanzas: tuple[int, ...], pattern: str) -> None:
    assert variant(name).stanzas == stanzas
    assert variant(name).lines[0].pattern == pattern


def test_rhymes_change_where_the_tune_changes_them() -> None:
    assert shapes("菩萨蛮") == ["7a 7a 5B 5B 5c 5c 5D 5D"]
    assert shapes("西江月") == ["6 6A 7A 6a 6 6A 7A 6a"]
    assert shapes("定风波")[0] == "7A 7A 7b 2b 7A 7c 2c 7A 7d 2d 7A"
    assert shapes("相见欢") == ["6A 3A 9A 3b 3b 3A 9A"]


def test_rhymes_that_only_some_poems_have_make_variants_of_their_own() -> None:
    assert shapes("一剪梅") == [
        "7A 4 4A 7A 4A 4A 7A 4 4A 7A 4A 4A",
        "7A 4A 4A 7A 4A 4A 7A 4A 4A 7A 4A 4A",
    ]
    assert "5 6A 5 4 4A 2A 4 8A 6 6A 2A 4A 6A 5 4 4A 2A 4 8A 6 6A" in shapes("木兰花慢")
    assert {*shapes("霜天晓角")} == {
        "4a 5a 6 6a 5a 5a 6 6a",
        "4a 5a 6 6a 2a 3a 5a 6 6a",
        "4A 5A 6 6A 5A 5A 6 6A",
    }
    assert shapes("喜迁莺")[0] == "4a 5 4a 4 4 6a 6 6a 3 5 4a 2a 3 4 5a 4 4 6a 6 6a 3 5 4a"
    assert "3 3A 5A 7A 5A 3 3b 6b 7A 5A" in shapes("喜迁莺")
    assert shapes("青玉案")[0] == "7a 6a 7a 4 4 5a 7a 7a 7a 4 4 5a"


def test_what_is_said_again_is_known() -> None:
    assert variant("如梦令").again == {(5, 0): (4, 0), (5, 1): (4, 1)}
    assert (2, 0) in variant("忆秦娥").again
    assert not variant("浣溪沙").again


def test_the_entering_tone_is_a_custom_with_a_share() -> None:
    assert variant("忆秦娥").entering["a"] > 80
    assert variant("蝶恋花").entering["a"] < 10


def test_a_line_runs_as_most_poets_ran_it() -> None:
    line = TuneLine((3, 4), "a", {"平平仄仄平平仄": 60, "仄平仄仄平平仄": 35, "平仄仄仄平平仄": 5})
    assert line.regular == ("平平仄仄平平仄", "仄平仄仄平平仄")
    assert line.pattern == "中平仄仄平平仄"
    assert (line.size, line.pauses, line.mark) == (7, (3,), "。")
    assert line.rhyme_tone == "仄"


def test_a_poem_is_set_out_by_sentences_and_stanzas() -> None:
    lines = ["一" * size for size in variant("卜算子").lengths]
    assert variant("卜算子").set_out(lines) == (
        "一一一一一，一一一一一。\n一一一一一一一，一一一一一。\n\n"
        "一一一一一，一一一一一。\n一一一一一一一，一一一一一。"
    )
    assert "一一一、一一一一" in variant("满江红").set_out(
        "一" * size for size in variant("满江红").lengths
    )


def test_lines_that_were_cut_at_pauses_are_joined() -> None:
    cut = ["怒髮衝冠", "憑闌處", "瀟瀟雨歇", "抬望眼"]
    assert variant("满江红").joined(cut) == ("怒髮衝冠", "憑闌處瀟瀟雨歇", "抬望眼")


def test_cues_are_those_of_the_pattern() -> None:
    cues = tune_cues(variant("浣溪沙"))
    either, level, oblique = Cue.EITHER, Cue.PING, Cue.ZE
    first = (either, oblique, level, level, oblique, oblique, Cue.RHYME, Cue.FREE)
    assert cues[:8] == first
    assert len(cues) == variant("浣溪沙").num_tokens == 48
    assert {*tune_cues(variant("浣溪沙"), tones=False)} == {Cue.FREE, Cue.RHYME}
    assert {*tune_cues(variant("浣溪沙"), tones=False, rhymes=False)} == {Cue.FREE}
    assert len(tune_cues(variant("满江红"))) == variant("满江红").num_tokens


@pytest.mark.parametrize(
    ("number", "text"), [(42, "四十二"), (105, "一百〇五"), (116, "一百一十六")]
)
def test_numerals(number: int, text: str) -> None:
    assert numeral(number) == text


@pytest.mark.parametrize("row", ["line\t1\t7\tA\t\t平", "tune\t浣溪沙", "tone\tx"])
def test_a_row_of_another_kind_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match="expected a tune, a variant or a line"):
        Tunes.parse([row])


def test_a_name_that_no_form_has_is_not_looked_for_at_length() -> None:
    with pytest.raises(ValueError, match="a name has at most 60 characters"):
        form_called("发" * 7000)
