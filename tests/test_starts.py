from model.checkpoint import Checkpoint
from model.poet.poem import PoemSpec
from model.poet.poet import Poet
from model.sampling import SamplingParams
from training.evaluation.starts import (
    CANDIDATES,
    LENGTH,
    TEMPERATURE,
    quotation,
    starts_section,
    write_starts,
)


def test_each_start_has_the_best_of_its_poems_and_a_seed_that_brings_it_back(
    tiny_checkpoint: Checkpoint,
) -> None:
    poet = Poet(tiny_checkpoint, num_slots=8)
    poems = write_starts(poet, "日月", drawn=3)
    for start, poem in zip("日月", poems, strict=True):
        drawn = poet.write(
            [
                PoemSpec(
                    start=start,
                    length=LENGTH,
                    novel=True,
                    candidates=CANDIDATES,
                    params=SamplingParams(temperature=TEMPERATURE, seed=seed),
                )
                for seed in (1, 2, 3)
            ]
        )
        assert poem in drawn
        assert poem.bits_per_character == min(each.bits_per_character for each in drawn)
        assert poem.lines[0][0] == start


def test_the_section_and_the_quotation_hold_every_line_and_seed(
    tiny_checkpoint: Checkpoint,
) -> None:
    poems = write_starts(Poet(tiny_checkpoint, num_slots=8), "日月", drawn=2)
    section = starts_section(poems, "float32", drawn=2)
    assert "YIN_DTYPE=float32" in section
    assert "best of 2" in section
    for poem in poems:
        assert f"| {poem.text.replace(chr(10), '<br>')} | {poem.seed} |" in section
    assert all(line in quotation(poems[0]) for line in poems[0].lines)
    assert f"七绝 (jueju-7), seed {poems[0].seed}" in quotation(poems[0])
