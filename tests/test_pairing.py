import random
from typing import Self

import pytest
import torch
from torch import Tensor

from model.engine import Engine
from model.guide import Unguided
from model.pairing import UNIT, Pairing
from model.particle import Particle
from model.poetry_model import PoetryConfig, PoetryModel
from model.sampling import SamplingParams
from model.sequence import Sequence
from model.verse.cue import Cue

V = 13
HEADER = [1, 4, 5, 6]


class Pairs:
    """Two lines of equal length; each token of the second stands opposite to one of the first."""

    cue = Cue.FREE

    def __init__(self, length: int = 4) -> None:
        self._length, self._tokens = length, list[int]()

    @property
    def finished(self) -> bool:
        return len(self._tokens) == 2 * self._length

    @property
    def at_break(self) -> bool:
        return len(self._tokens) % self._length == self._length - 1

    @property
    def opposite(self) -> int:
        return self._tokens[-self._length] if len(self._tokens) >= self._length else 0

    def copy(self) -> Self:
        twin = type(self)(self._length)
        twin._tokens = [*self._tokens]
        return twin

    def allowed(self) -> Tensor | None:
        return None

    def vet(self, token: int) -> bool:  # noqa: ARG002
        return True

    def advance(self, token: int) -> None:
        self._tokens.append(token)


@pytest.fixture(scope="module")
def poetry_model() -> PoetryModel:
    torch.manual_seed(2)
    model = PoetryModel(PoetryConfig(V, embedding_size=16, hidden_size=32, num_layers=2))
    with torch.no_grad():
        model.embedding.weight *= 14  # unequal probabilities
    return model.eval()


@pytest.fixture(scope="module")
def vectors() -> Tensor:
    """Vectors of length UNIT, but for the first two tokens, which go with none."""
    torch.manual_seed(3)
    drawn = torch.nn.functional.normalize(torch.randn(V, 6), dim=-1) * UNIT
    drawn[:2] = 0
    return drawn.round()


def sequence(seed: int, particles: int = 1, *, pairing: float = 0.0) -> Sequence:
    params = SamplingParams(temperature=1.0, seed=seed)
    return Sequence(HEADER, Pairs(), params, num_particles=particles, pairing=pairing)


def particle(sequence: Sequence, written: list[int]) -> Particle:
    """Return a particle that has written some tokens."""
    made = Particle(sequence, sequence.guide, sequence.params)
    for token in written:
        made.take(token, 0.0, 0.0)
    return made


def test_what_goes_with_the_opposite_token_is_added(vectors: Tensor) -> None:
    logits = torch.randn(3, V)
    particles = [
        particle(sequence(0), []),
        particle(sequence(1, pairing=2.5), [5, 6]),
        particle(sequence(2, pairing=2.5), [5, 6, 7, 8]),
    ]
    paired = Pairing(vectors, logits.device).add(logits, particles)
    assert torch.equal(paired[:2], logits[:2])
    cosines = torch.stack([vectors[5] @ each for each in vectors]) / UNIT**2
    torch.testing.assert_close(paired[2], logits[2] + 2.5 * cosines)


def test_nothing_is_added_where_nothing_is_opposite(vectors: Tensor) -> None:
    logits = torch.randn(1, V)
    first = particle(sequence(0, pairing=2.5), [5, 6])
    assert Pairing(vectors, logits.device).add(logits, [first]) is logits
    strange = particle(sequence(0, pairing=2.5), [1, 6, 7, 8])  # opposite to what goes with none
    assert torch.equal(Pairing(vectors, logits.device).add(logits, [strange]), logits)


def test_a_row_leans_the_same_whatever_its_neighbours() -> None:
    torch.manual_seed(0)
    many = (torch.nn.functional.normalize(torch.randn(900, 48), dim=-1) * UNIT).round()
    for count in (1, 2, 7, 64):
        products = many[:count] @ many.T
        assert torch.equal(products.double(), many[:count].double() @ many.T.double())


def test_pairs_come_more_often_the_more_they_are_asked_for(
    poetry_model: PoetryModel, vectors: Tensor
) -> None:
    def likeness(pairing: float) -> float:
        drawn = [sequence(seed, pairing=pairing) for seed in range(40)]
        Engine(poetry_model, num_slots=40, vectors=vectors).run(drawn)
        pairs = [pair for each in drawn for pair in zip(each.tokens, each.tokens[4:], strict=False)]
        return sum(float(vectors[a] @ vectors[b]) / UNIT**2 for a, b in pairs) / len(pairs)

    assert likeness(6.0) > likeness(2.0) > likeness(0.0)


def test_bits_are_those_of_the_model_that_does_not_pair(
    poetry_model: PoetryModel, vectors: Tensor
) -> None:
    ours = sequence(1, 3, pairing=2.0)
    Engine(poetry_model, num_slots=4, vectors=vectors).run([ours])
    with torch.inference_mode():
        for n, token in enumerate(ours.tokens):
            ids = torch.tensor([*HEADER, *ours.tokens[:n]])[:, None]
            expected = poetry_model(ids)[0][-1, 0].log_softmax(-1)[token]
            assert ours.log_probabilities[n] == pytest.approx(float(expected), abs=1e-4)


def test_a_sequence_with_pairs_is_the_same_alone_and_in_random_traffic(
    poetry_model: PoetryModel, vectors: Tensor
) -> None:
    rng = random.Random(5)

    def begin(seed: int) -> Sequence:
        return sequence(seed, 1 + seed % 4, pairing=(seed % 5) * 1.5)

    alone = list[Sequence]()
    for seed in range(60):
        alone += Engine(poetry_model, num_slots=4, vectors=vectors).run([begin(seed)])
    together = [begin(seed) for seed in range(60)]
    engine, waiting = Engine(poetry_model, num_slots=24, vectors=vectors), [*together]
    while not all(each.finished for each in together):
        for _ in range(rng.randrange(4)):
            if waiting:
                engine.add(waiting.pop())
        engine.step()
    assert [each.tokens for each in together] == [each.tokens for each in alone]


def test_inexact_vectors_are_refused() -> None:
    cpu = torch.device("cpu")
    with pytest.raises(ValueError, match="whole numbers"):
        Pairing(torch.full((V, 2), 0.5), cpu)
    with pytest.raises(ValueError, match="whole numbers"):
        Pairing(torch.full((V, 2), 4096.0), cpu)


def test_pairs_need_a_guide_that_knows_them() -> None:
    with pytest.raises(TypeError, match="Unguided knows of no opposites"):
        Sequence(HEADER, Unguided(5), SamplingParams(), pairing=1.0)
