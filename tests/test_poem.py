import pytest

from model.poet.poem import Meter, NoFormFits, PoemSpec, choose_layout, choose_meter, draw_seed
from model.verse.form import Form, Layout


@pytest.mark.parametrize(
    ("spec", "layout"),
    [
        (PoemSpec(), Layout(7, 4)),
        (PoemSpec(form=Form.WULV), Layout(5, 8)),
        (PoemSpec(form=Form.WULV, length=40), Layout(5, 8)),
        (PoemSpec(form=Form.WUGU), Layout(5, 12)),
        (PoemSpec(form=Form.WUGU, meter=Meter.STRICT), Layout(5, 8)),
        (PoemSpec(length=20), Layout(5, 4)),
        (PoemSpec(length=27), Layout(5, 4)),
        (PoemSpec(length=20, form=Form.QIGU), Layout(7, 2)),
        (PoemSpec(start="更上一層樓高"), Layout(7, 4)),
        (PoemSpec(opening=("白日依山盡",)), Layout(5, 4)),
        (PoemSpec(opening=("白日依山盡",) * 5), Layout(5, 8)),
        (PoemSpec(opening=("白日依山盡",) * 9), Layout(5, 10)),
        (PoemSpec(acrostic="春夏"), Layout(7, 4)),
        (PoemSpec(acrostic="春夏秋冬山水"), Layout(7, 6)),
        (PoemSpec(acrostic="春夏秋"), Layout(7, 6)),
    ],
)
def test_what_is_asked_has_a_measure(spec: PoemSpec, layout: Layout) -> None:
    assert choose_layout(spec) == layout


@pytest.mark.parametrize(
    "spec",
    [
        PoemSpec(length=9),
        PoemSpec(length=12, form=Form.QIGU),
        PoemSpec(length=20, form=Form.WULV),
        PoemSpec(length=39, form=Form.WULV),
    ],
)
def test_a_length_without_a_measure_is_refused_at_its_field(spec: PoemSpec) -> None:
    with pytest.raises(NoFormFits) as refusal:
        choose_layout(spec)
    assert refusal.value.field == "length"


@pytest.mark.parametrize(
    ("form", "length", "right"), [(Form.QIJUE, 40, "lushi-5"), (Form.WULV, 60, "gushi-5")]
)
def test_a_length_that_a_form_has_not_is_told_the_form_that_has_it(
    form: Form, length: int, right: str
) -> None:
    with pytest.raises(NoFormFits, match=f"not {length}: leave length out, or ask for {right}$"):
        choose_layout(PoemSpec(form=form, length=length))


@pytest.mark.parametrize(
    ("spec", "meter"),
    [
        (PoemSpec(), Meter.STRICT),
        (PoemSpec(form=Form.QIGU), Meter.RHYME),
        (PoemSpec(length=60), Meter.RHYME),
        (PoemSpec(meter=Meter.FREE), Meter.FREE),
    ],
)
def test_forms_of_fixed_length_are_strict_unless_asked_otherwise(
    spec: PoemSpec, meter: Meter
) -> None:
    assert choose_meter(spec, choose_layout(spec)) is meter


def test_the_first_poem_of_a_request_has_its_seed_and_the_others_seeds_of_their_own() -> None:
    seeds = [draw_seed(7, number) for number in range(16)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 16
    assert seeds == [draw_seed(7, number) for number in range(16)]
