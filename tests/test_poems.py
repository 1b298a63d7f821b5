import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from model.checkpoint import Checkpoint
from model.poet.line_filter import LineFilter
from model.poet.poem import Meter, PoemSpec
from model.poet.poet import Poet
from model.sampling import SamplingParams
from model.verse.form import Form
from model.verse.script import Script
from training.corpus_poem import CorpusPoem
from training.evaluation.page import BEGIN, END
from training.evaluation.poems import (
    FORMS,
    Copies,
    Lines,
    distinct,
    judge,
    people,
    punctuate,
    repetition,
    self_bleu,
    write_poems,
)
from training.splits import SPLITS

# Made for the rules: every tone is as aBbA asks, and 山 閒 還 關 are one group.
KEPT: Lines = ("日落寒江遠", "風輕古寺閒", "客來秋水上", "人去暮雲還")
UNRHYMED: Lines = ("日落寒江遠", "風輕古寺閒", "客來秋水上", "人去暮雲飛")
MISPLACED: Lines = ("日落寒江遠", "風輕古寺閒", "客去秋水上", "人去暮雲還")


@pytest.fixture(scope="module")
def poet(tiny_checkpoint: Checkpoint) -> Poet:
    return Poet(tiny_checkpoint)


def count_characters(texts: object) -> float:
    """A score that can be foretold: the number of characters."""
    assert isinstance(texts, list)
    return float(sum(map(len, texts)))


def test_a_poem_that_keeps_every_rule_is_all_right() -> None:
    figures = judge([KEPT], Form.WUJUE, count_characters, None)
    assert (figures.form, figures.rhyme, figures.tone, figures.regulated) == (1, 1, 1, 1)
    assert (figures.poems, figures.bits) == (1, 24)  # 20 characters and 4 marks
    assert figures.reported is figures.copied is None


def test_each_fault_shows_in_its_own_figure() -> None:
    figures = judge([KEPT, UNRHYMED], Form.WUJUE, count_characters, None)
    assert (figures.rhyme, figures.tone, figures.regulated) == (0.5, 1, 0.5)
    figures = judge([KEPT, MISPLACED], Form.WUJUE, count_characters, None)
    assert (figures.rhyme, figures.tone, figures.regulated) == (1, 0.5, 0.5)


def test_a_poem_of_another_measure_lacks_the_form_and_the_tones() -> None:
    assert judge([KEPT], Form.QIJUE, count_characters, None).form == 0
    figures = judge([KEPT[:2]], Form.WUJUE, count_characters, None)
    assert (figures.form, figures.tone) == (0, 0)


def test_no_poems_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one poem of the form 五绝"):
        judge([], Form.WUJUE, count_characters, None)


def test_repetition_counts_characters_that_stood_in_the_poem_before() -> None:
    assert repetition([("日月", "日日")]) == pytest.approx(2 / 4)
    assert repetition([("日月", "山水"), ("日月", "山水")]) == 0


def test_distinct_counts_runs_within_lines() -> None:
    assert distinct(["日月日", "月日"], 1) == pytest.approx(2 / 5)
    assert distinct(["日月日", "月日"], 2) == pytest.approx(2 / 3)  # 日月, 月日, 月日


def test_self_bleu_measures_how_like_the_others_a_poem_is() -> None:
    assert self_bleu([("日月",), ("日月",)]) == 1
    assert self_bleu([("日月",), ("山水",)]) == 0
    # 日 月 are in one other poem, and so is one of the first's two pairs.
    assert self_bleu([("日月山",), ("日月水",)]) == pytest.approx((2 / 3 * 1 / 2) ** 0.5)


def write_corpus(folder: Path, **splits: list[Lines]) -> None:
    for split in SPLITS:
        rows = [
            {"author": "", "title": "日月", "paragraphs": [punctuate(lines)]}
            for lines in splits.get(split, [])
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")


def test_copied_lines_are_looked_up_in_every_split_and_in_the_filter(tmp_path: Path) -> None:
    write_corpus(tmp_path, train=[KEPT[:2]], test=[KEPT[2:]])
    copies = Copies.of(UNRHYMED, LineFilter.build(KEPT[:2]), tmp_path)
    assert copies == Copies(frozenset(KEPT[:2]), frozenset(KEPT[:3]))
    figures = judge([UNRHYMED], Form.WUJUE, count_characters, copies)
    assert (figures.reported, figures.copied) == (0.5, 0.75)


def test_people_are_the_first_poems_of_each_form() -> None:
    lines = {form: ("日" * form.line_length,) * (form.num_lines or 0) for form in FORMS}
    stray = CorpusPoem("", "", ("日月，山水。",))
    poems = [stray] + [
        CorpusPoem("", str(i), (punctuate(lines[f]),)) for i in range(3) for f in FORMS
    ]
    assert people(poems, 2) == {form: [lines[form]] * 2 for form in FORMS}
    with pytest.raises(ValueError, match="expected 4 poems of the form 五绝, found 3"):
        people(poems, 4)


def test_strict_poems_keep_every_rule_and_free_ones_only_the_form(poet: Poet) -> None:
    found = {meter: write_poems(poet, meter, 4) for meter in (Meter.STRICT, Meter.FREE)}
    for form in FORMS:
        strict = judge(found[Meter.STRICT][form], form, count_characters, None)
        assert (strict.form, strict.rhyme, strict.tone, strict.regulated) == (1, 1, 1, 1)
        free = judge(found[Meter.FREE][form], form, count_characters, None)
        assert free.form == 1
        assert free.tone < 1


def test_a_written_poem_is_the_one_that_its_seed_brings_back(poet: Poet) -> None:
    poems = write_poems(poet, Meter.STRICT, 3)
    spec = PoemSpec(form=Form.QILV, params=SamplingParams(seed=2), script=Script.TRADITIONAL)
    assert poet.write([spec])[0].written == poems[Form.QILV][2]
    assert len(set(poems[Form.QILV])) == 3


def test_written_poems_are_in_the_models_script(
    poet: Poet, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = replace(
        poet.write([PoemSpec(form=Form.WUJUE)])[0], lines=("強",) * 4, written=("强",) * 4
    )
    monkeypatch.setattr(Poet, "write", lambda _, specs: [printed for _ in specs])
    assert write_poems(poet, Meter.STRICT, 1)[Form.WUJUE] == [("强",) * 4]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, poet: Poet) -> Path:
    """A corpus whose validation poems are the model's own, with other seeds."""
    folder = tmp_path_factory.mktemp("corpus")
    specs = [
        PoemSpec(form=form, params=SamplingParams(seed=seed), script=Script.TRADITIONAL)
        for form in FORMS
        for seed in (90, 91)
    ]
    poems = poet.write(specs)
    lines = [poem.written for poem in poems]
    write_corpus(folder, validation=lines, test=lines)
    LineFilter.build(line for poem in poems for line in poem.written).save(folder / "lines.bin")
    return folder


def run(what: str, checkpoint: Path, corpus: Path, *out: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.evaluate", what, "--number", "2"]
    files = ["--checkpoint", checkpoint, "--corpus", corpus, "--lines", corpus / "lines.bin"]
    return subprocess.run(
        [*command, *map(str, files), *out],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_the_tables_of_the_poems(checkpoint_path: Path, corpus: Path) -> None:
    result = run("poems", checkpoint_path, corpus)
    assert result.returncode == 0, result.stderr
    assert "| 七律 | the model, strict | 2 | 100 |" in result.stdout


def test_the_report_is_the_page_and_the_picture(
    checkpoint_path: Path, corpus: Path, tmp_path: Path
) -> None:
    (tmp_path / "evaluation.md").write_text(f"before\n{BEGIN}\nyesterday\n{END}\nafter\n", "utf-8")
    result = run("report", checkpoint_path, corpus, "--out", str(tmp_path))
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "evaluation.md").read_text(encoding="utf-8")
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "yesterday" not in page
    assert f"checkpoint {Checkpoint.load(checkpoint_path).checksum[:12]}" in page
    assert result.stdout.strip() in page
    poems = page.partition("## Poems\n")[2]
    rows = [line.split("|")[1:-1] for line in poems.splitlines() if line.startswith("| 五绝")]
    assert [row[1].strip() for row in rows] == ["the model, strict", "the model, free", "people"]
    assert [cell.strip() for cell in rows[0][2:7]] == ["2", "100", "100", "100", "100"]
    assert "| all | 8 | 288 |" in page
    assert "| 五律 | 2 | 80 |" in page
    couplets = [line for line in page.splitlines() if "，" in line]
    sizes = [len(line.split("，")[0]) for line in couplets]
    drawn = [5, 5, 7, 7]  # seeds 0 and 1: 五绝 and 七绝
    assert sizes == [*drawn, *[5] * 4, *[7] * 4, *[5] * 8, *[7] * 8]  # the extremes, two a form
    extremes = [
        line.split(": ")[1] for line in page.splitlines() if ", seed" in line and ":" in line
    ]
    costs = [float(each.split()[0]) for each in extremes]
    assert all(least <= most for least, most in zip(costs[::2], costs[1::2], strict=True))
    assert len(costs) == 8
    assert "<svg" in (tmp_path / "evaluation.svg").read_text(encoding="utf-8")


def test_the_report_refuses_a_page_without_marks(
    checkpoint_path: Path, corpus: Path, tmp_path: Path
) -> None:
    (tmp_path / "evaluation.md").write_text("mine\n", encoding="utf-8")
    result = run("report", checkpoint_path, corpus, "--out", str(tmp_path))
    assert result.returncode == 1
    assert f"expected {BEGIN} and then {END} once each" in result.stderr
    assert (tmp_path / "evaluation.md").read_text(encoding="utf-8") == "mine\n"
