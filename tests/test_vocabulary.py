import pytest

from model.verse.form import Form
from model.vocabulary import Era, UnknownAuthor, UnknownCharacter, UnknownTune, Vocabulary


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary("日月山紅來", ["李白", "蘇軾"])


def test_text_comes_back_from_its_ids(vocabulary: Vocabulary) -> None:
    assert vocabulary.decode(vocabulary.encode("日來，月山。")) == "日來，月山。"


def test_every_variant_of_a_character_is_one_token(vocabulary: Vocabulary) -> None:
    assert vocabulary.id_of("来") == vocabulary.id_of("來")
    assert vocabulary.encode("红") == vocabulary.encode("紅")


def test_control_tokens_have_no_text(vocabulary: Vocabulary) -> None:
    header = vocabulary.header(form=Form.QIJUE, era=Era.TANG, author="李白", title="山月")
    assert vocabulary.decode(header) == "山月"


def test_a_header_holds_what_it_is_given_in_order(vocabulary: Vocabulary) -> None:
    header = vocabulary.header(
        form=Form.QIJUE, era=Era.TANG, author="李白", title="月", regulated=True
    )
    expected = ["<bos>", "<七绝>", "<regulated>", "<唐>", "<李白>", "<title>", "月", "<body>"]
    assert [vocabulary.tokens[index] for index in header] == expected


def test_a_header_without_fields_is_two_tokens(vocabulary: Vocabulary) -> None:
    assert vocabulary.header() == [vocabulary.bos_id, vocabulary.body_id]


def test_ids_of_han_characters_are_the_last(vocabulary: Vocabulary) -> None:
    assert "".join(vocabulary.tokens[index] for index in vocabulary.han_ids) == "日月山紅來"
    assert vocabulary.pad_id == 0


def test_what_is_unknown_in_a_text_becomes_unk(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("日鬱") == [vocabulary.id_of("日"), vocabulary.unk_id]


def test_an_unknown_character_is_named(vocabulary: Vocabulary) -> None:
    with pytest.raises(UnknownCharacter, match="does not know the character '鬱'"):
        vocabulary.id_of("鬱")


def test_an_unknown_author_is_named(vocabulary: Vocabulary) -> None:
    with pytest.raises(UnknownAuthor, match="does not know the author '杜甫'"):
        vocabulary.header(author="杜甫")


def test_the_names_most_like_an_unknown_one_are_told() -> None:
    vocabulary = Vocabulary("日", ["陸游", "李白", "李賀", "白居易", "蘇軾", "蘇轍"])
    with pytest.raises(UnknownAuthor, match="'李太白'; it knows 李白、李賀、白居易、陸游、蘇軾"):
        vocabulary.author_id("李太白")


def test_an_authors_name_may_be_written_in_simplified_script(vocabulary: Vocabulary) -> None:
    assert vocabulary.author_id("苏轼") == vocabulary.author_id("蘇軾")
    assert vocabulary.knows_author("苏轼")
    assert not vocabulary.knows_author("唐")  # of which there is a token


@pytest.mark.parametrize("characters", ["日日", "日A", "红", "，"])
def test_characters_that_are_no_vocabulary_are_refused(characters: str) -> None:
    with pytest.raises(ValueError, match=r"stands twice|expected one Han character"):
        Vocabulary(characters)


def test_a_description_gives_back_the_vocabulary(vocabulary: Vocabulary) -> None:
    assert Vocabulary.from_dict(vocabulary.to_dict()).tokens == vocabulary.tokens


def test_tunes_have_tokens_after_the_authors() -> None:
    vocabulary = Vocabulary("日月", ["李白"], ["浣溪沙", "滿江紅"])
    assert vocabulary.tokens.index("<浣溪沙>") == vocabulary.author_id("李白") + 1
    assert vocabulary.header(tune="浣溪沙", era=Era.SONG) == [
        vocabulary.bos_id,
        vocabulary.tune_id("浣溪沙"),
        vocabulary.tokens.index("<宋>"),
        vocabulary.body_id,
    ]
    assert vocabulary.knows_tune("滿江紅")
    assert not vocabulary.knows_tune("如夢令")
    with pytest.raises(UnknownTune, match="does not know the tune '如夢令'"):
        vocabulary.header(tune="如夢令")
    assert Vocabulary.from_dict(vocabulary.to_dict()).tokens == vocabulary.tokens


def test_keywords_stand_before_the_body_two_characters_each() -> None:
    vocabulary = Vocabulary("日月山水", ["李白"], ["滿江紅"], keywords=True)
    keyword = vocabulary.tokens.index("<keyword>")
    assert keyword == vocabulary.tune_id("滿江紅") + 1
    header = vocabulary.header(title="山", keywords=["日月", "山水"])
    planned = [keyword, *vocabulary.encode("日月"), keyword, *vocabulary.encode("山水")]
    assert header == [*vocabulary.header(title="山")[:-1], *planned, vocabulary.body_id]
    assert Vocabulary.from_dict(vocabulary.to_dict()).tokens == vocabulary.tokens
    with pytest.raises(ValueError, match="a keyword has 2 characters, got '日'"):
        vocabulary.header(keywords=["日"])
    with pytest.raises(UnknownCharacter, match="'風'"):
        vocabulary.header(keywords=["日風"])
    with pytest.raises(ValueError, match="has learnt no keywords: leave them out"):
        Vocabulary("日月").header(keywords=["日月"])


def test_a_title_may_follow_the_end_of_the_body() -> None:
    vocabulary = Vocabulary("日月山水")
    title = [vocabulary.title_id, *vocabulary.encode("山月"), vocabulary.eos_id]
    assert vocabulary.title_after("山月") == title


def test_a_vocabulary_without_tunes_is_described_as_before_there_were_any() -> None:
    vocabulary = Vocabulary("日月", ["李白"])
    assert vocabulary.to_dict() == {"characters": "日月", "authors": ["李白"]}
    assert Vocabulary.from_dict(vocabulary.to_dict()).tunes == ()


def test_an_era_has_two_names() -> None:
    assert Era.parse("tang") is Era.parse("唐") is Era.TANG
    with pytest.raises(ValueError, match="must be tang"):
        Era.parse("ming")
