from model.poet.gloss import is_foreign, phrases, senses, singular, words


def test_senses_leave_out_what_is_said_of_the_word_itself() -> None:
    glosses = "lamp/CL:盞|盏[zhan3]/see also 燈|灯[deng1]/to light (a lamp)/surname Deng"
    assert senses(glosses) == ["lamp", "to light (a lamp)"]


def test_a_foreign_word_has_only_the_senses_in_which_it_is_one() -> None:
    assert senses("sofa (loanword)/(slang) the first to answer") == ["sofa (loanword)"]
    assert is_foreign("sofa (loanword)")
    assert not is_foreign("couch")


def test_phrases_are_what_a_sense_is_called_by() -> None:
    assert list(phrases("the mother's mothers; to be lost, to drink (tea, coffee etc)")) == [
        "mother's mother",
        "to lost",
        "to drink",
    ]
    assert (
        list(phrases("Beijing 2008; a explanation that is much too long to be any name at all"))
        == []
    )


def test_words_carry_sense_and_stand_in_the_singular() -> None:
    assert words("(of a person) to drink cups of teas etc") == ["drink", "cup", "tea"]


def test_plurals_lose_their_ending() -> None:
    plurals = {"berries": "berry", "boxes": "box", "roses": "rose", "grass": "grass", "gas": "gas"}
    assert {plural: singular(plural) for plural in plurals} == plurals
