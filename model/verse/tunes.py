"""The table of the tunes: tunes.tsv beside this file, whose first lines name source and licence.

training.tables.tunes derives it.
"""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from functools import cache
from importlib import resources
from typing import NamedTuple, Self

from model.verse.form import Form
from model.verse.quotation import quoted
from model.verse.script import Script, to_script, unify
from model.verse.tune import PAUSE, Tune, TuneLine, TuneVariant

LIKE = 0.65  # of the characters of two names are the same, in the same order
LONGEST_NAME = 60  # that is looked for; a tune's other names are far shorter


class TuneSearch(NamedTuple):
    """What a name was found to mean."""

    tune: Tune
    variant: TuneVariant | None  # None where the name leaves it open


class Tunes:
    """The tunes of the table.

    Args:
        tunes: The commonest first.
    """

    def __init__(self, tunes: Iterable[Tune]) -> None:
        self._tunes = tuple(tunes)
        self._by_name = dict[str, Tune]()
        for tune in reversed(self._tunes):  # a commoner tune keeps a name that two have
            self._by_name.update(dict.fromkeys(map(_plain, tune.others), tune))
        for tune in self._tunes:
            self._by_name[_plain(tune.name)] = self._by_name[tune.pinyin] = tune

    def __iter__(self) -> Iterator[Tune]:
        return iter(self._tunes)

    def __len__(self) -> int:
        return len(self._tunes)

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the packaged table."""
        text = resources.files("model.verse").joinpath("tunes.tsv").read_text(encoding="utf-8")
        return cls.parse(text.splitlines())

    @classmethod
    def parse(cls, rows: Iterable[str]) -> Self:
        """Return the tunes of rows, as training.tables.tunes writes them.

        Raises:
            ValueError: If a row is not of this kind; # begins a comment.
        """
        tunes, lines = list[Tune](), list[list[str]]()
        head: list[str] | None = None  # of the variant whose lines are read
        for row in rows:
            kind, *cells = row.split("\t")
            if kind == "line" and len(cells) == 5 and head is not None:
                lines.append(cells)
            elif kind in ("tune", "variant") and len(cells) == 4:
                _finish(tunes, head, lines)
                head, lines = (cells if kind == "variant" else None), []
                if kind == "tune":
                    tunes.append(Tune(cells[0], cells[1], tuple(cells[2].split()), int(cells[3])))
            elif not row.startswith("#"):
                raise ValueError(f"expected a tune, a variant or a line, got {row!r:.60}")
        _finish(tunes, head, lines)
        return cls(tunes)

    def find(self, name: str) -> TuneSearch | None:
        """Return the tune of a name, in either script or in pinyin; None if there is none.

        A number at its end, as in 临江仙-2, names a variant.
        """
        base, dash, number = name.strip().rpartition("-")
        tune = self._by_name.get(_plain(base if dash else name))
        if tune is None:
            return None
        if not dash:
            return TuneSearch(tune, None)
        chosen = int(number) if number.isdecimal() else 0
        if not 1 <= chosen <= len(tune.variants):
            return None
        return TuneSearch(tune, tune.variants[chosen - 1])

    def chosen(self, names: Iterable[str] | None) -> list[Tune]:
        """Return the tunes of some names, all of them if no names are given.

        Raises:
            ValueError: If a name is no tune's; the message names those that are like it.
        """
        return [self._called(name) for name in names] if names else [*self]

    def _called(self, name: str) -> Tune:
        found = self.find(name)
        if found is None:
            near = "、".join(_plain(tune.name) for tune in self.near(name))
            like = f"; those nearest to it are {near}" if near else ""
            raise ValueError(f"no tune is called {quoted(name)}{like}")
        return found.tune

    def of(self, variant: TuneVariant) -> Tune:
        """Return the tune of a variant."""
        return self._by_name[variant.pinyin]

    def near(self, name: str, most: int = 5) -> list[Tune]:
        """Return the tunes whose names are like a name, the likest first."""
        plain = _plain(name.rpartition("-")[0] or name)[:LONGEST_NAME]
        matcher = SequenceMatcher(b=plain)

        def likeness(tune: Tune) -> float:
            return max(map(ratio, (tune.name, tune.pinyin, *tune.others)))

        def ratio(other: str) -> float:
            matcher.set_seq1(_plain(other))
            return matcher.ratio() if matcher.quick_ratio() >= LIKE else 0.0

        found = {tune: likeness(tune) for tune in self._tunes}
        likest = sorted(self._tunes, key=lambda tune: -found[tune])
        return [tune for tune in likest if found[tune] >= LIKE][:most]


def form_called(name: str) -> Form | Tune | TuneVariant:
    """Return the form or the tune of a name, or the variant where the name has its number.

    Raises:
        ValueError: If there is none; the message names the forms, and the tunes that are like it.
    """
    try:
        return Form.parse(name)
    except ValueError as error:
        if len(name) > LONGEST_NAME:  # to look for what is like it would take long
            raise ValueError(f"a name has at most {LONGEST_NAME} characters; {error}") from error
        tunes = Tunes.load()
        found = tunes.find(name)
        if found is not None:
            return found.variant or found.tune
        base = tunes.find(name.rpartition("-")[0]) if "-" in name else None
        if base is not None:
            most, code = len(base.tune.variants), base.tune.pinyin
            raise ValueError(f"{quoted(name)}: {code} has {most} variants, from 1") from error
        tunes_like_it = () if Form.of_genre(name) else tunes.near(name)
        near = ", ".join(f"{tune.pinyin} ({_plain(tune.name)})" for tune in tunes_like_it)
        like = f"; the tunes nearest to it are {near}" if near else ""
        raise ValueError(f"{error}{like}") from error


def _plain(name: str) -> str:
    """Return a name as it is compared: in simplified script, small letters, without spaces."""
    letters = "".join(c for c in name.lower() if not c.isspace() and c not in "'’《》「」")
    return to_script(unify(letters), Script.SIMPLIFIED)


def _finish(tunes: list[Tune], head: list[str] | None, rows: list[list[str]]) -> None:
    """Add the variant of some rows to the last tune, if there is one."""
    if head is None:
        return
    tune = tunes[-1]
    lines = tuple(_line(cells) for cells in rows)
    spots = [(n, k) for n, line in enumerate(lines) for k in range(line.size)]
    pairs = (pair.split(":") for cells in rows for pair in cells[3].split())
    numbers = [int(cells[0]) for cells in rows]
    poems, family, kept, entering = head
    tune.variants.append(
        TuneVariant(
            tune.name,
            tune.pinyin,
            len(tune.variants) + 1,
            int(poems),
            int(family),
            int(kept),
            {each[0]: int(each[1:]) for each in entering.split()},
            tuple(numbers.count(number) for number in sorted(set(numbers))),
            lines,
            {spots[int(spot) - 1]: spots[int(earlier) - 1] for spot, earlier in pairs},
        )
    )


def _line(cells: list[str]) -> TuneLine:
    _, segments, rhyme, _, tones = cells
    sizes = tuple(map(int, segments.split(PAUSE)))
    size = sum(sizes)
    return TuneLine(sizes, rhyme, {each[:size]: int(each[size:]) for each in tones.split()})
