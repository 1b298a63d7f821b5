"""Poems and proofs as text, for a terminal."""

from __future__ import annotations

from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING

from model.verse.ci_proof import CiProof

if TYPE_CHECKING:
    from app.answers import PoemOut
    from model.verse.proof import MeterProof


def decoded(content: bytes) -> str:
    """Return what was typed or stored, in UTF-8 or else in GB 18030.

    Raises:
        ValueError: If it is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    raise ValueError("the poem must be text in UTF-8, or in GB 18030")


def rows(poem: PoemOut) -> str:
    """Return a poem a couplet a row, under its title if it has one."""
    return "\n".join(filter(None, (poem.title, poem.text)))


def columns(poem: PoemOut) -> str:
    """Return a poem as it is printed: in columns, from right to left, its title first."""
    stanzas, end = list[str](), 0
    for size in poem.stanzas:
        stanzas += ["　", *poem.lines[end : end + size]]  # an empty column between stanzas
        end += size
    lines = filter(None, (*reversed(stanzas[1:]), poem.title))
    return "\n".join("　".join(row) for row in zip_longest(*lines, fillvalue="　"))


def marked(proof: MeterProof | CiProof) -> str:
    """Return what was read of a poem, and how it keeps the rules, for a person."""
    shown = []
    ends = set(accumulate(proof.to_dict().get("tune", {}).get("stanzas", ())))
    for number, (line, tones) in enumerate(zip(proof.lines, proof.tones, strict=True), 1):
        marks = tones.translate(str.maketrans("平仄", "○●"))
        if number in proof.rhyme_lines:
            marks = marks[:-1] + marks[-1].translate(str.maketrans("○●", "△▲"))
        shown.append(f"{line}  {marks}  {tones}")
        if number in ends and number < len(proof.lines):
            shown.append("")
    named = (proof.to_dict()["genre"], proof.pattern, f"韵 {proof.rhyme or '－'}")
    shown.append("，".join(filter(None, named)))
    for name, rule in proof.checks.items():
        shown.append(f"{'○' if rule.holds else '×'} {name}　{rule.note}".rstrip("　"))
    return "\n".join(shown)


def describe_theme(poem: PoemOut) -> str:
    """Return what a poem's theme was read as, and what of it nothing stands for."""
    found: dict[str, list[str]] = {}
    for keyword in poem.keywords:
        found.setdefault(keyword.of, []).append(keyword.word)
    read = "，".join(
        of if words == [of] else f"{of} → {'、'.join(words)}" for of, words in found.items()
    )
    return read + (f"; no word for {'、'.join(poem.unmapped)}" if poem.unmapped else "")
