"""Judges a ci by its tune and says what it found, spot by spot.

    句式    every line has as many characters as the tune asks for
    平仄    every line runs as poets ran it: one of its strings of tones
    押韵    the rhymes of each letter are in one part of 词林正韵, in the tone that is asked for, or
            in one group of 平水韵: some of these are in two parts
    重韵    no rhyme character comes twice, but where the tune says it again
    叠句    what the tune says again is the same

A line that runs as few poets ran it, against a place that is usually fixed, is a 变格: it holds,
and the note says so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model.verse.ci_rules import (
    CiReader,
    common_group,
    common_part,
    letters_of,
    name_of,
    names_of,
    not_said_again,
    off_rhyme,
    read_tones,
    repeated,
    rhyme_note,
    shape_check,
    tone_check,
)
from model.verse.cilin import Part
from model.verse.rhymes import Rhymes
from model.verse.rules import Check, failing
from model.verse.tune import TuneVariant

GENRE = "词"


@dataclass(frozen=True)
class CiProof:
    """What check_ci() found.

    Args:
        variant: The variant that the ci is judged by.
        lines: Its lines without punctuation.
        tones: The tone that each character was read in, as in MeterProof.
        parts: The part of the rhymes of each letter; None where no two rhyme.
        rhyme_lines: The numbers of the lines that rhyme as they should, from 1.
        checks: The rules by name.
    """

    variant: TuneVariant
    lines: tuple[str, ...]
    tones: tuple[str, ...]
    parts: dict[str, Part | None]
    rhyme_lines: tuple[int, ...]
    checks: dict[str, Check]

    @property
    def regulated(self) -> bool:
        """Whether every rule holds."""
        return all(check.holds for check in self.checks.values())

    @property
    def pattern(self) -> str:
        """The name of the variant."""
        return self.variant.value

    @property
    def rhyme(self) -> str | None:
        """The parts that it rhymes in, such as 第三部平，第七部仄; None if it does not rhyme."""
        return names_of(self.parts, self.variant) or None

    def with_lines(self, lines: Sequence[str]) -> "CiProof":
        """Return the proof of a ci that is printed in other forms of its characters."""
        return replace(self, lines=tuple(lines))

    def to_dict(self) -> dict[str, Any]:
        """Return the proof in JSON's types, with the names of MeterProof and some of its own."""
        variant = self.variant
        return {
            "genre": GENRE,
            "pattern": self.pattern,
            "line_types": "",
            "tones": list(self.tones),
            "rhyme": self.rhyme,
            "rhyme_lines": list(self.rhyme_lines),
            "regulated": self.regulated,
            "checks": {
                name: {
                    "holds": check.holds,
                    "where": [list(spot) for spot in check.where],
                    "note": check.note,
                }
                for name, check in self.checks.items()
            },
            "tune": {
                "code": variant.code,
                "name": variant.value,
                "poems": variant.poems,
                "stanzas": list(variant.stanzas),
                "patterns": [line.pattern for line in variant.lines],
                "rhymes": [line.rhyme for line in variant.lines],
                "parts": {
                    letter: part and name_of(letter, part, variant)
                    for letter, part in self.parts.items()
                },
            },
        }


def check_ci(
    lines: Sequence[str],
    variant: TuneVariant,
    *,
    rhymes: Rhymes | None = None,
    exact: bool = False,
    unbroken: Collection[int] = (),
) -> CiProof:
    """Judge a ci by a variant of a tune.

    Args:
        lines: Without punctuation; as many as the variant has, or fewer or more.
        variant: How it should run.
        rhymes: The rhyme table; None for the packaged one.
        exact: Whether the lines are in the model's script, as in check().
        unbroken: The lines, from 1, whose end nothing marks: 句式 fails where they rhyme.
    """
    reader = CiReader(rhymes or Rhymes.load(), exact=exact)
    pairs = list(zip(lines, variant.lines, strict=False))
    parts = {letter: common_part(pairs, letter, reader) for letter in letters_of(variant)}
    tones = tuple(
        read_tones(line, variant.lines[n] if n < variant.num_lines else None, reader)
        for n, line in enumerate(lines)
    )
    groups = {letter: common_group(pairs, letter, reader) for letter in parts}
    broken = list(off_rhyme(pairs, parts, groups, reader))
    rhymed = bool(parts) and None not in parts.values() and not broken
    note = rhyme_note(pairs, parts, groups, variant, reader)
    checks = {
        "句式": shape_check(lines, variant, unbroken),
        "平仄": tone_check(pairs, tones),
        "押韵": Check(rhymed, tuple(broken), note),
        "重韵": failing(list(repeated(pairs, variant, reader))),
    }
    if variant.again:
        checks["叠句"] = failing(list(not_said_again(lines, variant)))
    broken_lines = {line for line, _ in broken}
    rhyming = (n for n, (_, own) in enumerate(pairs, 1) if own.rhyme)
    kept = tuple(n for n in rhyming if n not in broken_lines)
    return CiProof(variant, tuple(lines), tones, parts, kept, checks)
