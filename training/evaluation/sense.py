"""Whether poems keep to their title and hang together, beside people's to the same titles.

Written are poems as the API writes them by default, the same with the last choice, as the model
alone would (guidance 1, one candidate, no leaning to parallels), and by default to no title, which
is the control.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.poet.poem import PoemSpec
from model.poet.poet import Poet
from model.poetry_model import PoetryModel
from model.sampling import SamplingParams
from model.verse.parallels import Parallels
from training.corpus_poem import CorpusPoem
from training.evaluation.classifier import auc_of_pairs, hashed_runs, standardised
from training.evaluation.page import markdown_table
from training.evaluation.poems import TEMPERATURE, Lines, distinct
from training.evaluation.retrieval import Found, TitleScorer, find_titles
from training.evaluation.titles import characters_of
from training.evaluation.traits import NAMES, Titled, Traits, find_traits

PEOPLE, DEFAULT, JUDGED = "people", "by default", "with the last choice"
PLAIN, UNTITLED = "the model alone", "to no title"
RUNS_WEIGHT = 4.0  # times the length of the row of characters and pairs, beside the traits
COLUMNS = (
    "writer",
    "first of 20 %",
    "first of 100 %",
    "in ten of 100 %",
    "a character of the title %",
    "opens with one %",
    "bits per character",
    "bits of a rhyme",
    "couplets above people's lower quartile %",
    "likeness",
    "distinct-2",
    "told from people's (AUC)",
)


@dataclass(frozen=True)
class SenseFigures:
    """What was found in one writer's poems; shares are in [0, 1].

    Args:
        found: How often the title is found again.
        bits: Bits per character after an empty header.
        rhyme: Bits of the last characters of the even lines, after an empty header.
        parallel: Share of middle couplets above people's lower quartile; None without eight lines.
        likeness: The mean of these couplets; None without eight lines.
        distinct_2: Different pairs of neighbours in a line, of all such pairs.
        auc: How often a fresh classifier tells one of the poems from one of people's: 0.5 is
            never but by chance; None for people's own.
    """

    found: Found
    bits: float
    rhyme: float
    parallel: float | None
    likeness: float | None
    distinct_2: float
    auc: float | None


def write_to_titles(
    poet: Poet,
    poems: Sequence[CorpusPoem],
    guidance: float,
    candidates: int,
    *,
    titled: bool = True,
    pairing: bool = True,
) -> list[Lines]:
    """Return the lines of poems of the same forms and titles, in the model's script.

    Args:
        poet: Who writes.
        poems: Whose forms and titles they are to have.
        guidance: As in the API.
        candidates: The same.
        titled: Whether to give the titles.
        pairing: Whether middle couplets lean to be parallel.
    """
    base = PoemSpec()
    specs = [
        PoemSpec(
            form=poem.form,
            title=poem.title if titled else None,
            guidance=guidance,
            candidates=candidates,
            pairing=base.pairing if pairing else 0.0,
            params=SamplingParams(temperature=TEMPERATURE, seed=seed),
        )
        for seed, poem in enumerate(poems)
    ]
    return [poem.written for poem in poet.write(specs)]


def measure_sense(
    poet: Poet,
    judged: Poet,
    model: PoetryModel,
    poems: Sequence[CorpusPoem],
    train: Iterable[CorpusPoem],
    guidance: float,
    candidates: int,
) -> dict[str, SenseFigures]:
    """Measure people's poems and those written to their titles.

    Args:
        poet: Who writes.
        judged: The same with the last choice.
        model: Who reads, in the precision of measurements.
        poems: People's, with titles.
        train: What the title scorer learns from.
        guidance: Of the poems by default.
        candidates: The same.
    """
    titles = [characters_of(poem.title) for poem in poems]
    scorer = TitleScorer(train, titles)
    written: dict[str, list[Lines]] = {
        PEOPLE: [tuple(poem.lines) for poem in poems],
        DEFAULT: write_to_titles(poet, poems, guidance, candidates),
        JUDGED: write_to_titles(judged, poems, guidance, candidates),
        PLAIN: write_to_titles(poet, poems, 1.0, 1, pairing=False),
        UNTITLED: write_to_titles(poet, poems, guidance, candidates, titled=False),
    }
    traits = {
        writer: find_traits(
            model,
            poet.vocabulary,
            [Titled(title, lines) for title, lines in zip(titles, bodies, strict=True)],
        )
        for writer, bodies in written.items()
    }
    return {
        writer: SenseFigures(
            found=find_titles(scorer, titles, ["".join(lines) for lines in bodies]),
            bits=_weighted(traits[writer], "bits", [sum(map(len, lines)) for lines in bodies]),
            rhyme=_weighted(traits[writer], "rhyme", [len(lines) // 2 for lines in bodies]),
            parallel=_parallel(bodies)[0],
            likeness=_parallel(bodies)[1],
            distinct_2=distinct([line for lines in bodies for line in lines], 2),
            auc=None if writer == PEOPLE else tell_apart(traits, written, writer),
        )
        for writer, bodies in written.items()
    }


def _weighted(traits: Traits, name: str, sizes: Sequence[int]) -> float:
    """Return the mean of a trait over characters, of which each poem has so many."""
    return float(np.average(traits[:, NAMES.index(name)], weights=sizes))


def _parallel(poems: Sequence[Lines]) -> tuple[float | None, float | None]:
    """Return how many couplets are above people's lower quartile, and the mean of all."""
    table = Parallels.load()
    judged = [each for lines in poems for each in table.judge(lines)]
    if not judged:
        return None, None
    above = [each.likeness > each.quartiles[0] for each in judged]
    return float(np.mean(above)), float(np.mean([each.likeness for each in judged]))


def tell_apart(
    traits: Mapping[str, Traits], written: Mapping[str, Sequence[Lines]], writer: str
) -> float:
    """Return how often a classifier, fitted on others, tells a writer's poem from people's."""
    writers = (PEOPLE, writer)
    numbers, _, _ = standardised(np.concatenate([traits[each] for each in writers]))
    texts = ["".join(lines) for each in writers for lines in written[each]]
    features = np.concatenate([numbers, RUNS_WEIGHT * hashed_runs(texts)], axis=1)
    size = len(written[PEOPLE])
    return auc_of_pairs(features[:size], features[size:])


def sense_table(figures: Mapping[str, SenseFigures]) -> str:
    """Return the table of all writers."""
    return markdown_table(
        COLUMNS, [[writer, *_cells(each)] for writer, each in figures.items()], left=1
    )


def _cells(each: SenseFigures) -> list[str]:
    found = each.found
    shares = (found.first_of_20, found.first, found.in_ten, found.character, found.opening)
    return [
        *(f"{100 * share:.1f}" for share in shares),
        f"{each.bits:.2f}",
        f"{each.rhyme:.2f}",
        "–" if each.parallel is None else f"{100 * each.parallel:.0f}",
        "–" if each.likeness is None else f"{each.likeness:.3f}",
        f"{each.distinct_2:.3f}",
        "–" if each.auc is None else f"{each.auc:.3f}",
    ]
