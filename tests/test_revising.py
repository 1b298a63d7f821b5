"""How often a poet's own character is suggested again."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.checkpoint import Checkpoint
from model.poet.poet import Poet
from model.precision import Precision
from training.corpus_poem import CorpusPoem
from training.evaluate import app
from training.evaluation.revising import revise_poems, suggest


def made(poet: Poet, number: int) -> list[CorpusPoem]:
    """Quatrains of characters that the model knows."""
    known = [poet.vocabulary.tokens[token] for token in poet.vocabulary.han_ids]
    texts = ("".join(known[20 * n : 20 * n + 20]) for n in range(number))
    cut = (
        ("，".join((t[:5], t[5:10])) + "。", "，".join((t[10:15], t[15:])) + "。") for t in texts
    )
    return [CorpusPoem("", "", paragraphs) for paragraphs in cut]


@pytest.fixture(scope="module")
def poet(tiny_checkpoint: Checkpoint) -> Poet:
    return Poet(tiny_checkpoint, dtype=Precision.FLOAT32, num_slots=64)


def test_the_shares_are_those_of_the_ranks(poet: Poet, monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = iter([(1, 2), (3, 6), (7, 20), (11, 30)])  # suggested, left to right

    def scripted(_: Poet, poem: CorpusPoem, spot: tuple[int, int]) -> tuple[list[str], ...]:
        own = poem.lines[spot[0]][spot[1]]
        return tuple(["□"] * (rank - 1) + [own] for rank in next(ranks))

    monkeypatch.setattr("training.evaluation.revising.suggest", scripted)
    found = revise_poems(poet, made(poet, 6), 4)
    assert found.places == 4
    assert found.suggested == {1: 0.25, 5: 0.5, 10: 0.75}
    assert found.left_to_right == {1: 0.0, 5: 0.25, 10: 0.5}


def test_a_place_is_ranked_with_its_line_and_without(poet: Poet) -> None:
    (poem,) = made(poet, 1)
    both, before = suggest(poet, poem, (1, 2))
    assert sorted(both) == sorted(before)
    assert both != before
    others = {*poem.text} - {poem.lines[1][2]}
    assert len(both) == 64
    assert not others & {*both}


def test_fewer_poems_than_places_are_refused(poet: Poet) -> None:
    with pytest.raises(ValueError, match="3 places need as many poems, and there are 2"):
        revise_poems(poet, made(poet, 2), 3)


def run_command(checkpoint: Path, poems: Path, options: Sequence[str]) -> tuple[int, str]:
    files = ["--checkpoint", str(checkpoint), "--poems", str(poems)]
    result = CliRunner().invoke(app, ["revising", *files, *options])
    return result.exit_code, result.output


def test_the_command_prints_one_json_object(
    poet: Poet, checkpoint_path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "poems.jsonl"
    rows = [{"author": "", "title": "", "paragraphs": poem.paragraphs} for poem in made(poet, 3)]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    code, output = run_command(checkpoint_path, file, ["--number", "2"])
    assert code == 0, output
    printed = json.loads(output)
    assert printed["places"] == 2
    assert printed["suggested"].keys() == printed["left_to_right"].keys() == {"1", "5", "10"}
    code, output = run_command(checkpoint_path, file, ["--number", "9"])
    assert code == 1
    assert "9 places need as many poems, and there are 3" in output
    assert run_command(tmp_path / "none", file, [])[0] == 1
