"""What the masks of strict verse cost, and what giving the model the cues wins back.

The same seeds, and so the same templates, are written in conditions that differ in what the model
is given. Each poem is then scored by the model alone: no mask, an empty header, no cues.
"""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from math import log, sqrt
from statistics import stdev

import torch
from torch import Tensor

from model.engine import Engine
from model.guide import Guide
from model.poet.lexicon import Lexicon
from model.poet.plan import choose_plan
from model.poet.poem import Meter
from model.poet.verse_guide import VerseGuide
from model.poetry_model import PoetryModel
from model.sampling import SamplingParams
from model.sequence import Sequence
from model.verse.cue import Cue
from model.verse.form import Form, Layout
from model.verse.proof import check
from training.evaluation.poems import (
    FORMS,
    TEMPERATURE,
    Lines,
    Score,
    keeps_tones,
    punctuate,
    repetition,
)

GROUPS = 10


@dataclass(frozen=True)
class Condition:
    """What holds while poems are written.

    Args:
        meter: What the mask asks for.
        regulated: Whether the header has the token of regulated verse.
        cues: Whether the model is given what the verse asks of each character.
    """

    name: str
    meter: Meter
    regulated: bool = False
    cues: bool = False


CONDITIONS = (
    Condition("free verse: the mask of the form alone", Meter.FREE),
    Condition("strict: mask only", Meter.STRICT),
    Condition("strict: mask, `<regulated>` in the header", Meter.STRICT, regulated=True),
    Condition("strict: mask, header, cues", Meter.STRICT, regulated=True, cues=True),
)


@dataclass(frozen=True)
class Fluency:
    """What was measured in one condition.

    Args:
        bits: Bits per character of the poems under the unguided model.
        error: Standard error of bits, from GROUPS groups of the poems.
        cut: Bits per character of what the mask cut off: minus log2 of the probability that the
            model, given what the condition gives it, assigned to all that the mask allowed.
        repetition: Share of characters that have stood in their poem before.
        tone: Share of poems that keep every rule of tone.
    """

    condition: Condition
    poems: int
    bits: float
    error: float
    cut: float
    repetition: float
    tone: float


class Silenced:
    """A guide that keeps its cues to itself."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide

    @property
    def finished(self) -> bool:
        """Whether the poem is complete."""
        return self._guide.finished

    @property
    def cue(self) -> Cue:
        """Nothing is asked for."""
        return Cue.FREE

    def allowed(self) -> Tensor | None:
        """Return the mask of the guide, (V,)."""
        return self._guide.allowed()

    def vet(self, token: int) -> bool:
        """Return whether the guide lets a token come that was drawn."""
        return self._guide.vet(token)

    def advance(self, token: int) -> None:
        """Go on after a token."""
        self._guide.advance(token)


def begin(lexicon: Lexicon, form: Form, condition: Condition, seed: int) -> Sequence:
    """Return a poem of a form that is to be written in a condition.

    Raises:
        ValueError: If the form leaves its length open.
    """
    if form.num_lines is None:
        raise ValueError(f"expected a form of known length, got {form}")
    layout = Layout(form.line_length, form.num_lines)
    plan = choose_plan(lexicon, layout, condition.meter, {}, seed)
    guide = VerseGuide(lexicon, layout, plan)
    header = lexicon.vocabulary.header(form=form, regulated=condition.regulated)
    params = SamplingParams(temperature=TEMPERATURE, seed=seed)
    return Sequence(header, guide if condition.cues else Silenced(guide), params)


def fluency(
    engine: Engine,
    model: PoetryModel,
    lexicon: Lexicon,
    score: Score,
    condition: Condition,
    number: int,
) -> Fluency:
    """Measure number poems of each form, with the seeds 0, 1, 2 and so on, in one condition."""
    poems: list[Lines] = []
    cut = 0.0
    for form in FORMS:
        sequences = [begin(lexicon, form, condition, seed) for seed in range(number)]
        engine.run(sequences)
        replayed = [begin(lexicon, form, condition, seed) for seed in range(number)]
        cut += cut_bits(model, sequences, replayed)
        bodies = [lexicon.vocabulary.decode(sequence.tokens) for sequence in sequences]
        poems += [tuple(body.replace("。", "，").strip("，").split("，")) for body in bodies]
    characters = sum(len("".join(poem)) for poem in poems)
    proofs = [check(poem, exact=True) for poem in poems]
    texts = [punctuate(poem) for poem in poems]
    return Fluency(
        condition,
        len(poems),
        score(texts),
        standard_error([score(texts[at::GROUPS]) for at in range(min(GROUPS, len(texts)))]),
        cut / characters,
        repetition(poems),
        sum(map(keeps_tones, proofs)) / len(proofs),
    )


def standard_error(values: SequenceOf[float]) -> float:
    """Return the standard error of the mean of values, two at the least."""
    return stdev(values) / sqrt(len(values))


@torch.inference_mode()
def cut_bits(
    model: PoetryModel, written: SequenceOf[Sequence], fresh: SequenceOf[Sequence]
) -> float:
    """Return the bits that masks cut off, of sequences of one length.

    Args:
        written: What the engine completed.
        fresh: The same sequences before it began; their guides are used up.
    """
    columns = [_replay(new, old.tokens) for old, new in zip(written, fresh, strict=True)]
    device = model.embedding.weight.device
    ids = torch.tensor([[*s.header, *s.tokens[:-1]] for s in written], device=device).T  # (T, B)
    of_body = torch.tensor([each for each, _ in columns], device=device).T  # (T of body, B)
    start = len(ids) - len(of_body)
    cues = torch.zeros_like(ids)
    cues[start:] = of_body
    features, _ = model.features(ids, cues=cues)
    total = 0.0
    for column, (_, masks) in enumerate(columns):
        log_probabilities = model.output(features[start:, column]).float().log_softmax(-1)
        allowed = log_probabilities.masked_fill(~masks.to(device), -torch.inf)
        total -= float(allowed.logsumexp(-1).sum())
    return total / log(2)


def _replay(sequence: Sequence, tokens: SequenceOf[int]) -> tuple[list[int], Tensor]:
    """Return the cues that a sequence's guide gives and the masks that it sets, (T, V)."""
    cues, masks = [], []
    for token in tokens:
        allowed = sequence.guide.allowed()
        assert allowed is not None, "a verse guide always has a mask"
        cues.append(int(sequence.guide.cue))
        masks.append(allowed)
        sequence.guide.advance(token)
    return cues, torch.stack(masks)
