import pytest
import torch

from model.engine import Engine
from model.poetry_model import PoetryConfig, PoetryModel
from model.precision import Precision
from model.sampling import SamplingParams
from model.sequence import Prompt, Sequence
from tests.test_engine import HEADER, Countdown, V


@pytest.fixture(scope="module", params=Precision)
def engine(request: pytest.FixtureRequest) -> Engine:
    torch.manual_seed(1)
    poetry = PoetryModel(PoetryConfig(V, embedding_size=16, hidden_size=32, num_layers=2))
    torch.nn.init.normal_(poetry.place_embedding.weight[1:])
    precision = Precision(request.param)
    return Engine(poetry.to(precision.dtype).eval(), 16, precision)


GREEDY = SamplingParams(temperature=0.0)


def whole(length: int = 10, contrast: list[int] | None = None) -> Sequence:
    return Sequence(HEADER, Countdown(length, [0, 3]), GREEDY, contrast or [], 2.0)


@pytest.mark.parametrize("contrast", [[], [1, 5]])
@pytest.mark.parametrize("written", [1, 4, 9])
def test_what_is_written_already_is_read_as_if_it_had_been_drawn(
    engine: Engine, written: int, contrast: list[int]
) -> None:
    drawn = whole(contrast=contrast)
    engine.run([drawn])
    cues = [Countdown(10 - n).cue for n in range(written)]
    body = [*zip(drawn.tokens, map(int, cues), strict=False)]
    rest = Sequence(HEADER, Countdown(10 - written, [0, 3]), GREEDY, contrast, 2.0, body=body)
    twin = Sequence(HEADER, Countdown(10 - written, [0, 3]), GREEDY, contrast, 2.0, body=body)
    engine.run([rest])
    engine.run([twin])  # whose prompt is known
    assert rest.tokens == twin.tokens == drawn.tokens[written:]
    assert rest.log_probabilities == drawn.log_probabilities[written:] == twin.log_probabilities


def test_the_cues_of_what_is_written_are_heard(engine: Engine) -> None:
    def after(cue: int) -> list[float]:
        sequence = Sequence(HEADER, Countdown(3, [0, 3]), GREEDY, body=[(7, 1), (8, cue)])
        engine.run([sequence])
        return sequence.log_probabilities

    assert after(1) != after(2)
    assert after(2) == after(2)


def test_a_prompt_is_read_with_the_cue_of_each_next_token() -> None:
    assert Prompt.of([1, 4, 5], [(7, 2), (8, 3)]) == (((1, 0), (4, 0), (5, 2), (7, 3)), 8)
    assert Prompt.of([1, 4, 5], []).prefix == ((1, 0), (4, 0))


def test_the_likeliest_first_tokens_are_kept_among_what_is_allowed(engine: Engine) -> None:
    ranked, plain = whole(2), whole(2)
    ranked.num_ranked = 5
    engine.run([ranked, plain])
    assert len(ranked.ranked) == 5
    assert not plain.ranked
    assert ranked.ranked[0] == (ranked.tokens[0], ranked.log_probabilities[0])
    costs = [cost for _, cost in ranked.ranked]
    assert costs == sorted(costs, reverse=True)
    assert not {0, 3} & {token for token, _ in ranked.ranked}
    few = Sequence(HEADER, Countdown(1, range(2, V)), GREEDY, num_ranked=5)
    engine.run([few])
    assert {token for token, _ in few.ranked} == {0, 1}
