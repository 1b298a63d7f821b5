"""Poems that everybody knows, judged as scholars do, and poems of the corpus in both scripts."""

import json
import tarfile
from itertools import islice
from pathlib import Path

import pytest
from opencc import OpenCC

from model.verse.judge import judge
from model.verse.proof import Genre, MeterProof, check
from model.verse.rhymes import Rhymes
from model.verse.scansion import punctuate, split_lines
from model.verse.script import Script, to_script, unify
from model.verse.sound import sounds

WHITE_EMPEROR = "朝辞白帝彩云间，千里江陵一日还。两岸猿声啼不住，轻舟已过万重山。"
QINHUAI = "烟笼寒水月笼沙，夜泊秦淮近酒家。商女不知亡国恨，隔江犹唱后庭花。"
WANG_LUN = "李白乘舟将欲行，忽闻岸上踏歌声。桃花潭水深千尺，不及汪伦送我情。"
MESSENGER = "故园东望路漫漫，双袖龙钟泪不干。马上相逢无纸笔，凭君传语报平安。"
RETURNING = "少小离家老大回，乡音无改鬓毛衰。儿童相见不相识，笑问客从何处来。"
CRANE = (
    "昔人已乘黄鹤去，此地空余黄鹤楼。黄鹤一去不复返，白云千载空悠悠。"
    "晴川历历汉阳树，芳草萋萋鹦鹉洲。日暮乡关何处是，烟波江上使人愁。"
)
EARLY_SPRING = (
    "寒随穷律变，春逐鸟声开。初风飘带柳，晚雪间花梅。"
    "碧林青旧竹，绿沼翠新苔。芝田初雁去，绮树巧莺来。"
)


def failing(proof: MeterProof) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return the rules that do not hold, with where."""
    return {name: rule.where for name, rule in proof.checks.items() if not rule.holds}


@pytest.mark.parametrize(
    ("poem", "pattern", "rhyme"),
    [
        (WHITE_EMPEROR, "平起首句入韵", "十五刪"),
        (QINHUAI, "平起首句入韵", "六麻"),
        (WANG_LUN, "仄起首句入韵", "八庚"),
        (MESSENGER, "平起首句入韵", "十四寒"),
        (RETURNING, "仄起首句入韵", "十灰"),
        ("白日依山尽，黄河入海流。欲穷千里目，更上一层楼。", "仄起首句不入韵", "十一尤"),
    ],
)  # fmt: skip
def test_a_regulated_quatrain_is_known_with_the_rhyme_of_its_first_line(
    poem: str, pattern: str, rhyme: str
) -> None:
    proof = check(poem)
    assert (proof.regulated, proof.genre) == (True, Genre.REGULATED_QUATRAIN)
    assert (proof.pattern, proof.rhyme) == (pattern, rhyme)
    opens = pattern.endswith("首句入韵")
    assert proof.rhyme_lines == ((1, 2, 4) if opens else (2, 4))
    assert proof.checks["首句"].note == ("入韵" if opens else "不入韵")
    assert proof.tones[0][-1] == ("平" if opens else "仄")


@pytest.mark.parametrize(
    "poem",
    [
        "渭城朝雨浥轻尘，客舍青青柳色新。劝君更尽一杯酒，西出阳关无故人。",
        "娉娉袅袅十三余，豆蔻梢头二月初。春风十里扬州路，卷上珠帘总不如。",
    ],
)
def test_where_only_one_link_between_couplets_fails_the_poem_is_broken_at_the_waist(
    poem: str,
) -> None:
    proof = check(poem)
    assert failing(proof) == {"粘": ((3, 2),)}
    assert proof.genre is Genre.BROKEN_WAIST
    assert proof.line_types == "ABaB"
    assert proof.tones[2][:2] in ("仄平", "平平")


def test_links_that_fail_do_not_make_regular_lines_irregular() -> None:
    proof = check(EARLY_SPRING)
    assert failing(proof) == {"粘": ((3, 2), (5, 2), (7, 2))}
    assert proof.genre is Genre.IRREGULAR
    assert proof.checks["拗救"].note == ""


def test_oblique_rhyme_is_named_with_the_lines_that_rhyme_and_measured_by_nothing_else() -> None:
    proof = check("千山鸟飞绝，万径人踪灭。孤舟蓑笠翁，独钓寒江雪。")
    assert (proof.genre, proof.rhyme, proof.rhyme_lines) == (Genre.OBLIQUE, "九屑", (1, 2, 4))
    assert proof.checks["押韵"].note == "九屑；第1句亦韵"
    assert not {"平仄", "对", "粘", "仄收"} & proof.checks.keys()
    assert not proof.regulated


def test_a_rare_reading_excuses_no_fault() -> None:
    lone = check("人闲桂花落，醉多适不愁。月出惊山鸟，时鸣春涧中。")
    assert lone.checks["孤平"].where == ((2, 2),)
    crane = check(CRANE)
    assert crane.checks["三平调"].where == ((4, 7),)
    assert {line for line, _ in crane.checks["平仄"].where} == {1, 3, 4}
    assert crane.checks["平仄"].note == "第4句唯第5字读仄声（一送）则合"
    assert crane.rhyme_lines == (2, 4, 6, 8)


def test_a_line_that_the_next_makes_good_needs_no_rare_reading() -> None:
    grass = check(
        "离离原上草，一岁一枯荣。野火烧不尽，春风吹又生。"
        "远芳侵古道，晴翠接荒城。又送王孙去，萋萋满别情。"
    )
    assert (grass.regulated, grass.genre) == (True, Genre.REGULATED_EIGHT)
    assert grass.checks["拗救"].note == "第3句对句救"
    assert grass.tones[2] == "仄仄平仄仄"


def test_at_a_rhyme_a_character_has_the_tone_of_its_group() -> None:
    listening = check("善鼓云和瑟，常闻帝子灵。冯夷空自舞，楚客不堪听。")
    assert listening.tones[3][-1] == "平"
    assert (listening.regulated, listening.rhyme) == (True, "九青")


def test_lone_geese_are_named_with_their_neighbouring_group() -> None:
    entering = check("清明时节雨纷纷，路上行人欲断魂。借问酒家何处有，牧童遥指杏花村。")
    assert entering.rhyme == "十三元"
    assert entering.checks["首句"].note == "邻韵"
    assert entering.checks["押韵"].note == "十三元；第1句孤雁入群（邻韵十二文）"
    assert entering.rhyme_lines == (1, 2, 4)
    assert entering.regulated
    leaving = check("清明时节雨初晴，路上行人欲断魂。借问酒家何处有，牧童遥指杏花云。")
    assert leaving.checks["押韵"].where == ((4, 7),)
    assert leaving.checks["押韵"].note == "十三元；第4句孤雁出群（邻韵十二文）"


def test_a_first_line_that_ends_level_and_can_rhyme_does_whatever_else_it_departs_from() -> None:
    oriole = check("打起黄莺儿，莫教枝上啼。啼时惊妾梦，不得到辽西。")
    assert failing(oriole) == {"平仄": ((1, 3),), "三平调": ((1, 5),)}
    assert (oriole.rhyme, oriole.rhyme_lines, oriole.line_types) == ("八齊", (1, 2, 4), "ABbA")
    assert oriole.checks["首句"].note == "入韵"
    gate = check(
        "北阙休上书，南山归敝庐。不才明主弃，多病故人疏。"
        "白发催年老，青阳逼岁除。永怀愁不寐，松月夜窗虚。"
    )
    assert (gate.rhyme_lines[0], gate.checks["首句"].note) == (1, "入韵")
    assert gate.checks["仄收"].holds


def test_an_odd_line_that_can_end_oblique_does() -> None:
    alone = check("众鸟高飞尽，孤云独去闲。相看两不厌，只有敬亭山。")
    assert alone.line_types == "aBbA"
    assert failing(alone) == {"平仄": ((3, 3),)}
    assert alone.checks["平仄"].note.startswith("第3句三仄尾")


def test_an_old_quatrain_is_named_so() -> None:
    proof = check("床前明月光，疑是地上霜。举头望明月，低头思故乡。")
    assert (proof.genre, proof.pattern, proof.line_types) == (Genre.OLD_QUATRAIN, None, "")
    assert proof.rhyme_lines == (1, 2, 4)


def test_long_regulated_verse_is_judged_like_the_short() -> None:
    couplets = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
    long = check(couplets * 3)
    assert long.genre is Genre.IRREGULAR
    assert failing(long).keys() == {"重韵"}
    fresh = (
        couplets
        + couplets.replace("流", "秋").replace("楼", "舟")
        + (couplets.replace("流", "愁").replace("楼", "游"))
    )
    assert (check(fresh).genre, check(fresh).regulated) == (Genre.REGULATED_LONG, True)
    assert check(fresh).line_types == "aBbA" * 3


def test_a_poem_is_judged_without_what_stands_around_it() -> None:
    pasted = f"回乡偶书\n贺知章（唐）\n\n{RETURNING}\n"
    assert check(pasted) == check(RETURNING)
    assert check(pasted).lines[0] == "少小离家老大回"


def test_the_unknown_is_no_fault() -> None:
    proof = check("白日依□尽，黄河入海流。欲穷千里目，更上一层楼。")
    assert proof.regulated
    assert proof.tones[0] == "仄仄平？仄"


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        *zip(
            "忧机欢丝谈医迟举径胆岭净异梦过胜兴论众",
            "憂機歡絲談醫遲舉徑膽嶺淨異夢過勝興論眾",
            strict=True,
        )
    ],
)
def test_a_simplified_character_is_read_as_the_one_that_is_meant(
    simplified: str, traditional: str
) -> None:
    written = sounds(Rhymes.load(), exact=False)(simplified)
    meant = sounds(Rhymes.load(), exact=True)(unify(traditional))
    assert written.tones == meant.tones
    assert written.usual_groups == meant.usual_groups


def corpus() -> list[list[str]]:
    """Return the lines of 1,000 poems of the corpus, from ten of its files."""
    archives = sorted(Path(__file__).parents[2].glob("shared/corpus/chinese-poetry-*.tar.xz"))
    if not archives:
        pytest.skip("the corpus is not at ../shared/corpus")
    poems: list[list[str]] = []
    with tarfile.open(archives[0], "r|xz") as archive:
        members = (entry for entry in archive if entry.name.endswith(".json"))
        for file in filter(None, map(archive.extractfile, islice(members, 10))):
            found = (split_lines(unify("".join(p["paragraphs"]))) for p in json.loads(file.read()))
            poems += [lines for lines in islice(found, 110) if lines]
    return poems[:1000]


def test_a_poem_has_the_same_proof_in_both_scripts() -> None:
    for lines in corpus():
        text = punctuate(lines)
        simplified, traditional = (check(to_script(text, script)) for script in Script)
        assert simplified.to_dict() == traditional.to_dict(), text


@pytest.mark.parametrize("forms", ["只祇隻", "干乾幹", "并並併", "几幾", "后後"])
def test_what_simplified_script_prints_alike_is_read_alike_in_both(forms: str) -> None:
    proofs = [check(f"白{form}依山盡，黃河入海流。欲窮千里目，更上一層樓。") for form in forms]
    assert all(proof.to_dict() == proofs[0].to_dict() for proof in proofs)


def test_a_ci_has_the_same_proof_in_both_scripts() -> None:
    ci = (
        "菩萨蛮\n平林漠漠烟如织，寒山一带伤心碧。暝色入高楼，有人楼上愁。\n"
        "玉阶空伫立，宿鸟归飞急。何处是归程，长亭更短亭。"
    )
    assert judge(ci).to_dict() == judge(OpenCC("s2t").convert(ci)).to_dict()
    assert judge(ci.replace("一带", "只带")).to_dict() == (
        judge(unify(OpenCC("s2t").convert(ci)).replace("一", "祇")).to_dict()
    )
