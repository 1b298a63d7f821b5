"""Whether ci keep their tunes: poems to every tune by one poet, judged by the tables.

A poem is judged twice: as it was written, by the variant that it was asked for; and as it is
printed in simplified script, under its tune's name, by whoever finds the tune from the text.

    python -m training.evaluation.kept_tunes --checkpoint model/poetry.safetensors
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from model.checkpoint import Checkpoint, CheckpointError
from model.device import default_device
from model.poet.poem import Poem, PoemSpec
from model.poet.poet import Poet
from model.sampling import SamplingParams
from model.verse.ci_proof import CiProof
from model.verse.judge import judge
from model.verse.tune import Tune, TuneVariant
from model.verse.tunes import Tunes
from training.command import reporting
from training.evaluation.page import markdown_table
from training.evaluation.poems import TEMPERATURE

CATEGORIES = ("小令", "中调", "长调")
RULES = ("句式", "平仄", "押韵", "重韵", "叠句")

app = typer.Typer(help=__doc__, add_completion=False)


@dataclass(frozen=True)
class Ci:
    """A poem that was written to a variant of a tune."""

    tune: Tune
    variant: TuneVariant
    poem: Poem

    @property
    def broken(self) -> tuple[str, ...]:
        """The rules that it breaks as it was written."""
        return tuple(name for name, rule in self.poem.proof.checks.items() if not rule.holds)

    @property
    def proves_itself(self) -> bool:
        """Whether its text, as it is printed, is found to keep every rule of its tune."""
        found = judge(f"{self.poem.form.value.partition('（')[0]}\n{self.poem.text}")
        return (
            isinstance(found, CiProof)
            and found.regulated
            and found.variant.pinyin == self.variant.pinyin
        )


@dataclass(frozen=True)
class TuneFigures:
    """What was found in the ci of some tunes.

    Args:
        tunes: How many there are.
        variants: How many of their variants were written.
        poems: How many poems.
        characters: Of all poems.
        kept: For each rule how many poems keep it, those that it does not concern included.
        regulated: How many keep every rule.
        proved: How many prove themselves as they are printed.
        bits: Bits per character, as the model wrote them.
    """

    tunes: int
    variants: int
    poems: int
    characters: int
    kept: dict[str, int]
    regulated: int
    proved: int
    bits: float


def write_ci(poet: Poet, tunes: Iterable[Tune], number: int, candidates: int) -> list[Ci]:
    """Let a poet write ci to tunes, with the seeds 0, 1, 2 and so on.

    Args:
        poet: Who writes, all in the same batches.
        tunes: What to write to.
        number: Poems of each tune; its variants take turns, and each has one at least.
        candidates: Ways in which each poem is written.
    """
    asked = [
        (tune, tune.variants[seed % len(tune.variants)], seed)
        for tune in tunes
        for seed in range(max(number, len(tune.variants)))
    ]
    specs = [
        PoemSpec(
            form=variant,
            candidates=candidates,
            params=SamplingParams(temperature=TEMPERATURE, seed=seed),
        )
        for _, variant, seed in asked
    ]
    poems = poet.write(specs)
    return [Ci(tune, variant, poem) for (tune, variant, _), poem in zip(asked, poems, strict=True)]


def figures(those: Sequence[Ci]) -> TuneFigures:
    """Return what was found in ci.

    Raises:
        ValueError: If there are none.
    """
    if not those:
        raise ValueError("expected at least one ci")
    characters = sum(ci.poem.characters for ci in those)
    return TuneFigures(
        tunes=len({ci.tune.pinyin for ci in those}),
        variants=len({ci.variant.code for ci in those}),
        poems=len(those),
        characters=characters,
        kept={rule: sum(rule not in ci.broken for ci in those) for rule in RULES},
        regulated=sum(not ci.broken for ci in those),
        proved=sum(ci.proves_itself for ci in those),
        bits=sum(ci.poem.bits_per_character * ci.poem.characters for ci in those) / characters,
    )


def by_category(those: Sequence[Ci]) -> dict[str, TuneFigures]:
    """Return the figures of short, middle and long tunes, and of all."""
    found = {
        category: [ci for ci in those if ci.tune.category == category] for category in CATEGORIES
    }
    return {name: figures(own) for name, own in (found | {"all": [*those]}).items() if own}


def faults(those: Iterable[Ci], most: int = 20) -> list[str]:
    """Return the first poems that break a rule or do not prove themselves, a line each."""
    return [*islice(_faults(those), most)]


def _faults(those: Iterable[Ci]) -> Iterator[str]:
    for ci in those:
        if ci.broken or not ci.proves_itself:
            broken = "、".join(ci.broken) or "not found to keep its tune as it is printed"
            yield f"{ci.variant.code}, seed {ci.poem.seed}: {broken}\n{ci.poem.text}"


def tunes_table(results: Mapping[str, TuneFigures]) -> str:
    """Return the table of how ci keep their tunes."""
    columns = ("tunes", "", "variants", "poems", "characters", *(f"{rule} %" for rule in RULES))
    return markdown_table(
        (*columns, "every rule %", "as printed %", "bits per character"),
        [
            [
                name,
                *map(str, (row.tunes, row.variants, row.poems, row.characters)),
                *(f"{row.kept[rule] / row.poems:.1%}"[:-1] for rule in RULES),
                *(f"{each / row.poems:.1%}"[:-1] for each in (row.regulated, row.proved)),
                f"{row.bits:.2f}",
            ]
            for name, row in results.items()
        ],
        left=1,
    )


@app.command()
def main(
    checkpoint: Annotated[Path, typer.Option(help="What training wrote.")],
    number: Annotated[int, typer.Option(min=1, help="Poems of each tune.")] = 10,
    candidates: Annotated[int, typer.Option(min=1, help="As in the API.")] = 4,
    tune: Annotated[list[str] | None, typer.Option(help="Only this tune; may be repeated.")] = None,
) -> None:
    """Write ci to every tune, and print how many keep it; exit 1 if one does not."""
    with reporting(CheckpointError, OSError, ValueError):
        poet = Poet(Checkpoint.load(checkpoint), device=default_device())
        written = write_ci(poet, Tunes.load().chosen(tune), number, candidates)
        table, wrong = tunes_table(by_category(written)), faults(written)
    typer.echo("\n\n".join([table, *wrong]))
    if wrong:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
