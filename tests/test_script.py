import pytest
from opencc import OpenCC

from model.verse.script import Script, is_han, reprints, standard_forms, to_script, unify


@pytest.mark.parametrize("character", ["日", "㶁", "𣂏", "〇"])
def test_ideographs_are_han(character: str) -> None:
    assert is_han(character)


@pytest.mark.parametrize("text", ["", "a", "，", "ひ", "日月", "🌞", "한"])
def test_anything_else_is_not(text: str) -> None:
    assert not is_han(text)


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        ("来", ("來",)),
        ("红", ("紅",)),
        ("髪", ("髮",)),
        ("烟", ("煙",)),
        ("鱼", ("魚",)),
        ("无", ("無",)),
        ("里", ("里", "裏")),
        ("后", ("後", "后")),
        ("干", ("乾", "干", "幹")),
        ("云", ("雲", "云")),
        ("发", ("發", "髮")),
        ("日", ("日",)),
    ],
)
def test_a_written_character_may_stand_for_these(written: str, forms: tuple[str, ...]) -> None:
    assert standard_forms(written) == forms


@pytest.mark.parametrize(
    "pair", ["來来", "黃黄", "帶带", "別别", "髮髪", "爲為", "羣群", "牀床", "峯峰"]
)
def test_glyph_variants_are_one_character(pair: str) -> None:
    assert unify(pair[0]) == unify(pair[1])


@pytest.mark.parametrize(
    "pair", ["余餘", "后後", "里裏", "云雲", "谷穀", "斗鬥", "松鬆", "几幾", "予余"]
)
def test_different_words_stay_apart(pair: str) -> None:
    assert unify(pair[0]) != unify(pair[1])


def test_unified_text_is_as_long_and_stays_as_it_is() -> None:
    text = "来红髪里，为峰床烟。𣂏a"
    unified = unify(text)
    assert len(unified) == len(text)
    assert unify(unified) == unified


def test_simplified_characters_lead_to_what_opencc_converts_them_to() -> None:
    converter = OpenCC("s2t")
    characters = [chr(code) for code in range(0x4E00, 0xA000)]
    simplified = {c: converter.convert(c) for c in characters if converter.convert(c) != c}
    assert len(simplified) > 2500
    for character, traditional in simplified.items():
        assert unify(traditional) in standard_forms(character)


def test_every_standard_form_is_itself_standard() -> None:
    characters = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    for form in {form for character in characters for form in standard_forms(character)}:
        assert form in standard_forms(form)
        assert unify(form) == form


@pytest.mark.parametrize(
    ("text", "simplified", "traditional"),
    [
        ("黃河遠上白雲間，", "黄河远上白云间，", "黃河遠上白雲間，"),
        ("隠居", "隐居", "隱居"),
        ("裏髮乾後", "里发干后", "裏髮乾後"),
        ("真即郎翻", "真即郎翻", "真即郎翻"),
        ("峰床缶鎮", "峰床缶镇", "峰床缶鎮"),
        ("却带顔凉", "却带颜凉", "卻帶顏涼"),
        ("日月", "日月", "日月"),
    ],
)
def test_the_models_text_comes_out_in_either_script(
    text: str, simplified: str, traditional: str
) -> None:
    assert to_script(unify(text), Script.SIMPLIFIED) == simplified
    assert to_script(unify(text), Script.TRADITIONAL) == traditional


def test_what_comes_out_can_be_read_again() -> None:
    characters = {unify(chr(code)) for code in range(0x4E00, 0xA000)}
    for character in characters:
        for script in Script:
            out = to_script(character, script)
            assert len(out) == 1
            assert script is Script.SIMPLIFIED or unify(out) == character


def test_no_character_is_lost_by_its_print() -> None:
    assert "旂" in reprints()["旗"]
    for character in filter(lambda c: unify(c) == c, map(chr, range(0x4E00, 0x9FA6))):
        print_ = to_script(character, Script.SIMPLIFIED)
        forms = (print_, *standard_forms(print_), *reprints().get(print_, ""))
        assert character in forms
