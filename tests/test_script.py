import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from app.settings import BUNDLED
from model.checkpoint import Checkpoint
from model.verse.rhymes import Reading, Rhymes, Tone
from model.verse.script import (
    Script,
    as_simplified,
    form_shares,
    is_common,
    is_han,
    settled,
    standard_forms,
    to_script,
    unify,
)
from model.verse.sound import sound_in_print


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


def test_both_prints_of_a_character_are_the_same_in_simplified_script() -> None:
    for character in Checkpoint.load(BUNDLED / "poetry.safetensors").vocabulary.characters:
        plain = as_simplified(character)
        assert len(plain) == 1
        assert as_simplified(plain) == plain
        assert {as_simplified(to_script(character, script)) for script in Script} == {plain}
    assert as_simplified("乾坤，祇隻") == "干坤，只只"


def test_traditional_print_is_read_as_the_character_or_as_one_that_sounds_alike() -> None:
    rhymes = Rhymes.load()
    for character in {unify(chr(code)) for code in range(0x4E00, 0xA000)}:
        out = to_script(character, Script.TRADITIONAL)
        own, read = (set(rhymes.readings(c, usual=True)) for c in (character, unify(out)))
        assert unify(out) == character or {r.tone for r in own} <= {r.tone for r in read}


STANDARD = dict(
    zip(
        "餠馿鼇鼈覩妬粧壻臯椀筯呪簷祇牋鬭鬬櫺閙峩怱",
        "饼驴鳌鳖睹妒妆婿皋碗箸咒檐只笺斗斗棂闹峨匆",
        strict=True,
    )
)


@pytest.mark.parametrize(("character", "printed"), [*STANDARD.items()])
def test_simplified_script_prints_the_standard_form(character: str, printed: str) -> None:
    assert to_script(unify(character), Script.SIMPLIFIED) == printed


@pytest.mark.parametrize(
    ("character", "printed"), [*zip("粧壻臯椀餠馿隠爲", "妝婿皋碗餅驢隱為", strict=True)]
)
def test_traditional_script_prints_the_standard_form(character: str, printed: str) -> None:
    assert to_script(unify(character), Script.TRADITIONAL) == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("乾坤日夜浮", "乾坤日夜浮"),
        ("雙袖龍鍾淚不乾", "双袖龙钟泪不干"),
        ("乾，坤", "干，坤"),
        ("著書南山下", "著书南山下"),
        ("寒梅著花未", "寒梅着花未"),
        ("乾乾坤", "干乾坤"),
    ],
)
def test_a_pair_that_is_printed_otherwise_than_its_characters_is_seen(
    text: str, printed: str
) -> None:
    assert to_script(text, Script.SIMPLIFIED) == printed


@given(st.text("乾坤元著書徵聲於日，", max_size=12), st.sampled_from(Script))
def test_what_is_settled_of_a_growing_text_never_changes(text: str, script: Script) -> None:
    whole = to_script(text, script)
    shown = ""
    for end in range(1, len(text) + 1):
        part = text[:end]
        sure = settled(part, script)
        assert end - 1 <= sure <= end
        shown += to_script(part, script)[len(shown) : sure]
    assert whole.startswith(shown)
    assert settled(text + "。", script) == len(text) + 1


@pytest.mark.parametrize("character", "日山邊鏡鳳饼")
def test_what_simplified_books_print_is_common(character: str) -> None:
    assert is_common(character)


@pytest.mark.parametrize("character", ["篘", "闉", "鵷", "𣂏"])
def test_what_common_fonts_lack_is_not(character: str) -> None:
    assert not is_common(unify(character))


@pytest.mark.parametrize(
    ("glyph", "character"),
    [*zip("聼眀逺邉鳯冨鬰歛虵劔駈蠧羇聨", "聽明遠邊鳳富鬱斂蛇劍驅蠹羈聯", strict=True)],
)
def test_a_mere_form_of_a_character_is_printed_as_that_one(glyph: str, character: str) -> None:
    assert as_simplified(glyph) == as_simplified(character)
    assert not is_common(unify(glyph)) or unify(glyph) == unify(character)
    printed = to_script(unify(glyph), Script.TRADITIONAL)
    assert printed in (glyph, to_script(unify(character), Script.TRADITIONAL))
    printed.encode("big5")


def test_prints_are_of_one_character_and_of_the_basic_plane() -> None:
    for character in map(chr, range(0x4E00, 0xA000)):
        for script in Script:
            printed = to_script(character, script)
            assert len(printed) == 1
            assert ord(printed) < 0x10000


@pytest.mark.parametrize("character", ["旂", "幹", "乾", "憂", "機"])
def test_a_character_is_not_printed_as_one_that_sounds_otherwise(character: str) -> None:
    rhymes = Rhymes.load()
    assert to_script(character, Script.SIMPLIFIED) != "旗"
    assert set(sound_in_print(character, rhymes).tones) == rhymes.tones(character, usual=True)


def test_in_print_a_character_has_no_sound_that_its_print_has_not() -> None:
    level, oblique = Reading("平", "一東"), Reading("入", "一屋")
    table = Rhymes({"種": (level,), "种": (oblique, level)})
    assert sound_in_print("種", table).tones == (Tone.PING,)
    assert sound_in_print("种", table).tones == (Tone.PING,)
    silent = sound_in_print("种", Rhymes({"種": (level,), "种": (oblique,)}))
    assert not silent.tones
    assert not silent.usual_groups
    assert sound_in_print("日", Rhymes({"日": (oblique,)})).tones == (Tone.ZE,)


def test_shares_say_what_a_written_character_mostly_stands_for() -> None:
    shares = form_shares("后")
    assert list(shares) == ["後", "后"]
    assert shares["後"] > 0.9
    assert form_shares("日") == {"日": 1.0}
