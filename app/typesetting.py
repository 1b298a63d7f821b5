"""Poems and proofs as text, for a terminal."""

from __future__ import annotations

from itertools import accumulate, groupby, zip_longest
from typing import TYPE_CHECKING

from model.verse.ci_proof import CiProof

if TYPE_CHECKING:
    from app.answers import PoemOut
    from app.revision import ReviseResponse
    from app.rhyming import RhymesOut
    from model.verse.proof import MeterProof

ROW = 30  # characters that rhyme, in one row


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
        sign = " ".join(["○" if rule.holds else "×", name, *(f"{n},{at}" for n, at in rule.where)])
        shown.append(f"{sign}　{rule.note}".rstrip("　"))
    return "\n".join(shown)


def suggested(answer: ReviseResponse) -> str:
    """Return suggestions a row each: the characters, the lines that have them, the bits."""
    numbers, shown = [number for number, _ in groupby(line for line, _ in answer.spots)], []
    for each in answer.suggestions:
        lines = "，".join(each.lines[number - 1] for number in numbers)
        parts = dict.fromkeys((each.characters, lines, f"{each.bits:.1f}"))
        shown.append("　".join(parts))
    kept = "、".join(answer.kept) or "－"
    return "\n".join([*shown, f"— {kept}, seed {answer.seed}"])


def rhyming(answer: RhymesOut) -> str:
    """Return a character's readings, a row each, and what rhymes in each group."""
    shown = list[str]()
    for each in answer.readings:
        sounds = "、".join(each.pinyin)
        row = (each.form, each.category, each.group or "－", sounds, f"{each.percent}%")
        shown.append("　".join(row))
    for group in answer.groups:
        near = f"　邻韵 {'、'.join(group.neighbours)}" if group.neighbours else ""
        shown += [""] * bool(shown) + [f"{group.name}　{group.tone}{near}"]
        shown += [group.characters[at : at + ROW] for at in range(0, len(group.characters), ROW)]
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
