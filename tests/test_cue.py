from model.verse.cue import Cue, rhyme_cues, template_cues
from model.verse.form import Layout
from model.verse.pattern import templates

SIGNS = {
    Cue.FREE: " ",
    Cue.EITHER: "?",
    Cue.PING: "平",
    Cue.ZE: "仄",
    Cue.RHYME: "韻",
}


def signs(cues: tuple[Cue, ...]) -> str:
    return "".join(SIGNS[place] for place in cues)


def test_a_template_asks_what_its_line_types_ask() -> None:
    template = next(t for t in templates(Layout(5, 4)) if t.letters == "aBbA")
    assert signs(template_cues(template)) == "?仄?平仄 平平?仄韻 ?平平仄仄 ?仄仄平韻 "


def test_a_line_of_seven_has_two_places_more_in_front() -> None:
    template = next(t for t in templates(Layout(7, 8)) if t.letters.startswith("ABbA"))
    lines = signs(template_cues(template)).split()
    assert lines[:2] == ["?平?仄仄平韻", "?仄平平?仄韻"]
    assert [len(line) for line in lines] == [7] * 8


def test_rhyme_alone_asks_at_the_end_of_even_lines() -> None:
    assert signs(rhyme_cues([3, 4, 3, 4])) == "       韻        韻 "
