import dataclasses

import pytest
import torch

from model.poetry_model import PoetryConfig, PoetryModel
from model.verse.cue import Cue

T, B, V = 6, 3, 11


@pytest.fixture(params=[False, True], ids=["top layer", "skip connections"])
def model(request: pytest.FixtureRequest) -> PoetryModel:
    torch.manual_seed(0)
    config = PoetryConfig(V, embedding_size=5, hidden_size=7, skip_connections=request.param)
    return PoetryModel(config).double()


def test_step_by_step_gives_the_same_logits_as_the_whole(model: PoetryModel) -> None:
    tokens = torch.randint(V, (T, B))
    cues = torch.randint(len(Cue), (T, B))
    whole, end = model(tokens, cues=cues)
    state = model.initial_state(B)
    for t in range(T):
        logits, state = model.step(tokens[t], state, cues[t])
        torch.testing.assert_close(logits, whole[t])
    torch.testing.assert_close(state, end)


def test_split_sequence_gives_the_same_logits_as_the_whole(model: PoetryModel) -> None:
    tokens = torch.randint(V, (T, B))
    whole, _ = model(tokens)
    first, middle = model(tokens[:2])
    second, _ = model(tokens[2:], middle)
    torch.testing.assert_close(torch.cat((first, second)), whole)


def test_the_output_layer_is_the_embedding(model: PoetryModel) -> None:
    logits, _ = model(torch.randint(V, (T, B)))
    logits[..., 4].sum().backward()  # asks for token 4 alone, which no input needs to be
    gradient = model.embedding.weight.grad
    assert gradient is not None
    assert gradient[4].abs().sum() > 0
    sizes = [p.numel() for p in model.parameters() if p.shape[0] == V and p.dim() > 1]
    assert sizes == [V * 5]


def test_gradients_reach_every_parameter(model: PoetryModel) -> None:
    logits, _ = model(torch.randint(V, (T, B)), cues=torch.randint(1, len(Cue), (T, B)))
    logits.logsumexp(-1).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_place_that_asks_nothing_changes_nothing(model: PoetryModel) -> None:
    torch.nn.init.normal_(model.place_embedding.weight[1:])
    tokens, free = torch.randint(V, (T, B)), torch.full((T, B), Cue.FREE)
    torch.testing.assert_close(model(tokens)[0], model(tokens, cues=free)[0])
    rhyme = torch.full((T, B), Cue.RHYME)
    assert not torch.allclose(model(tokens)[0], model(tokens, cues=rhyme)[0])


def test_dropout_works_in_training_only() -> None:
    model = PoetryModel(PoetryConfig(V, 5, 7, 2, dropout=0.5))
    tokens = torch.randint(V, (T, B))
    assert not torch.equal(model(tokens)[0], model(tokens)[0])
    model.eval()
    assert torch.equal(model(tokens)[0], model(tokens)[0])


@pytest.mark.parametrize("name", ["vocab_size", "embedding_size", "hidden_size", "num_layers"])
def test_a_size_below_one_is_refused(name: str) -> None:
    config = PoetryConfig(V)
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        dataclasses.replace(config, **{name: 0})  # type: ignore[arg-type]


def test_a_dropout_that_drops_everything_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got 1.0"):
        PoetryConfig(V, dropout=1.0)
