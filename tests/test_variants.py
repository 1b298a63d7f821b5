import bz2
import json
import random
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from model.verse.script import _table, is_han, standard_forms, unify
from training.archive import read_archive
from training.tables.variants import (
    DictionaryMissing,
    Relations,
    Usage,
    classes,
    main,
    percents,
    read_relations,
    written_forms,
)

ROOT = Path(__file__).parent.parent
REAL = sorted((ROOT.parent / "shared" / "corpus").glob("*.tar.xz"))
SETTINGS = "春夏秋冬山海月星"  # neighbours of the characters under test
OTHERS = "金木水火土石玉竹"
TABLES = {
    "STCharacters": "烟\t煙\n来\t來\n发\t發 髮\n里\t里 裏",
    "TWVariants": "峯\t峰",
    "HKVariants": "沉\t沈",
    "JPVariants": "髮\t髪",
}
UNIHAN = """\
# Unihan_Variants.txt
U+6DF8\tkZVariant\tU+6E05
U+8FF9\tkSemanticVariant\tU+8DE1<kMatthews U+901F<kMeyerWempe
U+4F59\tkSemanticVariant\tU+4E88
U+6765\tkTraditionalVariant\tU+4F86
"""


@pytest.fixture
def unihan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small Unihan_Variants.txt, with small tables of OpenCC installed."""
    folder = tmp_path / "opencc" / "dictionary"
    folder.mkdir(parents=True)
    for name, rows in TABLES.items():
        (folder / f"{name}.txt").write_text(rows, encoding="utf-8")
    monkeypatch.setattr("training.tables.variants.resources.files", lambda name: tmp_path / name)
    path = tmp_path / "Unihan_Variants.txt"
    path.write_text(UNIHAN, encoding="utf-8")
    return path


def poems(character: str, count: int, neighbours: str = SETTINGS, seed: int = 0) -> list[str]:
    """Texts that use a character count times, each between two of its neighbours."""
    chance = random.Random(f"{character}{seed}")
    return [
        f"{chance.choice(neighbours)}{character}{chance.choice(neighbours)}" for _ in range(count)
    ]


def related(glyphs: str = "", meanings: str = "", **simplified: str) -> Relations:
    """Relations of pairs that are written without a space: "煙烟 峰峯"."""
    first, second = (frozenset(map(frozenset, text.split())) for text in (glyphs, meanings))
    return Relations(first, second, {c: tuple(forms) for c, forms in simplified.items()})


def usage(*texts: list[str]) -> Usage:
    flat = [text for some in texts for text in some]
    return Usage(flat, {c for text in flat for c in text})


def test_the_sources_are_read_with_the_distinct_words_left_out(unihan: Path) -> None:
    relations = read_relations(unihan)
    glyphs, meanings = relations.glyphs, relations.meanings
    assert {frozenset(pair) for pair in ("烟煙", "来來", "峯峰", "髪髮", "淸清")} <= glyphs
    assert frozenset("\uf9ae\u7469") in glyphs  # a compatibility ideograph
    assert frozenset("里裏") not in glyphs
    assert frozenset("沉沈") not in glyphs
    assert meanings == {frozenset("迹跡"), frozenset("迹速")}  # 余予 are two words
    assert relations.simplified["发"] == ("發", "髮")


def test_unihan_is_read_from_bz2_too(unihan: Path) -> None:
    packed = unihan.with_suffix(".txt.bz2")
    packed.write_bytes(bz2.compress(unihan.read_bytes()))
    assert read_relations(packed) == read_relations(unihan)


def test_an_opencc_without_text_tables_is_refused(unihan: Path) -> None:
    (unihan.parent / "opencc" / "dictionary" / "JPVariants.txt").unlink()
    with pytest.raises(DictionaryMissing, match="opencc-python-reimplemented"):
        read_relations(unihan)


def test_likeness_is_one_to_itself_and_nought_to_other_company() -> None:
    seen = usage(poems("煙", 50), poems("石", 50, "甲乙丙"))
    assert seen.likeness("煙", "煙") == pytest.approx(1)
    assert seen.likeness("煙", "石") == 0
    assert seen.likeness("石", "煙") == 0


def test_likeness_heeds_the_side_on_which_a_neighbour_stands() -> None:
    seen = usage(["春煙山"] * 9, ["山烟春"] * 9)
    assert seen.likeness("煙", "烟") == 0


def test_punctuation_is_no_company() -> None:
    seen = usage(["，煙。"] * 9, ["，石。"] * 9)
    assert seen.likeness("煙", "石") == 0


def test_forms_used_alike_are_one_character_and_the_commoner_stands_for_it() -> None:
    seen = usage(poems("烟", 400), poems("煙", 600))
    assert classes(related(meanings="煙烟"), seen) == {"烟": "煙"}


def test_forms_used_otherwise_stay_two_characters() -> None:
    seen = usage(poems("餘", 400, OTHERS), poems("余", 600))
    assert classes(related(glyphs="余餘"), seen) == {}


def test_forms_that_no_source_relates_stay_two_characters() -> None:
    seen = usage(poems("烟", 400), poems("煙", 600))
    assert classes(related(), seen) == {}


def test_a_chain_of_forms_has_one_standard() -> None:
    seen = usage(poems("煙", 600), poems("烟", 400), poems("菸", 300))
    assert classes(related(meanings="煙烟 烟菸"), seen) == {"烟": "煙", "菸": "煙"}


def test_forms_used_half_alike_are_one_if_they_differ_in_glyph_only() -> None:
    seen = usage(poems("煙", 900, "春夏秋冬山海月星金"), poems("烟", 800, "春夏秋冬山木水火土"))
    assert 0.5 < seen.likeness("煙", "烟") < 0.6
    assert classes(related(glyphs="煙烟"), seen) == {"烟": "煙"}
    assert classes(related(meanings="煙烟"), seen) == {}


def test_a_rare_simplified_form_of_one_character_is_believed() -> None:
    seen = usage(poems("來", 600), poems("来", 60, OTHERS))
    assert classes(related(glyphs="來来", 来="來"), seen) == {"来": "來"}
    assert classes(related(glyphs="來来", 来="來麥"), seen) == {}
    assert classes(related(glyphs="來来"), seen) == {}
    often = usage(poems("來", 600), poems("来", 160, OTHERS))
    assert classes(related(glyphs="來来", 来="來"), often) == {}


def test_a_glyph_too_rare_to_judge_is_believed_but_a_meaning_is_not() -> None:
    seen = usage(poems("清", 600), poems("淸", 3, OTHERS), poems("青", 3, OTHERS))
    assert classes(related(glyphs="清淸", meanings="清青"), seen) == {"淸": "清"}


def test_a_character_simplified_from_several_may_stand_for_each() -> None:
    seen = usage(poems("發", 600), poems("髮", 400, OTHERS))
    relations = related(glyphs="发發 发髮", 发="發髮")
    assert written_forms(relations, seen) == {"发": ["發", "髮"]}
    more = usage(poems("發", 400), poems("髮", 600, OTHERS))
    assert written_forms(relations, more) == {"发": ["髮", "發"]}


def test_a_simplified_character_that_the_corpus_uses_itself_stands_for_itself_too() -> None:
    seen = usage(poems("后", 300, OTHERS), poems("後", 600))
    assert written_forms(related(后="後"), seen) == {"后": ["後", "后"]}


def test_simplified_forms_lead_to_the_standard_of_their_class() -> None:
    seen = usage(poems("黄", 600), poems("黃", 400))
    relations = related(glyphs="黄黃", 横="黃")
    assert written_forms(relations, seen) == {"横": ["黄"], "黃": ["黄"]}


def test_a_form_hardly_used_is_what_its_only_used_partner_is() -> None:
    seen = usage(poems("跡", 600), poems("速", 600, OTHERS), poems("疾", 9, OTHERS))
    assert written_forms(related(meanings="迹跡"), seen) == {"迹": ["跡"]}
    assert written_forms(related(meanings="迹跡 迹速"), seen) == {}
    assert written_forms(related(meanings="迹疾"), seen) == {}
    assert written_forms(related(meanings="疾跡"), seen) == {}


def test_what_a_form_stands_for_is_followed_to_the_end() -> None:
    seen = usage(poems("跡", 600))
    relations = related(meanings="迹跡", 甲="迹")
    assert written_forms(relations, seen) == {"甲": ["跡"], "迹": ["跡"]}


def test_usage_decides_where_it_differs_from_the_simplification() -> None:
    seen = usage(poems("后", 300), poems("丙", 600), poems("後", 600, OTHERS))
    assert written_forms(related(glyphs="后丙", 后="後"), seen) == {"后": ["丙"]}


def test_every_form_of_a_longer_chain_is_standard() -> None:
    forms = written_forms(related(甲="乙", 乙="丙", 丙="丁"), usage(poems("丁", 600)))
    assert forms.keys() == set("甲乙丙")
    assert all(form in forms.get(form, form) for stand in forms.values() for form in stand)


def test_a_character_that_stands_for_itself_alone_needs_no_row() -> None:
    assert written_forms(related(日="日"), usage(poems("日", 600))) == {}


def test_the_table_is_written_with_its_sources_named(unihan: Path) -> None:
    folder = unihan.parent / "upstream" / "全唐诗"
    folder.mkdir(parents=True)
    upstream = [{"paragraphs": [text]} for text in (*poems("煙", 60), *poems("烟", 40))]
    (folder / "poet.tang.0.json").write_text(json.dumps(upstream), encoding="utf-8")
    out = unihan.parent / "variants.tsv"
    app = typer.Typer()
    app.command()(main)
    arguments = ["--corpus", str(folder.parent), "--unihan", str(unihan), "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "40 characters of the corpus unified" in result.output
    rows = out.read_text(encoding="utf-8").splitlines()
    assert all(row.startswith("#") for row in rows[:3])
    assert "Apache License 2.0" in "".join(rows[:4])
    assert "烟\t煙\t100" in rows[4:]
    assert any(re.fullmatch("里\t裏里\t\\d+ \\d+", row) for row in rows[4:])


def test_forms_share_the_use_of_what_they_are_written_as() -> None:
    seen = usage(poems("後", 300), poems("后", 100))
    assert percents(["後", "后"], seen) == [75, 25]
    assert percents(["甲", "乙"], seen) == [50, 50]
    assert percents(["後"], seen) == [100]


def test_the_committed_table_leads_to_standard_forms_only() -> None:
    assert len(_table()) > 6000
    for written, forms in _table().items():
        assert is_han(written)
        assert len(set(forms)) == len(forms) > 0
        for form in forms:
            assert form in standard_forms(form)
            assert unify(form) == form


@pytest.fixture(scope="module")
def corpus() -> str:
    if not REAL:
        pytest.skip("the corpus is not at ../shared/corpus")
    return "\n".join("".join(poem["paragraphs"]) for _, poem in read_archive(REAL[0]))


def test_the_unified_corpus_has_no_other_form_of_a_character(corpus: str) -> None:
    written = {c for c, forms in _table().items() if c not in forms}
    assert written & set(corpus)
    unified = unify(corpus)
    assert len(unified) == len(corpus)
    assert not written & set(unified)


def test_the_commonest_form_of_the_corpus_stands_for_its_class(corpus: str) -> None:
    counts = dict.fromkeys(_table(), 0)
    for character in corpus:
        counts[character] = counts.get(character, 0) + 1
    for written, forms in _table().items():
        if forms and written not in forms and len(forms) == 1:
            assert counts[written] <= counts.get(forms[0], 0), (written, forms)
        ranked = [counts.get(form, 0) for form in forms]
        assert ranked == sorted(ranked, reverse=True), (written, forms)
