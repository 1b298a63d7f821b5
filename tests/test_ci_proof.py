import pytest

from model.verse.ci_proof import CiProof, check_ci
from model.verse.judge import judge
from model.verse.proof import MeterProof
from model.verse.tunes import Tunes

# A ci made up for the tests: its words are no poet's.
HUANXISHA = (
    "碧水东流日夜长，南湖烟雨入斜阳，小舟不系白云乡。"
    "一笛秋风吹落叶，几行新雁过寒塘，月明今夜在西廊。"
)
RUMENG = "昨夜小楼风雨。独自凭阑无语。何处是归舟，烟水茫茫南浦。归去。归去。莫待落花飞絮。"


def ci(text: str, title: str = "") -> CiProof:
    """Return the proof of a text that is a ci."""
    proof = judge(f"{title}\n{text}" if title else text)
    assert isinstance(proof, CiProof)
    return proof


def test_a_ci_is_recognised_by_its_shape() -> None:
    assert ci(HUANXISHA).variant.code == "huanxisha"
    assert ci(RUMENG).variant.code == "rumengling"
    assert ci(RUMENG).regulated
    assert ci(HUANXISHA).regulated


def test_a_ci_is_judged_in_either_script_alike() -> None:
    traditional = (
        "碧水東流日夜長，南湖煙雨入斜陽，小舟不繫白雲鄉。"
        "一笛秋風吹落葉，幾行新雁過寒塘，月明今夜在西廊。"
    )
    one, other = ci(HUANXISHA), ci(traditional)
    assert one.tones == other.tones
    assert one.rhyme == other.rhyme == "第二部平"
    assert other.lines[0] == "碧水東流日夜長"


def test_every_rule_has_its_spots() -> None:
    off_rhyme = ci(HUANXISHA.replace("西廊", "西楼")).checks["押韵"]
    assert off_rhyme.where == ((6, 7),)
    off_tone = ci(HUANXISHA.replace("东流", "日落")).checks["平仄"]
    assert {line for line, _ in off_tone.where} == {1}
    twice = ci(HUANXISHA.replace("寒塘", "斜阳")).checks["重韵"]
    assert twice.where == ((5, 7),)
    again = ci(RUMENG.replace("归去。归去", "归去。何去"), "如梦令").checks["叠句"]
    assert again.where == ((6, 1),)
    assert not ci(RUMENG.replace("归去。归去", "归去。何去"), "如梦令").regulated


def test_a_missing_character_is_a_fault_of_the_line() -> None:
    proof = ci(HUANXISHA.replace("一笛秋风", "一笛风"), "浣溪沙")
    assert proof.checks["句式"].where == ((4, 6),)
    assert proof.variant.code == "huanxisha"


def test_a_line_with_a_character_too_many_stays_one_line_where_it_pauses() -> None:
    longer = HUANXISHA.replace("小舟不系白云乡", "更有小舟、不系白云乡")
    proof = ci(longer, "浣溪沙")
    assert proof.checks["句式"].where == ((3, 9),)
    assert proof.checks["押韵"].holds
    assert proof.lines[2] == "更有小舟不系白云乡"


def test_a_text_that_breaks_within_most_lines_follows_no_tune() -> None:
    characters = HUANXISHA.replace("，", "").replace("。", "")
    cut = "，".join(characters[at : at + 2] for at in range(0, len(characters), 2))
    assert isinstance(judge(cut + "。"), MeterProof)
    single = "，".join(characters) + "。"
    assert isinstance(judge(single), MeterProof)


@pytest.mark.parametrize("spoken", ["这次小楼风雨", "端的小楼风雨", "呢喃小楼风雨"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_ci_may_have_words_that_else_are_a_sign_of_prose(spoken: str, end: str) -> None:
    text = RUMENG.replace("昨夜小楼风雨", spoken).replace("。", "。" + end)
    for title in ("", "如梦令\n某人"):
        proof = ci(text, title)
        assert proof.variant.code == "rumengling"
        assert proof.lines[0] == spoken
    assert isinstance(judge(f"这是他们的，诗的。\n{'白日依山尽，黄河入海流。' * 2}"), MeterProof)


def test_a_line_that_is_not_there_is_a_fault() -> None:
    proof = ci(HUANXISHA.split("，月明")[0] + "。", "浣溪沙")
    assert (6, 1) in proof.checks["句式"].where


def test_the_title_decides_between_a_ci_and_a_shi_of_the_same_shape() -> None:
    lines = "白日依山尽，黄河入海流。" * 4
    assert isinstance(judge(lines), MeterProof)
    assert ci(lines, "生查子").variant.code == "shengzhazi"


def test_regulated_verse_under_the_name_of_a_tune_of_its_shape_is_a_ci() -> None:
    lines = "碧水东流日夜长，南湖烟雨入斜阳。一笛秋风吹落叶，几行新雁过寒塘。"
    more = "小楼昨夜听残漏，古寺今朝闻暗香。欲问故人何处去，青山一带在西廊。"
    assert isinstance(judge(lines + more), MeterProof)
    assert isinstance(judge(f"秋思\n{lines}{more}"), MeterProof)
    assert ci(lines + more, "瑞鹧鸪").variant.code == "ruizhegu"
    quatrain = judge(f"浪淘沙\n{lines}")  # the tune has 54 characters
    assert isinstance(quatrain, MeterProof)


@pytest.mark.parametrize("title", ["如梦令", "《如梦令》", "如夢令", "忆仙姿", "如梦令·春晚"])
def test_a_title_names_the_tune(title: str) -> None:
    assert ci(RUMENG.replace("莫待", "莫莫待"), title).variant.code == "rumengling"


def test_a_shi_stays_a_shi() -> None:
    proof = judge("白日依山尽，黄河入海流。欲穷千里目，更上一层楼。")
    assert isinstance(proof, MeterProof)
    assert proof.regulated
    unequal = judge("君不见黄河之水天上来，奔流到海不复回。")
    assert isinstance(unequal, MeterProof)
    with pytest.raises(ValueError, match="no Chinese characters"):
        judge("hello")


def test_a_group_in_two_parts_still_rhymes() -> None:
    found = Tunes.load().find("浣溪沙")
    assert found is not None
    ends = ("杯", "臺", "回", "葉", "來", "徊")
    lines = ["一一一一一一" + end for end in ends]
    check = check_ci(lines, found.tune.variants[0], exact=True).checks["押韵"]
    assert check.holds
    assert check.note == "第三部平；十灰"


def test_the_proof_is_json_with_the_names_of_any_proof() -> None:
    found, shi = ci(HUANXISHA).to_dict(), judge("白日依山尽，黄河入海流。").to_dict()
    assert found.keys() - shi.keys() == {"tune"}
    assert found["genre"] == "词"
    assert found["pattern"] == "浣溪沙（四十二字）"
    assert found["rhyme_lines"] == [1, 2, 3, 5, 6]
    assert found["tune"]["parts"] == {"A": "第二部平"}
    assert found["tune"]["stanzas"] == [3, 3]


def test_a_line_against_a_place_that_is_usually_fixed_is_a_variant_of_it() -> None:
    found = Tunes.load().find("浣溪沙")
    assert found is not None
    first = found.tune.variants[0].lines[0]
    rare = next(tones for tones in first.tones if tones not in first.regular)
    lines = [
        "".join({"平": "天", "仄": "月"}[tone] for tone in tones)
        for tones in [rare, *(line.regular[0] for line in found.tune.variants[0].lines[1:])]
    ]
    check = check_ci(lines, found.tune.variants[0], exact=True).checks["平仄"]
    assert check.holds
    assert check.note == "第1句变格"
