"""Finds out, before the first character, how a ci that holds given characters can be completed.

Given characters are matched against the tones of each line, the parts of 词林正韵, and what the
tune says again. If nothing is left, the request is refused with the line and the reason.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from model.guide import NoCharacterFits
from model.poet.given import Given, Spot
from model.poet.memory import SPAN
from model.poet.parts import Parts
from model.poet.poem import Meter
from model.verse.cilin import FIRST_ENTERING, Part
from model.verse.cue import Cue
from model.verse.rhymes import Tone
from model.verse.tune import TuneLine, TuneVariant
from model.verse.tune_cue import tune_cues

ROOM = 8  # common characters of a part, beside twice those that are needed, leave a choice


@dataclass(frozen=True)
class TunePlan:
    """One way to complete a ci.

    Args:
        variant: How it runs.
        tones: For each line the strings of tones that are left; empty without a tone pattern.
        parts: For each letter the parts that its rhymes can be in; empty if nothing has to rhyme.
        needed: For each letter the lines that have still to find a rhyme, by tone.
        given: Characters that are fixed, what is said again of them included.
    """

    variant: TuneVariant
    tones: tuple[tuple[str, ...], ...]
    parts: Mapping[str, frozenset[int]]
    needed: Mapping[str, Mapping[Tone, int]]
    given: Given

    def cues(self) -> tuple[Cue, ...]:
        """Return what is asked of each character, pause and mark."""
        return tune_cues(self.variant, tones=bool(self.tones), rhymes=bool(self.parts))


def choose_tune_plan(
    parts: Parts, variant: TuneVariant, meter: Meter, given: Given, seed: int
) -> TunePlan:
    """Return how a ci can be completed; whether it rhymes in the entering tone is drawn.

    Raises:
        NoCharacterFits: If it cannot; it names the line and, where one is at fault, the spot.
    """
    given = _with_said_again(parts, variant, given)
    tones: tuple[tuple[str, ...], ...] = ()
    if meter is Meter.STRICT:
        tones = _tones_that_agree(variant, _tones_left(parts, variant, given))
    found, needed = dict[str, frozenset[int]](), dict[str, Mapping[Tone, int]]()
    if meter is not Meter.FREE:
        chance = random.Random(seed)
        for letter in sorted({line.rhyme.upper() for line in variant.lines if line.rhyme}):
            needed[letter] = _needed(variant, letter, given)
            found[letter] = _parts_left(parts, variant, letter, given, needed[letter], chance)
    _require_characters(parts, variant, given)
    return TunePlan(variant, tones, found, needed, given)


def _with_said_again(parts: Parts, variant: TuneVariant, given: Given) -> dict[Spot, int]:
    """Return what is given, at all the spots that have the same character.

    Raises:
        NoCharacterFits: If two different characters are given for them.
    """
    fixed = dict(given)
    pairs = sorted(variant.again.items())
    for spot, earlier in (*reversed(pairs), *pairs):
        one, other = fixed.get(spot), fixed.get(earlier)
        if one is not None and other is not None and one != other:
            shown = parts.lexicon.character
            raise NoCharacterFits(
                spot[0] + 1,
                f"it says a character of line {earlier[0] + 1} again: {shown(other)} there, "
                f"{shown(one)} here",
                spot=spot if spot in given else earlier,
            )
        if one is not None or other is not None:
            fixed[spot] = fixed[earlier] = one if one is not None else other  # type: ignore[assignment]
    return fixed


def _tones_left(parts: Parts, variant: TuneVariant, given: Given) -> list[tuple[str, ...]]:
    """Return the strings of tones of each line; those that few poets gave it where it must be.

    Raises:
        NoCharacterFits: If none is left.
    """
    left = list[tuple[str, ...]]()
    for number, line in enumerate(variant.lines):
        known = [
            (character, _tones_of(parts, line, token, last=character == line.size - 1))
            for (n, character), token in given.items()
            if n == number
        ]
        fitting = (
            tuple(
                tones
                for tones in choices
                if all(tones[character] in own for character, own in known)
            )
            for choices in (line.regular, tuple(line.tones))
        )
        found = next(filter(None, fitting), ())
        if not found:
            raise _no_tones(parts, number, line, given)
        left.append(found)
    return left


def _tones_of(parts: Parts, line: TuneLine, token: int, *, last: bool) -> frozenset[Tone]:
    """Return the tones that a given character has, where it rhymes those of any reading."""
    if last and line.rhyme:
        return frozenset(part.tone for part in parts.all_of(token))
    return parts.lexicon.tones_of(token, usual=True)


def _tones_that_agree(
    variant: TuneVariant, left: list[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Return of the tones left those that agree with the lines that are said again."""
    for (line, spot), (source, earlier) in [*variant.again.items()] * 2:
        common = {tones[spot] for tones in left[line]} & {tones[earlier] for tones in left[source]}
        left[line] = tuple(t for t in left[line] if t[spot] in common) or left[line]
        left[source] = tuple(t for t in left[source] if t[earlier] in common) or left[source]
    return tuple(left)


def _no_tones(parts: Parts, number: int, line: TuneLine, given: Given) -> NoCharacterFits:
    """Return the refusal of a line whose given characters have the wrong tones."""
    spots = [(number, character) for character in range(line.size)]
    tokens = [given.get(spot) for spot in spots]
    lexicon = parts.lexicon
    shown = "".join("□" if token is None else lexicon.character(token) for token in tokens)
    tones = "".join(
        "□" if token is None else "/".join(sorted(lexicon.tones_of(token, usual=True))) or "？"
        for token in tokens
    )
    return NoCharacterFits(
        number + 1,
        f"it runs {line.pattern} (中 is free), which {shown} ({tones}) does not fit",
        spot=next((spot for spot in spots if spot in given), None),
    )


def _needed(variant: TuneVariant, letter: str, given: Given) -> dict[Tone, int]:
    """Return how many lines of a letter have still to find a rhyme, by tone, given ones as 0."""
    needed = dict[Tone, int]()
    for number, line in enumerate(variant.lines):
        if line.rhyme.upper() == letter:
            spot = number, line.size - 1
            is_open = spot not in given and spot not in variant.again
            needed[line.rhyme_tone] = needed.get(line.rhyme_tone, 0) + is_open
    return needed


def _parts_left(
    parts: Parts,
    variant: TuneVariant,
    letter: str,
    given: Given,
    needed: Mapping[Tone, int],
    chance: random.Random,
) -> frozenset[int]:
    """Return the parts that the rhymes of a letter can be in.

    Raises:
        NoCharacterFits: If the given rhymes do not rhyme, or too few characters rhyme with them.
    """
    prefers_entering = 100 * chance.random() < variant.entering.get(letter.lower(), 0)
    numbers = _common_parts(parts, variant, letter, given)
    counts = parts.count(given.values())
    lasting = {
        number
        for number in numbers
        if all(counts[Part(number, tone)] >= count for tone, count in needed.items() if count)
    }
    roomy = {
        number
        for number in lasting
        if all(
            parts.common.get(Part(number, tone), 0) >= 2 * count + ROOM
            for tone, count in needed.items()
            if count
        )
    }
    if not lasting:
        line = next(n for n, line in enumerate(variant.lines) if line.rhyme.upper() == letter)
        raise NoCharacterFits(line + 1, "too few characters rhyme here")
    choices = roomy or lasting
    preferred = {n for n in choices if (n >= FIRST_ENTERING) == prefers_entering}
    return frozenset(preferred or choices)


def _common_parts(parts: Parts, variant: TuneVariant, letter: str, given: Given) -> frozenset[int]:
    """Return the parts that all given rhymes of a letter share, every part if none is given.

    Raises:
        NoCharacterFits: If there is no such part, or one rhyme comes twice.
    """
    numbers = frozenset(part.number for part in parts.by_part)
    seen = set[int]()
    for number, line in enumerate(variant.lines):
        token = given.get((number, line.size - 1))
        if line.rhyme.upper() != letter or token is None:
            continue
        if (number, line.size - 1) in variant.again:
            continue
        own = frozenset(p.number for p in parts.all_of(token) if p.tone == line.rhyme_tone)
        shown = parts.lexicon.character(token)
        spot = number, line.size - 1
        if not own:
            tone = "level" if line.rhyme_tone == Tone.PING else "oblique"
            reason = f"the line has to rhyme in the {tone} tone, and ends in {shown}"
            raise NoCharacterFits(number + 1, reason, spot=spot)
        if not seen.isdisjoint(parts.lexicon.lookalikes_of(token)):
            reason = f"the rhyme character {shown} comes twice"
            raise NoCharacterFits(number + 1, reason, spot=spot)
        seen.add(token)
        if not numbers & own:
            reason = f"{shown} does not rhyme with the lines before it"
            raise NoCharacterFits(number + 1, reason, spot=spot)
        numbers &= own
    return numbers


def _require_characters(parts: Parts, variant: TuneVariant, given: Given) -> None:
    """See that no spot can run out of characters, whatever the others take.

    Raises:
        NoCharacterFits: If the vocabulary has too few, or too few of some tone.
    """
    most = min(SPAN, variant.characters) + len(set(given.values())) + 2 * variant.num_lines
    for tone, size in parts.lexicon.tone_sizes.items():
        if size <= most:
            raise NoCharacterFits(1, f"the vocabulary has too few characters of tone {tone}")
