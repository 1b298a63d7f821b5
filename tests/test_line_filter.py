import json
import os
import random
import tarfile
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from model.guide import NoCharacterFits
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter, LineFilterError
from model.poet.poem import Meter
from model.verse.form import Layout
from model.verse.script import unify
from model.vocabulary import Vocabulary
from tests.guides import guide_to
from training.cleaning import clean_body
from training.corpus_poem import CorpusPoem
from training.download import COMMIT

PACKAGED = Path(__file__).parents[1] / "model" / "poet" / "lines.bin"


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
    assert line_filter.known(lines) == set(lines)
    assert len(line_filter) == len(set(lines))


def test_other_lines_are_found_once_in_a_thousand_at_most(line_filter: LineFilter) -> None:
    others = made_up(100_000, seed=1)
    # One in 2048 is expected, 49 with a standard deviation of 7: fewer were no filter of this size.
    assert 20 <= len(line_filter.known(others)) <= 100


def test_lines_that_differ_in_order_or_by_one_character_are_others() -> None:
    line_filter = LineFilter.build([*made_up(1000, seed=2), "白日依山盡"])
    assert "白日依山盡" in line_filter
    for other in ("盡山依日白", "日白依山盡", "白日依山盡白", "黃日依山盡", "白日依山黃"):
        assert other not in line_filter


def test_a_saved_filter_is_the_same_and_small(
    line_filter: LineFilter, lines: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "lines.bin"
    line_filter.save(path)
    loaded = LineFilter.load(path)
    assert np.array_equal(loaded._hashes, line_filter._hashes)
    assert len(loaded) == len(line_filter)
    assert loaded.known(lines) == set(lines)
    assert path.stat().st_size * 8 / len(lines) < 12.6


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_any_number_of_lines_comes_back(count: int, tmp_path: Path) -> None:
    few = made_up(count, seed=count)
    LineFilter.build(few, "99ebbef").save(tmp_path / "lines.bin")
    loaded = LineFilter.load(tmp_path / "lines.bin")
    assert all(line in loaded for line in few)
    assert np.array_equal(loaded._hashes, LineFilter.build(few)._hashes)
    assert loaded.corpus == "99ebbef"


def test_the_order_of_the_lines_does_not_matter(lines: list[str], tmp_path: Path) -> None:
    for name, some in (("a", lines[:500]), ("b", lines[:500][::-1] * 2)):
        LineFilter.build(some).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("place", [0, 3, -1])
def test_completions_are_what_membership_says(
    line_filter: LineFilter, lines: list[str], place: int
) -> None:
    line = lines[7]
    place %= len(line)
    prefix, suffix = line[:place], line[place + 1 :]
    codes = np.arange(0x4E00, 0x5E00, dtype=np.uint32)
    found = line_filter.completions(prefix, codes, suffix)
    assert found[ord(line[place]) - 0x4E00]
    assert [prefix + chr(code) + suffix in line_filter for code in codes] == found.tolist()


def test_no_characters_to_try_complete_nothing(line_filter: LineFilter) -> None:
    assert line_filter.completions("白日依山", np.zeros(0, dtype=np.uint32)).shape == (0,)


def test_many_lines_are_known_as_each_is(line_filter: LineFilter, lines: list[str]) -> None:
    some = [*lines[:300], *made_up(300, seed=1), "君不見", ""]
    assert line_filter.known(some) == {line for line in some if line in line_filter}


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


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LineFilterError, match="cannot be read"):
        LineFilter.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a filter of lines"),
        (b"PK\x03\x04", "is not a filter of lines"),
        (b"yin-lines\n{}\n", "has version , this release reads 2"),
        (b"yin-lines 9 00\n{}\n", "has version 9, this release reads 2"),
        (b"yin-lines 2 00\n{}\n", "does not match its checksum"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "lines.bin"
    path.write_bytes(content)
    with pytest.raises(LineFilterError, match=message):
        LineFilter.load(path)


def test_every_flipped_byte_and_every_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "lines.bin"
    LineFilter.build(made_up(50, seed=3), "99ebbef").save(path)
    content = path.read_bytes()
    damaged = [
        content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        for place in range(len(content))
    ]
    for other in (*damaged, content[:-1], content[:90], content + b"\0"):
        path.write_bytes(other)
        with pytest.raises(LineFilterError):
            LineFilter.load(path)


def test_a_filter_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lines.bin"
    LineFilter.build(["白日依山盡"]).save(path)

    def no_space(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match=r"cannot write .*lines\.bin: no space left"):
        LineFilter.build(["黃河入海流"]).save(path)
    assert "白日依山盡" in LineFilter.load(path)
    assert list(tmp_path.iterdir()) == [path]


def write(lexicon: Lexicon, seed: int, lines: LineFilter | None) -> list[str]:
    """Draw the lines of a poem evenly from what a guide allows."""
    guide = guide_to(lexicon, Layout(5, 2), meter=Meter.FREE, lines=lines)
    chance, ids = random.Random(seed), list[int]()
    while not guide.finished:
        token = chance.choice(guide.allowed().nonzero().flatten().tolist())
        if guide.vet(token):
            ids.append(token)
            guide.advance(token)
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


@pytest.mark.parametrize("novel", [True, False])
def test_a_line_that_cannot_end_but_as_a_known_one_is_refused_if_it_must_be_new(
    lexicon: Lexicon, novel: bool
) -> None:
    characters = lexicon.vocabulary.characters
    line_filter = LineFilter.build("".join(characters[:4]) + last for last in characters)
    given = {(0, place): lexicon.vocabulary.id_of(characters[place]) for place in range(4)}
    guide = guide_to(
        lexicon, Layout(5, 2), meter=Meter.FREE, given=given, lines=line_filter, novel=novel
    )
    for token in given.values():
        guide.advance(token)
    last = lexicon.vocabulary.id_of(characters[9])
    if novel:
        with pytest.raises(NoCharacterFits, match="line 1: every line that can follow"):
            guide.vet(last)
    else:
        assert guide.vet(last)
        guide.advance(last)


def test_a_line_whose_end_is_given_is_kept_novel_before_it(lexicon: Lexicon) -> None:
    vocabulary = lexicon.vocabulary
    end, middle = vocabulary.characters[0], vocabulary.characters[1:4]
    given = {(0, place): vocabulary.id_of(middle[place]) for place in range(3)}
    given[(0, 4)] = vocabulary.id_of(end)
    known, other = vocabulary.characters[5], vocabulary.characters[6]
    line_filter = LineFilter.build(["".join(middle) + known + end])
    guide = guide_to(lexicon, Layout(5, 2), meter=Meter.FREE, given=given, lines=line_filter)
    for character in middle:
        guide.advance(vocabulary.id_of(character))
    assert guide.vet(vocabulary.id_of(other))
    assert not guide.vet(vocabulary.id_of(known))
    assert not guide.allowed()[vocabulary.id_of(known)]
    assert guide.allowed()[vocabulary.id_of(other)]


def test_a_longer_line_may_begin_as_a_known_one(lexicon: Lexicon) -> None:
    characters = lexicon.vocabulary.characters[:5]
    line_filter = LineFilter.build(["".join(characters)])
    given = {(0, place): lexicon.vocabulary.id_of(characters[place]) for place in range(4)}
    guide = guide_to(lexicon, Layout(7, 2), meter=Meter.FREE, given=given, lines=line_filter)
    for token in given.values():
        guide.advance(token)
    assert guide.vet(lexicon.vocabulary.id_of(characters[4]))


def test_a_line_that_is_given_whole_may_stand_in_the_corpus(lexicon: Lexicon) -> None:
    text = lexicon.vocabulary.characters[:5]
    given = {(0, place): lexicon.vocabulary.id_of(c) for place, c in enumerate(text)}
    line_filter = LineFilter.build(["".join(text)])
    guide = guide_to(lexicon, Layout(5, 2), meter=Meter.FREE, given=given, lines=line_filter)
    for token in given.values():
        guide.advance(token)
    assert guide.allowed()[lexicon.vocabulary.comma_id]


def test_the_packaged_filter_knows_the_corpus_and_little_else() -> None:
    line_filter = packaged_filter()
    lines = {line for poem in sampled_poems() for line in poem.lines if len(line) >= 5}
    assert len(lines) > 10_000
    # Poems that stand in another poem were dropped, and with them the lines they have besides.
    assert len(line_filter.known(lines)) / len(lines) > 0.99
    chance, characters = random.Random(0), sorted({c for line in lines for c in line})
    strangers = {"".join(chance.choices(characters, k=7)) for _ in range(100_000)} - lines
    assert len(line_filter.known(strangers)) / len(strangers) <= 0.001


def test_the_packaged_filter_is_of_this_corpus_and_at_most_four_megabytes() -> None:
    line_filter = packaged_filter()
    assert PACKAGED.stat().st_size <= 4_000_000
    assert len(line_filter) > 2_000_000
    assert line_filter.corpus == COMMIT


def packaged_filter() -> LineFilter:
    if not PACKAGED.exists():
        pytest.skip("there is no model/poet/lines.bin; python -m training.tables.lines makes it")
    return LineFilter.load(PACKAGED)


def sampled_poems() -> list[CorpusPoem]:
    """Return the poems of some files of the corpus, those that cleaning keeps."""
    archives = sorted(Path(__file__).parents[2].glob("shared/corpus/chinese-poetry-*.tar.xz"))
    if not archives:
        pytest.skip("the corpus is not at ../shared/corpus")
    with tarfile.open(archives[0], "r|xz") as archive:
        members = (entry for entry in archive if "poet.tang" in entry.name)
        files = (archive.extractfile(member) for member in islice(members, 4))
        poems = [poem for file in files if file for poem in json.loads(file.read())]
    cleaned = [clean_body(poem["paragraphs"]) for poem in poems]
    return [CorpusPoem("", "", paragraphs) for paragraphs, reason in cleaned if not reason]


def test_a_line_is_looked_up_alone_as_it_is_among_many() -> None:
    lines = LineFilter.build(made_up(3000, seed=1))
    strangers = made_up(60_000, seed=2)
    found = lines.known(strangers)
    assert 5 < len(found) < 80  # one in two thousand
    assert found == {line for line in strangers if line in lines}
