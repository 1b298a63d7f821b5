"""The poems of the README: one for each start, with the seed that brings it back."""

from collections.abc import Sequence

from model.poet.poem import Poem, PoemSpec
from model.poet.poet import Poet
from model.sampling import SamplingParams

STARTS = "日红山夜湖海月"
LENGTH, TEMPERATURE, CANDIDATES = 28, 0.7, 4
DRAWN = 16  # poems for each start, under the seeds 1 to 16


def write_starts(poet: Poet, starts: Sequence[str] = STARTS, drawn: int = DRAWN) -> list[Poem]:
    """Return for each start the poem that the model likes best of those it draws."""
    specs = [
        PoemSpec(
            start=start,
            length=LENGTH,
            novel=True,
            candidates=CANDIDATES,
            params=SamplingParams(temperature=TEMPERATURE, seed=seed),
        )
        for start in starts
        for seed in range(1, drawn + 1)
    ]
    poems = poet.write(specs)
    return [
        min(poems[first : first + drawn], key=lambda poem: poem.bits_per_character)
        for first in range(0, len(poems), drawn)
    ]


def starts_section(poems: Sequence[Poem], number_format: str, drawn: int = DRAWN) -> str:
    """Return the README's section of poems, in Markdown.

    Args:
        poems: One for each start.
        number_format: What they were computed in: in another, a seed may bring another poem.
        drawn: How many were drawn for each.
    """
    request = f'{{"start": "…", "length": {LENGTH}, "temperature": {TEMPERATURE}, "novel": true, '
    request += f'"candidates": {CANDIDATES}'
    rows = [f"| {poem.lines[0][0]} | {_in_cells(poem)} | {poem.seed} |" for poem in poems]
    return f"""\
`{request}, "seed": …}}` reproduces each of them on a CPU with
`YIN_DTYPE={number_format}`; each is the best of {drawn} by the model's
own score, none chosen by hand.

| start | 七绝 | seed |
| --- | --- | --- |
""" + "\n".join(rows)


def quotation(poem: Poem) -> str:
    """Return a poem as a quotation with its form and seed, in Markdown."""
    couplets = poem.text.split("\n")
    lines = [*(f"{couplet}  " for couplet in couplets[:-1]), couplets[-1]]
    quoted = "\n".join(f"> {line}" for line in lines)
    return f"{quoted}\n>\n> {poem.form.value} ({poem.form.code}), seed {poem.seed}"


def _in_cells(poem: Poem) -> str:
    return poem.text.replace("\n", "<br>")
