import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.verse.cilin import Cilin, Part
from model.verse.rhymes import Rhymes, Tone
from model.verse.sound import sounds
from model.verse.tunes import Tunes
from training.archive import read_ci
from training.ci import ci_of
from training.corpus_poem import CorpusPoem
from training.tables.tune_names import read_names
from training.tables.tune_poems import Ear, Verse, families
from training.tables.tune_rhymes import rhyme_sets
from training.tables.tune_tones import line_tones, said_again
from training.tables.tune_variants import find_variants
from training.tables.tunes import rows_of, tunes_of

SHARED = Path(__file__).parents[2] / "shared"
ARCHIVE = SHARED / "corpus-ci" / "chinese-poetry-99ebbef-ci.tar.xz"
EAR = Ear()


def characters(tone: Tone, part: int | None = None) -> list[str]:
    """Return characters that have one tone alone, and one part."""
    rhymes, cilin = Rhymes.load(), Cilin.load()
    sound, found = sounds(rhymes, exact=True), []
    for code in range(0x4E00, 0x9000):
        character = chr(code)
        own = cilin.parts(character, rhymes.groups(character))
        if sound(character).tones == (tone,) and len(own) == 1:
            (only,) = own
            if part in (None, only.number) and only.tone == tone:
                found.append(character)
    return found


LEVEL, OBLIQUE = characters(Tone.PING), characters(Tone.ZE)
RHYMES = {part: characters(Tone.PING, part) for part in (1, 3, 7, 8, 12)}
ENTERING = {part: characters(Tone.ZE, part) for part in (15, 17, 18)}


def made_up(number: int, *, seed: int = 0, open_rhyme: float = 0.0) -> Iterator[Verse]:
    """Yield ci of 5，7。5，7、3。: level rhyme in one part, the first line's at times."""
    chance = random.Random(seed)
    for _ in range(number):
        ends = chance.sample(RHYMES[chance.choice([*RHYMES])], 4)
        rhymed = chance.random() < open_rhyme
        lines = []
        for tones, end in zip(
            ("平平仄仄", "仄仄平平仄仄", "仄平平仄", "平平仄仄平平仄仄仄"), ends, strict=True
        ):
            body = [chance.choice(LEVEL if tone == "平" else OBLIQUE) for tone in tones]
            lines.append("".join(body) + end)
        if not rhymed:
            lines[0] = lines[0][:-1] + chance.choice(OBLIQUE)
        lines[2] = lines[2][:-1] + chance.choice(OBLIQUE)
        text = (
            f"{lines[0]}{'。' if rhymed else '，'}{lines[1]}。"
            f"{lines[2]}，{lines[3][:7]}、{lines[3][7:]}。"
        )
        yield Verse.of(CorpusPoem("", "", (text,), tune="甲"))


def test_a_poem_is_read_with_its_marks() -> None:
    verse = Verse.of(CorpusPoem("", "", ("一二三，四、五。", "六？七；"), tune="甲"))
    assert verse.characters == "一二三四五六七"
    assert verse.marks == {3: "，", 4: "、", 5: "。", 6: "。", 7: "，"}
    assert verse.ends == (3, 5, 6, 7)


def test_poems_are_families_by_size_and_ends() -> None:
    texts = ["一二三，四五六。七八九，十一二。"] * 3 + ["一二三四，五六。七八九，十一二。"]
    texts += ["一二，三四。五六，七八。"] * 2
    found = families(Verse.of(CorpusPoem("", "", (text,), tune="甲")) for text in texts)
    assert [(family.size, len(family)) for family in found] == [(12, 4), (8, 2)]


def test_rhymes_that_belong_together_are_found_and_others_are_not() -> None:
    family = families(list(made_up(60)))[0]
    (found,) = rhyme_sets(family, EAR)
    assert found.spots == (12, 27)
    assert found.tones == (Tone.PING, Tone.PING)
    assert found.entering(family, EAR) == 0


def test_a_rhyme_that_some_poems_have_is_open() -> None:
    family = families(list(made_up(200, open_rhyme=0.3)))[0]
    (found,) = rhyme_sets(family, EAR)
    assert found.spots == (5, 12, 27)
    assert found.open == {5}
    assert {len(v.lines) for v in find_variants(family.verses, EAR)} == {4}
    schemes = {tuple(x.rhyme for x in v.lines) for v in find_variants(family.verses, EAR)}
    assert schemes == {(None, 0, None, 0), (0, 0, None, 0)}


def test_the_share_of_the_entering_tone_is_counted() -> None:
    chance, verses = random.Random(0), []
    for number in range(40):
        pool = ENTERING[17] if number % 4 else characters(Tone.ZE, 8)
        one, other = chance.sample(pool, 2)
        text = f"{chance.choice(LEVEL)}一二{one}。{chance.choice(LEVEL)}三四{other}。"
        verses.append(Verse.of(CorpusPoem("", "", (text,), tune="甲")))
    family = families(verses)[0]
    (found,) = rhyme_sets(family, EAR)
    assert found.entering(family, EAR) == pytest.approx(0.75)
    assert Part(17, Tone.ZE).entering


def test_tones_are_counted_and_doubtful_characters_follow_the_rest() -> None:
    verses = list(made_up(80))
    assert line_tones(verses, 5, 12, EAR, Tone.PING) == {"仄仄平平仄仄平": 1.0}
    # 看 can be read in both tones: the others decide.
    doubtful = [Verse("看" + v.characters[1:], v.marks) for v in verses[:20]]
    shares = line_tones([*verses, *doubtful], 0, 5, EAR, None)
    assert shares["平平仄仄仄"] > 0.98


def test_what_most_poems_say_again_is_found() -> None:
    text = "春風吹柳，秋水連天。秋水連天。"
    verses = [Verse.of(CorpusPoem("", "", (text,), tune="甲"))] * 3
    verses += [Verse.of(CorpusPoem("", "", ("一二三四，五六七八。九十百千。",), tune="甲"))] * 2
    assert said_again(verses, 12) == {8: 4, 9: 5, 10: 6, 11: 7}
    assert said_again(verses[2:], 12) == {}


def test_a_tune_is_written_as_the_model_reads_it() -> None:
    names = read_names()
    verses = {"如夢令": list(made_up(60)), "浣溪沙": list(made_up(6, seed=1))}
    ((name, variants),) = tunes_of(verses, names, EAR)
    (tune,) = Tunes.parse(rows_of(name, 60, variants))
    assert (tune.name, tune.pinyin, tune.poems) == ("如夢令", "rumengling", 60)
    (variant,) = tune.variants
    assert variant.lengths == (5, 7, 5, 10)
    assert [line.rhyme for line in variant.lines] == ["", "A", "", "A"]
    assert variant.lines[3].segments == (7, 3)
    assert variant.lines[1].tones == {"仄仄平平仄仄平": 100}
    assert (variant.poems, variant.family, variant.kept) == (60, 60, 100)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["如夢令\trumengling\t"], "expected name, pinyin, other names and breaks"),
        (["如夢令\tru meng\t\t"], "expected name, pinyin"),
        (["如夢令\trumengling\t\t", "如夢令\tother\t\t"], "comes twice"),
        (["如夢令\trumengling\t\t", "浣溪沙\trumengling\t\t"], "comes twice"),
    ],
)
def test_names_of_another_kind_are_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_names(path)


@pytest.mark.skipif(not ARCHIVE.exists(), reason="needs the corpus's ci")
def test_the_packaged_tunes_run_as_the_poems_of_the_corpus() -> None:
    verses: dict[str, list[Verse]] = {"浣溪沙": [], "菩薩蠻": []}
    for era, fields in read_ci(ARCHIVE):
        if fields["rhythmic"] in ("浣溪沙", "菩萨蛮"):
            poem, _ = ci_of(fields, era)
            if poem is not None:
                verses[poem.tune].append(Verse.of(poem))
    for name, own in tunes_of(verses, read_names(), EAR):
        (tune,) = Tunes.parse(rows_of(name, len(verses[name.name]), own))
        found = Tunes.load().find(name.name)
        assert found is not None
        packaged = found.tune.variants[0]
        made = tune.variants[0]
        assert [line.pattern for line in made.lines] == [line.pattern for line in packaged.lines]
        assert [line.rhyme for line in made.lines] == [line.rhyme for line in packaged.lines]
        assert made.stanzas == packaged.stanzas
