"""Whether ci keep their tunes: every tune of the table, by a model that knows nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.checkpoint import Checkpoint
from model.poet.poet import Poet
from model.verse.ci_proof import check_ci
from model.verse.tunes import Tunes
from training.evaluation.kept_tunes import (
    CATEGORIES,
    Ci,
    app,
    by_category,
    faults,
    figures,
    tunes_table,
    write_ci,
)

run = CliRunner()


@pytest.fixture(scope="module")
def written(tiny_checkpoint: Checkpoint) -> list[Ci]:
    """A ci to every variant of every tune."""
    return write_ci(Poet(tiny_checkpoint), Tunes.load(), number=1, candidates=1)


def test_a_ci_to_any_variant_keeps_every_rule_and_proves_itself(written: list[Ci]) -> None:
    assert faults(written) == []
    found = figures(written)
    assert found.tunes == len(Tunes.load()) >= 70
    assert found.poems == found.variants == sum(len(tune.variants) for tune in Tunes.load())
    assert found.poems == found.regulated == found.proved
    assert {*found.kept.values()} == {found.poems}
    assert found.characters == sum(len("".join(ci.poem.lines)) for ci in written)


def test_the_tunes_are_counted_by_their_length(written: list[Ci]) -> None:
    found = by_category(written)
    assert list(found) == [*CATEGORIES, "all"]
    assert sum(found[category].poems for category in CATEGORIES) == found["all"].poems
    rows = tunes_table(found).splitlines()
    assert rows[-1].startswith(f"| all | {len(Tunes.load())} | ")
    assert "| 100.0 | 100.0 |" in rows[-1]


def test_a_broken_rule_shows_in_its_figure_and_is_named(written: list[Ci]) -> None:
    whole = next(ci for ci in written if ci.variant.code == "huanxisha")
    lines = [whole.poem.written[1], *whole.poem.written[1:]]  # line 1 rhymes with itself
    proof = check_ci(lines, whole.variant, exact=True)
    broken = replace(whole, poem=replace(whole.poem, lines=tuple(lines), proof=proof))
    found = figures([whole, broken])
    assert (found.kept["句式"], found.kept["重韵"]) == (2, 1)
    assert (found.regulated, found.proved) == (1, 1)
    (fault,) = faults([whole, broken])
    assert fault.startswith(f"huanxisha, seed {whole.poem.seed}: ")
    assert "重韵" in fault


def test_nothing_has_no_figures() -> None:
    with pytest.raises(ValueError, match="at least one ci"):
        figures([])


def test_the_command_prints_the_table(checkpoint_path: Path) -> None:
    asked = ["--checkpoint", str(checkpoint_path), "--candidates", "2", "--number", "2"]
    result = run.invoke(app, [*asked, "--tune", "如梦令", "--tune", "huanxisha"])
    assert result.exit_code == 0, result.output
    assert "| all | 2 | " in result.output
    unknown = run.invoke(app, [*asked, "--tune", "如夢领"])
    assert unknown.exit_code == 1
    assert "no tune is called '如夢领'; those nearest to it are 如梦令" in unknown.output
