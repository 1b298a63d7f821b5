import random
from pathlib import Path

import numpy as np
import pytest

from model.form import Layout
from model.guide import VerseGuide
from model.lexicon import Lexicon
from model.line_filter import LineFilter, LineFilterError
from model.plan import Meter, NoCharacterFits
from model.script import unify
from model.vocabulary import Vocabulary


def made_up(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    characters = [chr(code) for code in range(0x4E00, 0x5E00)]
    return ["".join(chance.choices(characters, k=chance.choice((5, 7)))) for _ in range(count)]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return made_up(50_000, seed=0)


@pytest.fixture(scope="module")
def line_filter(lines: list[str]) -> LineFilter:
    return LineFilter.build(lines)


def test_every_line_is_found(line_filter: LineFilter, lines: list[str]) -> None:
    assert all(line in line_filter for line in lines)
    assert len(line_filter) == len(set(lines))


def test_other_lines_are_found_once_in_a_thousand_at_most(line_filter: LineFilter) -> None:
    others = made_up(100_000, seed=1)
    # One in 1024 is expected; 120 is more than two standard deviations above.
    assert sum(line in line_filter for line in others) <= 120


def test_a_saved_filter_is_the_same_and_small(
    line_filter: LineFilter, lines: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "lines.bin"
    line_filter.save(path)
    loaded = LineFilter.load(path)
    assert np.array_equal(loaded._hashes, line_filter._hashes)
    assert all(line in loaded for line in lines)
    assert path.stat().st_size * 8 / len(lines) < 12.1


def test_completions_are_what_membership_says(line_filter: LineFilter, lines: list[str]) -> None:
    prefix, last = lines[7][:-1], lines[7][-1]
    codes = np.arange(0x4E00, 0x5E00, dtype=np.uint32)
    found = line_filter.completions(prefix, codes)
    assert found[ord(last) - 0x4E00]
    assert [prefix + chr(code) in line_filter for code in codes] == found.tolist()


def test_short_lines_are_nobodys_own() -> None:
    line_filter = LineFilter.build(["君不見", "白日依山盡"])
    assert "君不見" not in line_filter
    assert not line_filter.completions("君不", np.array([ord("見")], dtype=np.uint32)).any()
    assert len(line_filter) == 1


def test_an_empty_filter_finds_nothing(tmp_path: Path) -> None:
    LineFilter.build([]).save(tmp_path / "lines.bin")
    assert "白日依山盡" not in LineFilter.load(tmp_path / "lines.bin")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LineFilterError, match="there is no filter of lines at"):
        LineFilter.load(tmp_path / "none")


def test_damage_is_noticed(line_filter: LineFilter, tmp_path: Path) -> None:
    path = tmp_path / "lines.bin"
    line_filter.save(path)
    content = path.read_bytes()
    for damaged, message in (
        (b"x" + content, "is not a filter of lines"),
        (content.replace(b'"version": 1', b'"version": 9'), "has version 9"),
        (content.replace(b'"version"', b'"verzion"'), "header cannot be read"),
        (content[:-1], "does not match its checksum"),
        (content[:-9] + bytes([content[-9] ^ 1]) + content[-8:], "does not match its checksum"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(LineFilterError, match=message):
            LineFilter.load(path)


def write(lexicon: Lexicon, seed: int, lines: LineFilter | None) -> list[str]:
    """Draw the lines of a poem evenly from what a guide allows."""
    guide = VerseGuide(lexicon, Layout(5, 2), meter=Meter.FREE, lines=lines)
    chance, ids = random.Random(seed), list[int]()
    while not guide.finished:
        ids.append(chance.choice(guide.allowed().nonzero().flatten().tolist()))
        guide.advance(ids[-1])
    return lexicon.vocabulary.decode(ids).replace("。", "，").strip("，").split("，")


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(
        Vocabulary([chr(code) for code in range(0x6E20, 0x6E60) if unify(chr(code)) == chr(code)])
    )


def test_novel_verse_has_no_line_of_the_filter(lexicon: Lexicon) -> None:
    # The same draws end each line otherwise once every line that they made is known.
    known = {line for seed in range(50) for line in write(lexicon, seed, None)}
    line_filter = LineFilter.build(known)
    for seed in range(50):
        assert not known & set(write(lexicon, seed, line_filter))


def test_a_line_that_cannot_end_but_as_a_known_one_is_refused(lexicon: Lexicon) -> None:
    characters = lexicon.vocabulary.characters
    line_filter = LineFilter.build("".join(characters[:4]) + last for last in characters)
    given = {(0, place): lexicon.vocabulary.id_of(characters[place]) for place in range(4)}
    guide = VerseGuide(lexicon, Layout(5, 2), meter=Meter.FREE, given=given, lines=line_filter)
    for token in given.values():
        guide.advance(token)
    with pytest.raises(NoCharacterFits, match="line 1: every line that can follow"):
        guide.allowed()
