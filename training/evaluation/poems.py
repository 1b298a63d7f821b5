"""How good poems are: form, rhyme, tone, repetition, variety, copying, bits per character.

Poems that a model wrote and poems by people go through the same checker and the same score, both
punctuated alike: ， after odd lines and 。 after even ones.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import sqrt
from pathlib import Path

from model.poet.line_filter import LineFilter
from model.poet.poem import Meter, PoemSpec
from model.poet.poet import Poet
from model.sampling import SamplingParams
from model.verse.form import Form
from model.verse.proof import MeterProof, check
from model.verse.script import Script
from training.corpus_poem import CorpusPoem, read_poems
from training.splits import SPLITS

FORMS = (Form.WUJUE, Form.QIJUE, Form.WULV, Form.QILV)
TONE_RULES = ("仄收", "平仄", "对", "粘", "孤平", "三平调", "拗救")
TEMPERATURE = 0.8

Lines = tuple[str, ...]  # a poem's, in the model's script, without punctuation
Score = Callable[[Sequence[str]], float]  # texts of poems -> bits per character


@dataclass(frozen=True)
class Figures:
    """What was found in poems that were meant to have one form; shares are in [0, 1].

    Args:
        form: Share of poems that have the form.
        rhyme: Share of poems whose even lines rhyme in one group.
        tone: Share of poems in which every rule of tone holds at every character.
        regulated: Share of poems in which every rule of verse holds.
        repetition: Share of characters that have stood in their poem before.
        distinct_1: Different characters, of all characters.
        distinct_2: Different pairs of neighbours in a line, of all such pairs.
        self_bleu: How like the others a poem is: mean BLEU of each against all others, by its
            characters and pairs of them (Zhu et al., 2018); 1 is the same poem again.
        reported: Share of lines that the filter reports as copied; None if not looked for.
        copied: Share of lines that do stand in the corpus; None if not looked for.
        bits: Bits per character under the unguided model after an empty header.
    """

    poems: int
    form: float
    rhyme: float
    tone: float
    regulated: float
    repetition: float
    distinct_1: float
    distinct_2: float
    self_bleu: float
    reported: float | None
    copied: float | None
    bits: float


@dataclass(frozen=True)
class Copies:
    """Which lines of some poems were copied, by the filter and by the corpus itself."""

    reported: frozenset[str]
    found: frozenset[str]

    @classmethod
    def of(cls, lines: Iterable[str], line_filter: LineFilter, corpus: Path) -> "Copies":
        """Look lines up in the filter and in every split of the corpus."""
        wanted = frozenset(lines)
        found = frozenset[str]().union(
            *(
                wanted.intersection(poem.lines)
                for split in SPLITS
                for poem in read_poems(corpus / f"{split}.jsonl")
            )
        )
        return cls(frozenset(line for line in wanted if line in line_filter), found)


def judge(poems: Sequence[Lines], form: Form, score: Score, copies: Copies | None) -> Figures:
    """Measure poems.

    Args:
        poems: At least one.
        form: What they were meant to be.
        score: Their bits per character.
        copies: Which lines were copied; None if that was not looked for.

    Raises:
        ValueError: If there are no poems.
    """
    if not poems:
        raise ValueError(f"expected at least one poem of the form {form}")
    proofs = [check(lines, exact=True) for lines in poems]
    lines = list(chain.from_iterable(poems))
    return Figures(
        poems=len(poems),
        form=_share(proof.form is form for proof in proofs),
        rhyme=_share(proof.checks["押韵"].holds for proof in proofs),
        tone=_share(map(keeps_tones, proofs)),
        regulated=_share(proof.regulated for proof in proofs),
        repetition=repetition(poems),
        distinct_1=distinct(lines, 1),
        distinct_2=distinct(lines, 2),
        self_bleu=self_bleu(poems),
        reported=None if copies is None else _share(line in copies.reported for line in lines),
        copied=None if copies is None else _share(line in copies.found for line in lines),
        bits=score([punctuate(poem) for poem in poems]),
    )


def keeps_tones(proof: MeterProof) -> bool:
    """Return whether a poem has a template and keeps every rule of tone."""
    return proof.pattern is not None and all(proof.checks[rule].holds for rule in TONE_RULES)


def repetition(poems: Sequence[Lines]) -> float:
    """Return the share of characters that have stood in their poem before."""
    texts = ["".join(poem) for poem in poems]
    return 1 - sum(len(set(text)) for text in texts) / sum(map(len, texts))


def distinct(lines: Sequence[str], size: int) -> float:
    """Return how many of the runs of size characters within lines differ, as a share of all."""
    runs = _runs(lines, size)
    return len(set(runs)) / len(runs)


def self_bleu(poems: Sequence[Lines]) -> float:
    """Return the mean over poems of BLEU-2 against the others, all of one length.

    A run counts as often as it stands in the one other poem that has it most often.
    """
    counts = [[Counter(_runs(poem, size)) for poem in poems] for size in (1, 2)]
    precisions = [[_precision(those, at) for at in range(len(poems))] for those in counts]
    return sum(sqrt(one * two) for one, two in zip(*precisions, strict=True)) / len(poems)


def _precision(counts: Sequence[Counter[str]], at: int) -> float:
    """Return the share of one poem's runs that some other poem has as often."""
    others = Counter[str]()
    for number, other in enumerate(counts):
        if number != at:
            others |= other
    return (counts[at] & others).total() / counts[at].total()


def _runs(lines: Sequence[str], size: int) -> list[str]:
    """Return the runs of size characters within lines."""
    return [line[at : at + size] for line in lines for at in range(len(line) - size + 1)]


def punctuate(lines: Sequence[str]) -> str:
    """Return a poem's text, ， after odd lines and 。 after even ones."""
    return "".join(line + "，。"[index % 2] for index, line in enumerate(lines))


def write_poems(poet: Poet, meter: Meter, number: int) -> dict[Form, list[Lines]]:
    """Let a poet write poems of every form, with the seeds 0, 1, 2 and so on.

    Their lines are in the model's script, as the corpus's are: a printed form may lack a reading.
    """
    specs = [
        PoemSpec(
            form=form,
            meter=meter,
            params=SamplingParams(temperature=TEMPERATURE, seed=seed),
            script=Script.TRADITIONAL,
        )
        for form in FORMS
        for seed in range(number)
    ]
    written = iter(poet.write(specs))
    return {form: [poem.written for poem in islice(written, number)] for form in FORMS}


def people(poems: Iterable[CorpusPoem], number: int) -> dict[Form, list[Lines]]:
    """Return the first poems of every form, number of each, old style included.

    Raises:
        ValueError: If there are fewer of a form.
    """
    found: dict[Form, list[Lines]] = {form: [] for form in FORMS}
    for poem in poems:
        if poem.form in found and len(found[poem.form]) < number:
            found[poem.form].append(tuple(poem.lines))
    for form, those in found.items():
        if len(those) < number:
            raise ValueError(f"expected {number} poems of the form {form}, found {len(those)}")
    return found


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values)
