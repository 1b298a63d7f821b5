import re

import pytest

from model.verse.form import Form, Layout


@pytest.mark.parametrize(
    ("name", "form"),
    [("jueju-5", Form.WUJUE), ("七绝", Form.QIJUE), ("七絕", Form.QIJUE), ("gushi-7", Form.QIGU)],
)
def test_a_form_is_known_by_its_code_and_by_its_name_in_either_script(
    name: str, form: Form
) -> None:
    assert Form.parse(name) is form


def test_an_unknown_form_is_refused_with_the_forms_there_are() -> None:
    with pytest.raises(ValueError, match="no form is called 'sonnet'; the forms are jueju-5"):
        Form.parse("sonnet")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("绝句", "jueju-5 (五绝) or jueju-7 (七绝)"),
        ("律诗", "lushi-5 (五律) or lushi-7 (七律)"),
        ("律詩", "lushi-5 (五律) or lushi-7 (七律)"),
        ("古詩", "gushi-5 (五古) or gushi-7 (七古)"),
    ],
)
def test_a_genre_is_refused_with_its_two_forms(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"ask for {meant}") + "$"):
        Form.parse(name)


@pytest.mark.parametrize(
    ("length", "layout"),
    [
        (10, (5, 2)),
        (14, (7, 2)),
        (20, (5, 4)),
        (28, (7, 4)),
        (40, (5, 8)),
        (56, (7, 8)),
        (70, (7, 10)),
        (120, (5, 24)),
        (200, (5, 40)),
    ],
)
def test_length_is_filled_with_the_couplets_that_come_nearest(
    length: int, layout: tuple[int, int]
) -> None:
    assert Layout.of_length(length) == layout


def test_a_tie_goes_to_seven_characters() -> None:
    assert Layout.of_length(70).form is Form.QIGU


@pytest.mark.parametrize("length", [0, 9, 201])
def test_a_length_out_of_range_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="length must be 10 to 200"):
        Layout.of_length(length)


def test_a_length_too_short_for_a_couplet_of_the_form_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a length of at least 14, got 12"):
        Layout.of_length(12, line_length=7)


def test_lines_tell_their_form() -> None:
    assert Form.of_lines(["白日依山盡", "黃河入海流", "欲窮千里目", "更上一層樓"]) is Form.WUJUE
    assert Form.of_lines(["一二三四五"] * 6) is Form.WUGU
    assert Form.of_lines(["一二三", "一二三四五"]) is None
    assert Form.of_lines(["一二三四"] * 4) is None
