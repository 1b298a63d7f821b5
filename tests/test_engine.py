import itertools
import random
from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor

from model.engine import Engine
from model.guide import NoCharacterFits, Unguided
from model.poetry_model import PoetryConfig, PoetryModel
from model.precision import Precision
from model.sampling import SamplingParams
from model.sequence import Sequence
from model.verse.cue import Cue

Build = Callable[[int], Engine]  # from a number of slots

V = 29
HEADER = [1, 4, 5]


class Countdown:
    """A guide that allows anything but some tokens, a number of times."""

    def __init__(self, length: int, forbidden: Iterable[int] = (), fails_at: int = -1) -> None:
        self.left, self._fails_at = length, fails_at
        self._mask = torch.ones(V, dtype=torch.bool)
        self._mask[list(forbidden)] = False
        self.seen: list[int] = []

    @property
    def finished(self) -> bool:
        return self.left == 0

    @property
    def cue(self) -> Cue:
        return Cue(self.left % len(Cue))

    def allowed(self) -> Tensor | None:
        if self.left == self._fails_at:
            raise NoCharacterFits(1, "nothing rhymes with orange")
        return None if self._mask.all() else self._mask

    def vet(self, token: int) -> bool:  # noqa: ARG002
        return True

    def advance(self, token: int) -> None:
        self.seen.append(token)
        self.left -= 1


@pytest.fixture(params=Precision)
def precision(request: pytest.FixtureRequest) -> Precision:
    return Precision(request.param)


@pytest.fixture
def poetry_model(precision: Precision) -> PoetryModel:
    torch.manual_seed(1)
    poetry = PoetryModel(PoetryConfig(V, embedding_size=16, hidden_size=32, num_layers=2))
    torch.nn.init.normal_(poetry.place_embedding.weight[1:])
    with torch.no_grad():
        poetry.embedding.weight *= 8  # unequal probabilities
    return poetry.to(precision.dtype).eval()


@pytest.fixture
def build(poetry_model: PoetryModel, precision: Precision) -> Build:
    return lambda num_slots: Engine(poetry_model, num_slots, precision)


def sequence(length: int = 10, seed: int = 0, **fields: float) -> Sequence:
    params = SamplingParams(**{"temperature": 1.0, **fields}, seed=seed)  # type: ignore[arg-type]
    return Sequence(HEADER, Countdown(length, forbidden=[0, 3]), params)


def test_a_greedy_sequence_is_what_the_model_says_step_by_step(
    poetry_model: PoetryModel, build: Build, precision: Precision
) -> None:
    ours = sequence(temperature=0.0)
    build(4).run([ours])
    guide = Countdown(10, forbidden=[0, 3])
    state, tokens, log_probabilities = poetry_model.initial_state(4), list[int](), list[float]()
    with torch.inference_mode():
        for read in range(len(HEADER) + 9):
            token = HEADER[read] if read < len(HEADER) else tokens[-1]
            drawing = read >= len(HEADER) - 1
            place = guide.cue if drawing else Cue.FREE
            inputs = torch.full((4,), token), torch.full((4,), place)
            logits, state = poetry_model.step(inputs[0], state, inputs[1])
            if drawing:
                masked = logits[0].float().masked_fill(~guide._mask, -torch.inf)
                tokens.append(int(masked.argmax()))
                log_probabilities.append(float(logits[0].float().log_softmax(-1)[tokens[-1]]))
                guide.advance(tokens[-1])
    tolerance = 1e-4 if precision is Precision.FLOAT32 else 0.1
    assert ours.tokens == tokens
    assert ours.log_probabilities == pytest.approx(log_probabilities, abs=tolerance)


def test_what_a_guide_forbids_never_comes(build: Build) -> None:
    sequences = [sequence(50, seed) for seed in range(8)]
    build(8).run(sequences)
    assert all(len(each.tokens) == 50 for each in sequences)
    assert not {0, 3} & {token for each in sequences for token in each.tokens}


class Reluctant(Countdown):
    """A guide that takes the drawn token back for every token of an odd number; fails at last."""

    def __init__(self, length: int, fails_at: int = -1) -> None:
        super().__init__(length, [0])
        self._gives_up_at, self.asked = fails_at, 0

    def vet(self, token: int) -> bool:
        self.asked += 1
        if self.left == self._gives_up_at:
            raise NoCharacterFits(2, "every line stands in the corpus")
        self._mask[1::2] = False
        return bool(self._mask[token])


def test_a_token_that_the_guide_takes_back_is_drawn_again(build: Build) -> None:
    guides = [Reluctant(6, fails_at) for fails_at in (-1, -1, 3, -1)]
    sequences = [Sequence(HEADER, g, SamplingParams(1.0, seed=i)) for i, g in enumerate(guides)]
    build(4).run(sequences)
    for each, guide in zip(sequences, guides, strict=True):
        assert all(token % 2 == 0 for token in each.tokens)
        assert len(each.log_probabilities) == len(each.tokens) == len(guide.seen)
    assert [len(each.tokens) for each in sequences] == [6, 6, 3, 6]
    assert [str(each.error) for each in sequences if each.error] == [
        "line 2: every line stands in the corpus"
    ]


def test_a_sequence_is_the_same_alone_and_in_random_traffic(build: Build) -> None:
    kinds = [{"temperature": 1.3}, {"top_k": 5.0}, {"top_p": 0.8}, {"temperature": 0.0}]

    def make(number: int) -> Sequence:
        fields = {k: int(v) if k == "top_k" else v for k, v in kinds[number % 4].items()}
        return sequence(5 + number % 17, number, **fields)

    engine = build(16)
    alone = []
    for number in range(60):
        alone.append(make(number))
        engine.run([alone[-1]])
    chance = random.Random(5)
    together = [make(number) for number in range(60)]
    passers_by = [make(number + 100) for number in range(30)]
    arrivals = together + passers_by
    chance.shuffle(arrivals)
    while arrivals or engine.waiting or engine.running:
        for _ in range(chance.randint(0, 4)):
            if arrivals:
                engine.add(arrivals.pop())
        engine.step()
        if chance.random() < 0.3:
            engine.cancel(chance.choice(passers_by))
    assert [each.tokens for each in together] == [each.tokens for each in alone]
    assert [each.log_probabilities for each in together] == [
        each.log_probabilities for each in alone
    ]


def test_a_known_header_is_not_read_again_and_changes_nothing(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    headers = [[chance.randrange(V) for _ in range(1 + number)] for number in range(6)]

    def make() -> list[Sequence]:
        return [
            Sequence(
                headers[seed % 6], Countdown(1 + seed % 9, [0]), SamplingParams(1.0, seed=seed)
            )
            for seed in range(60)
        ]

    monkeypatch.setattr("model.engine.HEADERS_KEPT", 0)
    engine, alone = build(16), make()
    for each in alone:
        engine.run([each])
    assert sum(steps(engine, each) for each in make()) == sum(
        len(each.header) - 1 + len(each.tokens) for each in alone
    )
    monkeypatch.setattr("model.engine.HEADERS_KEPT", 4)
    together = make()
    arrivals = chance.sample(together, len(together))
    while arrivals or engine.waiting or engine.running:
        for _ in range(chance.randint(0, 3)):
            if arrivals:
                engine.add(arrivals.pop())
        engine.step()
        assert len(engine._states) <= 4
    assert [(each.tokens, each.log_probabilities) for each in together] == [
        (each.tokens, each.log_probabilities) for each in alone
    ]
    known = [each for each in make() if each.prompts[0].prefix in engine._states]
    assert len(known) == 40
    assert [steps(engine, each) for each in known] == [len(each.tokens) for each in known]


def steps(engine: Engine, sequence: Sequence) -> int:
    """Complete a sequence; return how many steps it took."""
    engine.add(sequence)
    return next(
        number for number in itertools.count(1) if sequence in engine.step() and sequence.finished
    )


def test_a_new_sequence_joins_at_the_next_step_and_a_finished_one_leaves_at_once(
    build: Build,
) -> None:
    engine = build(2)
    first, second, third = sequence(1), sequence(9), sequence(1)
    for each in (first, second, third):
        engine.add(each)
    steps = [engine.step() for _ in range(len(HEADER))]
    assert steps == [[], [], [first, second]]
    assert first.finished
    assert engine.running == [second]
    assert list(engine.waiting) == [third]
    assert engine.step() == [second, third]  # the state after the header was known
    assert engine.running == [second]


def test_a_cancelled_sequence_frees_its_slot_and_gets_nothing_more(
    build: Build,
) -> None:
    engine = build(2)
    running, waiting, other = sequence(), sequence(), sequence(seed=4)
    for each in (running, other, waiting):
        engine.add(each)
    for _ in range(4):
        engine.step()
    engine.cancel(running)
    engine.cancel(waiting)
    tokens = list(running.tokens)
    engine.cancel(running)  # twice is once
    while engine.running:
        engine.step()
    assert running.tokens == tokens
    assert waiting.tokens == []
    assert len(other.tokens) == 10


def test_a_guide_that_runs_dry_fails_its_own_sequence_alone(build: Build) -> None:
    engine = build(4)
    dry = Sequence(HEADER, Countdown(10, fails_at=6), SamplingParams())
    good = sequence()
    engine.run([dry, good])
    assert isinstance(dry.error, NoCharacterFits)
    assert dry.finished
    assert len(dry.tokens) == 4
    assert len(good.tokens) == 10


def test_bits_are_those_of_the_unmasked_distribution(build: Build) -> None:
    mask = [token for token in range(V) if token != 7]  # only 7 may come
    forced = Sequence(HEADER, Countdown(3, forbidden=mask), SamplingParams())
    build(4).run([forced])
    assert forced.tokens == [7, 7, 7]
    assert forced.bits > 0.5


def test_to_run_is_to_step_until_all_are_finished_whatever_else_waits(
    build: Build,
) -> None:
    engine, other = build(2), sequence(40)
    sequences = [sequence(), sequence(3, 1)]
    engine.add(other)
    assert engine.run(sequences) == sequences
    assert [len(each.tokens) for each in sequences] == [10, 3]
    assert not other.finished
    assert engine.run([]) == []


def test_what_is_unguided_ends_at_its_last_token_or_after_eos(build: Build) -> None:
    engine = build(4)
    (whole,) = engine.run([Sequence(HEADER, Unguided(30), SamplingParams(1.0))])
    assert len(whole.tokens) == 30
    eos_id = whole.tokens[11]
    (ended,) = engine.run([Sequence(HEADER, Unguided(30, eos_id), SamplingParams(1.0))])
    assert ended.tokens == whole.tokens[: whole.tokens.index(eos_id) + 1]


def test_an_engine_without_work_does_nothing(build: Build) -> None:
    assert build(4).step() == []


def test_a_mask_that_allows_nothing_fails_its_own_sequence_alone(
    build: Build,
) -> None:
    engine = build(4)
    stuck, good = Sequence(HEADER, Countdown(5, range(V)), SamplingParams()), sequence()
    engine.run([stuck, good])
    assert isinstance(stuck.error, NoCharacterFits)
    assert str(stuck.error) == "the guide allows no token"
    assert stuck.tokens == stuck.log_probabilities == []
    assert len(good.tokens) == 10


@pytest.mark.parametrize("temperature", [1e-320, 1e-50, 1e-9])
def test_the_coldest_draws_are_the_greedy_ones(build: Build, temperature: float) -> None:
    cold, greedy = sequence(temperature=temperature), sequence(temperature=0.0)
    build(4).run([cold, greedy])
    assert cold.log_probabilities == greedy.log_probabilities


def test_an_engine_without_slots_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="num_slots must be at least 1, got 0"):
        build(0)
