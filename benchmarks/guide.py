"""What the rules of verse cost: quatrains under a guide against as many tokens under none.

    python -m benchmarks.guide

Each contestant writes the same number of poems of 28 characters, from the plan to the last token,
with the bundled checkpoint. "default" is what the service does if a request does not say otherwise:
strict meter, and lines of the corpus avoided.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side import keep, machine, side_by_side
from model.checkpoint import Checkpoint
from model.engine import Engine
from model.guide import Guide, Unguided
from model.poet.lexicon import Lexicon
from model.poet.line_filter import LineFilter
from model.poet.plan import choose_plan
from model.poet.poem import Meter
from model.poet.verse_guide import VerseGuide
from model.precision import choose_precision
from model.sampling import SamplingParams
from model.sequence import Sequence
from model.verse.form import Layout

PACKAGED = Path("model")
LAYOUT = Layout(7, 4)


def writing(engine: Engine, header: list[int], guide: Callable[[int], Guide]) -> Callable[[], None]:
    """Return what writes as many poems as the engine has slots, each under its seed's guide."""

    def write() -> None:
        seeds = range(engine.num_slots)
        engine.run([Sequence(header, guide(seed), SamplingParams(seed=seed)) for seed in seeds])

    return write


def measure(
    checkpoint: Checkpoint, lexicon: Lexicon, lines: LineFilter, batch: int, rounds: int
) -> dict[str, Any]:
    """Return the seconds of each way to write batch poems, and its cost against no guide."""
    precision = choose_precision()
    engine = Engine(checkpoint.build_model(precision.dtype), batch, precision)

    def guided(seed: int, meter: Meter = Meter.STRICT, lines: LineFilter | None = None) -> Guide:
        plan = choose_plan(lexicon, LAYOUT, meter, {}, seed)
        return VerseGuide(lexicon, LAYOUT, plan, lines=lines)

    guides: dict[str, Callable[[int], Guide]] = {
        "none": lambda _: Unguided(LAYOUT.characters + LAYOUT.num_lines),
        "free": lambda seed: guided(seed, Meter.FREE),
        "strict": lambda seed: guided(seed),
        "default": lambda seed: guided(seed, lines=lines),
    }
    header = checkpoint.vocabulary.header()
    contestants = {name: writing(engine, header, guide) for name, guide in guides.items()}
    timings = side_by_side(contestants, rounds)
    none = timings["none"]
    return {
        "poems": batch,
        "seconds": {name: timing.median_s for name, timing in timings.items()},
        "cost": {
            name: none.times_faster_than(timing) - 1
            for name, timing in timings.items()
            if name != "none"
        },
    }


def main(
    rounds: int = 25,
    save: Annotated[bool, typer.Option(help="Keep the figures in benchmarks/results.")] = False,
) -> None:
    """Print what each meter costs by batch size."""
    checkpoint = Checkpoint.load(PACKAGED / "poetry.safetensors")
    lexicon, lines = (
        Lexicon(checkpoint.vocabulary),
        LineFilter.load(PACKAGED / "poet" / "lines.bin"),
    )
    rows = [measure(checkpoint, lexicon, lines, batch, rounds) for batch in (1, 16, 64, 128)]
    table = Table("poems", "no guide", *(f"{name}: cost" for name in rows[0]["cost"]))
    for row in rows:
        costs = (f"{cost:+.1%}" for cost in row["cost"].values())
        table.add_row(str(row["poems"]), f"{row['seconds']['none'] * 1e3:.1f} ms", *costs)
    Console().print(table)
    if save:
        keep("guide", {"machine": machine(), "dtype": choose_precision(), "rows": rows})


if __name__ == "__main__":
    typer.run(main)
