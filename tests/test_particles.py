import itertools
import random
from collections import Counter
from collections.abc import Sequence as SequenceOf
from math import exp
from typing import Any, Self

import pytest
import torch
from torch import Tensor

from model.engine import Engine
from model.guide import RHYME_WARMTH, NoCharacterFits, Unguided
from model.particle import Particle
from model.particles import Particles
from model.poetry_model import PoetryConfig, PoetryModel
from model.sampling import SamplingParams
from model.sequence import FIRST_GUIDANCE, Sequence
from model.verse.cue import Cue

V = 13
HEADER, PLAIN = [1, 4, 5, 6], [1, 6]


class Lines:
    """Lines of equal length; the last token of each is one of a few."""

    cue = Cue.FREE

    def __init__(
        self, lines: int = 2, length: int = 3, ends: SequenceOf[int] = (7, 8), dead: bool = False
    ) -> None:
        self._left, self._length, self._ends, self._dead = lines * length, length, ends, dead

    @property
    def finished(self) -> bool:
        return self._left == 0

    @property
    def at_break(self) -> bool:
        return self._left % self._length == 1

    def copy(self) -> Self:
        twin = type(self)(1, self._length, self._ends, self._dead)
        twin._left = self._left
        return twin

    def allowed(self) -> Tensor | None:
        if self._dead and self._left == 2:
            raise NoCharacterFits(2, "nothing rhymes with orange")
        mask = torch.ones(V, dtype=torch.bool)
        if self._left % self._length == 1:
            mask = torch.zeros(V, dtype=torch.bool)
            mask[list(self._ends)] = True
        return mask

    def vet(self, token: int) -> bool:  # noqa: ARG002
        return True

    def advance(self, token: int) -> None:  # noqa: ARG002
        self._left -= 1


@pytest.fixture(scope="module")
def poetry_model() -> PoetryModel:
    torch.manual_seed(2)
    model = PoetryModel(PoetryConfig(V, embedding_size=16, hidden_size=32, num_layers=2))
    with torch.no_grad():
        model.embedding.weight *= 14  # unequal probabilities
    return model.eval()


def sequence(
    seed: int = 0,
    particles: int = 4,
    guidance: float = 1.0,
    *,
    lines: int = 2,
    dead: bool = False,
) -> Sequence:
    return Sequence(
        HEADER,
        Lines(lines, dead=dead),
        SamplingParams(temperature=1.0, seed=seed),
        contrast=PLAIN if guidance != 1 else (),
        guidance=guidance,
        num_particles=particles,
    )


@torch.inference_mode()
def logits_after(model: PoetryModel, tokens: SequenceOf[int]) -> Tensor:
    """Return the logits (V,) of the token after some."""
    logits: Tensor = model(torch.tensor(tokens)[:, None])[0][-1, 0]
    return logits


def test_guidance_strengthens_what_the_wishes_change(poetry_model: PoetryModel) -> None:
    ours = sequence(particles=1, guidance=3.0)
    ours.params = SamplingParams(temperature=0.0)
    Engine(poetry_model, num_slots=4).run([ours])
    tokens = list[int]()
    for position in range(6):
        strength = FIRST_GUIDANCE if position == 0 else 3.0
        wished = logits_after(poetry_model, [*HEADER, *tokens])
        plain = logits_after(poetry_model, [*PLAIN, *tokens])
        guided = plain + strength * (wished - plain)
        if position % 3 == 2:
            guided[[token for token in range(V) if token not in (7, 8)]] = -torch.inf
        tokens.append(int(guided.argmax()))
        assert ours.log_probabilities[position] == pytest.approx(
            float(wished.log_softmax(-1)[tokens[-1]]), abs=1e-4
        )
    assert ours.tokens == tokens


def test_particles_draw_from_the_model_given_the_verse(poetry_model: PoetryModel) -> None:
    """First tokens come as often as in all lines that end as they must, by their probability."""
    exact = dict.fromkeys(range(V), 0.0)
    for first, second in itertools.product(range(V), repeat=2):
        text, log_probability = [first, second, 7], 0.0
        for n, token in enumerate(text):
            logits = logits_after(poetry_model, [*HEADER, *text[:n]])
            log_probability += float(logits.log_softmax(-1)[token])
        exact[first] += exp(log_probability)
    total, rounds = sum(exact.values()), 1500

    def distance(particles: int) -> float:
        """Return the total variation between what is drawn and what is exact."""
        drawn = [
            Sequence(
                HEADER,
                Lines(1, ends=[7]),
                SamplingParams(temperature=1.0, seed=seed),
                num_particles=particles,
            )
            for seed in range(rounds)
        ]
        Engine(poetry_model, num_slots=64).run(drawn)
        found = Counter(each.tokens[0] for each in drawn)
        return sum(abs(found[n] / rounds - share / total) for n, share in exact.items()) / 2

    assert distance(1) > 0.15
    assert distance(32) < 0.06


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_what_is_written_has_the_probabilities_that_the_model_gives_it(
    poetry_model: PoetryModel, guidance: float
) -> None:
    """A particle that becomes another has its state, too: else the next line would be of nobody."""
    drawn = [sequence(seed, particles=4, guidance=guidance, lines=4) for seed in range(12)]
    Engine(poetry_model, num_slots=32).run(drawn)
    for each in drawn:
        for position, token in enumerate(each.tokens):
            logits = logits_after(poetry_model, [*HEADER, *each.tokens[:position]])
            assert each.log_probabilities[position] == pytest.approx(
                float(logits.log_softmax(-1)[token]), abs=1e-3
            )


def test_a_particle_that_becomes_another_draws_what_that_may(
    poetry_model: PoetryModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Echo(Lines):
        """The last token of a line is its first one."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self._written = list[int]()

        def copy(self) -> Self:
            twin = super().copy()
            twin._written = [*self._written]
            return twin

        def allowed(self) -> Tensor | None:
            mask = torch.ones(V, dtype=torch.bool)
            if self.at_break:
                mask = torch.zeros(V, dtype=torch.bool)
                mask[self._written[-2]] = True
            return mask

        def advance(self, token: int) -> None:
            super().advance(token)
            self._written.append(token)

    monkeypatch.setattr(Particle, "fail", lambda _self, error: pytest.fail(str(error)))
    params = [SamplingParams(temperature=1.0, seed=seed) for seed in range(20)]
    drawn = [Sequence(HEADER, Echo(4), each, num_particles=6) for each in params]
    Engine(poetry_model, num_slots=64).run(drawn)
    for each in drawn:
        assert each.tokens[0::3] == each.tokens[2::3]


def test_weights_begin_anew_after_each_resampling() -> None:
    ours = sequence(particles=3)
    particles = Particles(ours)
    particles.place_rows({})
    for token in (2, 3):
        for number, each in enumerate(particles.members):
            each.log_weight -= 40 * number
            each.take(token, -1.0, -1.0)
    assert all(each.at_break for each in particles.members)
    moved = dict[int, int]()
    sources = particles.resample(
        particles.members, lambda source, target: moved.update({target: source})
    )
    first, second, third = particles.members
    assert sources == [(second, first), (third, first)]
    assert len(moved) == 1  # no slots have been given: all are the same
    assert [each.log_weight for each in particles.members] == [0.0] * 3
    assert particles.share(particles.members)
    assert ours.tokens == [2, 3]


def test_a_rhyme_is_drawn_colder_and_weighed_as_anything_else(poetry_model: PoetryModel) -> None:
    class Rhymes(Lines):
        @property
        def cue(self) -> Cue:  # type: ignore[override]
            return Cue.RHYME if self.at_break else Cue.FREE

    def share_of_the_likelier(guide: type[Lines]) -> float:
        drawn = [
            Sequence(HEADER, guide(1), SamplingParams(temperature=2.0, seed=seed))
            for seed in range(300)
        ]
        Engine(poetry_model, num_slots=64).run(drawn)
        likelier = 0
        for each in drawn:
            logits = logits_after(poetry_model, [*HEADER, *each.tokens[:2]])
            likelier += each.tokens[2] == (7 if logits[7] > logits[8] else 8)
        return likelier / 300

    assert share_of_the_likelier(Rhymes) > share_of_the_likelier(Lines) + 0.03
    first = Particles(Sequence(HEADER, Rhymes(), SamplingParams(temperature=0.8))).members[0]
    assert (first.temperature, first.draws_colder) == (0.8, False)
    for token in (2, 3):
        first.take(token, 0.0, 0.0)
    assert first.temperature == pytest.approx(0.8 * RHYME_WARMTH)
    assert first.draws_colder


def test_the_first_token_is_guided_less() -> None:
    assert [sequence(guidance=3.0).guidance_at(position) for position in range(3)] == [2, 3, 3]
    assert sequence(guidance=1.5).guidance_at(0) == 1.5


def test_a_sequence_of_particles_is_the_same_alone_and_in_random_traffic(
    poetry_model: PoetryModel,
) -> None:
    rng = random.Random(5)
    kinds = [(1, 1.0), (1, 4.0), (4, 1.0), (3, 2.5)]
    chosen = [(seed, *rng.choice(kinds)) for seed in range(60)]
    alone = list[Sequence]()
    for seed, particles, guidance in chosen:
        alone += Engine(poetry_model, num_slots=8).run([sequence(seed, particles, guidance)])
    engine, together = Engine(poetry_model, num_slots=24), [sequence(*each) for each in chosen]
    waiting = [*together]
    while not all(each.finished for each in together):
        for _ in range(rng.randrange(4)):
            if waiting:
                engine.add(waiting.pop())
        engine.step()
    assert [each.tokens for each in together] == [each.tokens for each in alone]
    assert [each.log_probabilities for each in together] == [e.log_probabilities for e in alone]
    assert engine.slots_taken == 0


def test_what_is_reported_only_grows_and_ends_as_the_poem(poetry_model: PoetryModel) -> None:
    for seed in range(20):
        ours, engine, reported = sequence(seed), Engine(poetry_model, num_slots=8), list[int]()
        engine.add(ours)
        while not ours.finished:
            changed = engine.step()
            assert ours.tokens[: len(reported)] == reported
            assert (ours.tokens != reported or ours.finished) == (ours in changed)
            reported = [*ours.tokens]
        assert len(reported) == len(ours.log_probabilities) == 6


def test_a_cancelled_sequence_frees_all_its_slots(poetry_model: PoetryModel) -> None:
    engine = Engine(poetry_model, num_slots=32)
    ours, other = sequence(1, 4, 3.0), sequence(2, 2)
    engine.add(ours)
    engine.add(other)
    for _ in range(5):
        engine.step()
    assert engine.slots_taken == 10
    engine.cancel(ours)
    assert engine.slots_taken == 2
    engine.run([])
    while not other.finished:
        engine.step()
    assert other.tokens == Engine(poetry_model).run([sequence(2, 2)])[0].tokens


def test_what_judges_a_sequence_decides_which_particle_is_printed(
    poetry_model: PoetryModel,
) -> None:
    def begin(seed: int, likes: int) -> Sequence:
        made = sequence(seed, 6, 2.0, lines=1)
        made.judge = lambda tokens, _log_probabilities, _plain: 100.0 * (tokens[-1] == likes)
        return made

    for likes in (7, 8):
        drawn = [begin(seed, likes) for seed in range(30)]
        Engine(poetry_model, num_slots=48).run(drawn)
        assert sum(each.tokens[-1] == likes for each in drawn) > 25


def test_a_judge_hears_log_probabilities_with_the_wishes_and_without(
    poetry_model: PoetryModel,
) -> None:
    heard = list[tuple[list[int], list[float], list[float]]]()

    def judge(
        tokens: SequenceOf[int], wished: SequenceOf[float], plain: SequenceOf[float]
    ) -> float:
        heard.append(([*tokens], [*wished], [*plain]))
        return 0.0

    for guidance in (1.0, 3.0):
        ours = sequence(1, 3, guidance)
        ours.judge = judge
        Engine(poetry_model, num_slots=8).run([ours])
    assert len(heard) == 6
    for tokens, wished, plain in heard[3:]:
        for header, found in ((HEADER, wished), (PLAIN, plain)):
            for position, token in enumerate(tokens):
                logits = logits_after(poetry_model, [*header, *tokens[:position]])
                expected = float(logits.log_softmax(-1)[token])
                assert found[position] == pytest.approx(expected, abs=1e-3)
    assert all(wished == plain for _, wished, plain in heard[:3])


def test_a_sequence_fails_when_all_its_particles_have(poetry_model: PoetryModel) -> None:
    ours = sequence(dead=True)
    engine = Engine(poetry_model, num_slots=8)
    engine.run([ours])
    assert ours.error is not None
    assert ours.error.line == 2
    assert engine.slots_taken == 0


def test_a_sequence_waits_until_it_has_all_its_slots(poetry_model: PoetryModel) -> None:
    engine = Engine(poetry_model, num_slots=5)
    first, second = sequence(1, 3), sequence(2, 3)
    engine.add(first)
    engine.add(second)
    engine.step()
    assert engine.running == [first]
    while not first.finished:
        engine.step()
    engine.step()
    assert engine.running == [second]


def test_more_slots_than_there_are_are_refused(poetry_model: PoetryModel) -> None:
    with pytest.raises(ValueError, match="takes 8 slots, and there are 4"):
        Engine(poetry_model, num_slots=4).add(sequence(particles=4, guidance=2.0))


def test_particles_need_a_guide_that_can_be_copied() -> None:
    params = SamplingParams()
    with pytest.raises(TypeError, match="Unguided cannot be copied"):
        Sequence(HEADER, Unguided(5), params, num_particles=2)
    with pytest.raises(ValueError, match="num_particles must be at least 1, got 0"):
        Sequence(HEADER, Unguided(5), params, num_particles=0)
