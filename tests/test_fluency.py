from math import log2

import pytest
import torch
from torch import Tensor

from model.checkpoint import Checkpoint
from model.engine import Engine
from model.poet.lexicon import Lexicon
from model.poet.poem import PoemSpec
from model.poet.poet import Poet
from model.precision import Precision
from model.sampling import SamplingParams
from model.sequence import Sequence
from model.verse.cue import Cue
from model.verse.form import Form
from model.verse.script import Script, to_script
from training.evaluation.fluency import (
    CONDITIONS,
    Condition,
    Silenced,
    begin,
    cut_bits,
    fluency,
    standard_error,
)
from training.evaluation.poems import FORMS


@pytest.fixture(scope="module")
def lexicon(tiny_checkpoint: Checkpoint) -> Lexicon:
    return Lexicon(tiny_checkpoint.vocabulary)


@pytest.fixture(scope="module")
def cued_checkpoint(tiny_checkpoint: Checkpoint) -> Checkpoint:
    """The tiny checkpoint, its cues and tokens loud enough to change what is written."""
    torch.manual_seed(1)
    weights = {name: 5 * torch.randn_like(w) for name, w in tiny_checkpoint.weights.items()}
    weights["place_embedding.weight"][0] = 0
    return Checkpoint("cued", tiny_checkpoint.config, tiny_checkpoint.vocabulary, weights, {})


def texts(checkpoint: Checkpoint, lexicon: Lexicon, condition: Condition) -> list[str]:
    engine = Engine(checkpoint.build_model())
    sequences = [begin(lexicon, Form.WUJUE, condition, seed) for seed in range(3)]
    engine.run(sequences)
    return [checkpoint.vocabulary.decode(sequence.tokens) for sequence in sequences]


def test_the_first_and_the_last_condition_are_what_the_poet_does(
    cued_checkpoint: Checkpoint, lexicon: Lexicon
) -> None:
    poet = Poet(cued_checkpoint, dtype=Precision.FLOAT32)
    for condition in (CONDITIONS[0], CONDITIONS[-1]):
        specs = [
            PoemSpec(
                form=Form.WUJUE,
                meter=condition.meter,
                rare=True,
                params=SamplingParams(seed=seed),
                script=Script.TRADITIONAL,
            )
            for seed in range(3)
        ]
        expected = [poem.text.replace("\n", "") for poem in poet.write(specs)]
        written = texts(cued_checkpoint, lexicon, condition)
        assert [to_script(text, Script.TRADITIONAL) for text in written] == expected


def test_every_condition_writes_other_poems_with_the_same_seeds(
    cued_checkpoint: Checkpoint, lexicon: Lexicon
) -> None:
    written = [tuple(texts(cued_checkpoint, lexicon, condition)) for condition in CONDITIONS]
    assert len(set(written)) == len(CONDITIONS)


def test_conditions_differ_in_what_the_model_is_given_not_in_the_template(lexicon: Lexicon) -> None:
    mask, header, cues = (begin(lexicon, Form.QILV, c, 7) for c in CONDITIONS[1:])
    assert len(mask.header) + 1 == len(header.header) == len(cues.header)
    assert mask.guide.cue is header.guide.cue is Cue.FREE
    assert cues.guide.cue is not Cue.FREE
    first, *others = (sequence.guide.allowed() for sequence in (mask, header, cues))
    assert first is not None
    assert all(other is not None and torch.equal(first, other) for other in others)


def test_a_silenced_guide_guides_as_before(lexicon: Lexicon) -> None:
    plain = begin(lexicon, Form.WUJUE, CONDITIONS[-1], 0).guide
    silenced = Silenced(begin(lexicon, Form.WUJUE, CONDITIONS[-1], 0).guide)
    while not plain.finished:
        allowed, heard = plain.allowed(), silenced.allowed()
        assert allowed is not None
        assert heard is not None
        assert torch.equal(allowed, heard)
        assert silenced.cue is Cue.FREE
        token = int(allowed.nonzero()[0])
        plain.advance(token)
        silenced.advance(token)
    assert silenced.finished


def test_a_form_of_open_length_is_refused(lexicon: Lexicon) -> None:
    with pytest.raises(ValueError, match="form of known length, got 五古"):
        begin(lexicon, Form.WUGU, CONDITIONS[0], 0)


def test_what_the_mask_cuts_from_a_model_that_knows_nothing_is_known(
    tiny_checkpoint: Checkpoint, lexicon: Lexicon
) -> None:
    """All tokens are alike, so that a mask cuts log2 of the vocabulary over what it allows."""
    model = tiny_checkpoint.build_model()
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    expected, characters = 0.0, 0
    for form in FORMS:
        guide = begin(lexicon, form, CONDITIONS[1], 0).guide
        sequence = begin(lexicon, form, CONDITIONS[1], 0)
        Engine(model).run([sequence])
        for token in sequence.tokens:
            allowed = guide.allowed()
            assert allowed is not None
            expected += log2(len(lexicon.vocabulary) / int(allowed.sum()))
            guide.advance(token)
        characters += form.line_length * (form.num_lines or 0)
    result = fluency(Engine(model), model, lexicon, lambda texts: len(texts), CONDITIONS[1], 1)
    assert result.cut == pytest.approx(expected / characters, rel=1e-5)
    assert (result.bits, result.poems, result.tone) == (4, 4, 1)


class Scripted:
    """A guide that allows one token at a time."""

    def __init__(self, script: list[int], cues: list[Cue], size: int) -> None:
        self._script, self._cues, self._size, self._at = script, cues, size, 0

    @property
    def finished(self) -> bool:
        return self._at == len(self._script)

    @property
    def cue(self) -> Cue:
        return self._cues[self._at]

    def allowed(self) -> Tensor:
        return torch.arange(self._size) == self._script[self._at]

    def vet(self, token: int) -> bool:  # noqa: ARG002
        return True

    def advance(self, token: int) -> None:
        assert token == self._script[self._at]
        self._at += 1


def test_a_mask_that_leaves_one_token_cuts_off_what_the_engine_says_that_token_costs(
    cued_checkpoint: Checkpoint, lexicon: Lexicon
) -> None:
    model, size = cued_checkpoint.build_model(), len(lexicon.vocabulary)
    scripts = [[60, 70, 80, 90], [91, 81, 71, 61]]
    cues = [[Cue.PING, Cue.ZE, Cue.RHYME, Cue.FREE], [*Cue][:4]]
    header = lexicon.vocabulary.header(form=Form.WUJUE)
    written, fresh = (
        [
            Sequence(header, Scripted(script, asked, size), SamplingParams())
            for script, asked in zip(scripts, cues, strict=True)
        ]
        for _ in range(2)
    )
    Engine(model).run(written)
    expected = sum(sequence.bits for sequence in written)
    assert cut_bits(model, written, fresh) == pytest.approx(expected, rel=1e-5)


def test_the_standard_error_is_that_of_a_mean() -> None:
    assert standard_error([1.0, 2.0, 3.0, 4.0]) == pytest.approx((5 / 3 / 4) ** 0.5)
