"""How often a poet's own character is suggested for its place, by the reviser that the service has.

Of each poem that the model has not seen one character is taken out, and suggestions are asked for.
Left to right alone, they are ranked by what stands before the place, and not by the rest of the
line: the difference is what the rest of the line says.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from model.checkpoint import Checkpoint, CheckpointError
from model.device import default_device
from model.poet.poet import Poet
from model.poet.reviser import Beginning
from model.poet.revision import RevisionSpec
from model.verse.form import Form
from model.verse.script import is_han
from model.verse.text import UNREADABLE
from training.command import reporting
from training.corpus_poem import CorpusPoem, read_poems

FORMS = (Form.WUJUE, Form.QIJUE, Form.WULV, Form.QILV)
WITHIN = (1, 5, 10)


@dataclass(frozen=True)
class Ranks:
    """How often the poet's own character is among the first 1, 5 and 10 suggestions, in [0, 1].

    Args:
        places: How many there are.
        suggested: By what the service suggests.
        left_to_right: By what stands before the place alone.
    """

    places: int
    suggested: dict[int, float]
    left_to_right: dict[int, float]


def revising_command(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    poems: Annotated[Path, typer.Option(help="Such as validation.jsonl of training.corpus.")],
    number: Annotated[int, typer.Option(min=1, help="Places, one in each poem.")] = 120,
    seed: Annotated[int, typer.Option(help="Draws poems and places.")] = 0,
) -> None:
    """Print how often a poet's own character is suggested for its place, as a JSON object."""
    with reporting(CheckpointError, OSError, ValueError):
        poet = Poet(Checkpoint.load(checkpoint), device=default_device())
        ranks = revise_poems(poet, list(read_poems(poems)), number, seed)
    typer.echo(json.dumps(asdict(ranks)))


def revise_poems(poet: Poet, poems: Sequence[CorpusPoem], number: int, seed: int = 0) -> Ranks:
    """Return how often the own characters of poems are found again.

    Args:
        poet: Who suggests.
        poems: That the model has not seen, of which those of four and eight lines are used.
        number: Places, one in each poem.
        seed: Draws the poems and the places.

    Raises:
        ValueError: If there are fewer poems.
    """
    chance = random.Random(seed)
    usable = [
        poem for poem in poems if poem.form in FORMS and all(map(is_han, "".join(poem.lines)))
    ]
    if len(usable) < number:
        raise ValueError(f"{number} places need as many poems, and there are {len(usable)}")
    both, left = list[int](), list[int]()
    for poem in chance.sample(usable, number):
        line = chance.randrange(len(poem.lines))
        spot = line, chance.randrange(len(poem.lines[line]))
        suggested, before = suggest(poet, poem, spot)
        own = poem.lines[line][spot[1]]
        both.append(_rank(own, suggested))
        left.append(_rank(own, before))
    return Ranks(number, _shares(both), _shares(left))


def suggest(poet: Poet, poem: CorpusPoem, spot: tuple[int, int]) -> tuple[list[str], list[str]]:
    """Return what is suggested for a spot of a poem, and what would be left to right."""
    lines = [list(line) for line in poem.lines]
    lines[spot[0]][spot[1]] = UNREADABLE
    text = "\n".join("".join(line) + "。" for line in lines)
    spec = RevisionSpec(text, (spot,), rare=True, novel=False)  # people's lines are copies
    standing = poet.reviser.read(spec)
    beginning = poet.reviser.begin(standing)
    poet.engine.run([beginning.sequence])
    ways = poet.reviser.go_on(beginning)
    poet.engine.run(ways)
    found = poet.reviser.weigh(beginning, ways)
    return [way.lines[spot[0]][spot[1]] for way in found], _ranked(poet, beginning)


def _ranked(poet: Poet, beginning: Beginning) -> list[str]:
    return [poet.vocabulary.tokens[token] for token, _ in beginning.sequence.ranked]


def _rank(own: str, found: Sequence[str]) -> int:
    """Return at what number, from 1, a character is found; beyond all if it is not."""
    return found.index(own) + 1 if own in found else len(found) + max(WITHIN) + 1


def _shares(ranks: Sequence[int]) -> dict[int, float]:
    return {within: float(np.mean([rank <= within for rank in ranks])) for within in WITHIN}
