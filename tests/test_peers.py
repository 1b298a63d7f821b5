"""The peers behind other servers run the model that the service runs."""

import pytest
import torch

from benchmarks.eager import Eager
from model.checkpoint import Checkpoint
from model.poetry_model import PoetryConfig, PoetryModel
from model.vocabulary import Vocabulary


@pytest.mark.parametrize("skip_connections", [False, True])
def test_the_peer_s_logits_are_the_model_s(skip_connections: bool) -> None:
    vocabulary = Vocabulary(["日", "月"], [])
    config = PoetryConfig(len(vocabulary), 8, 16, 2, skip_connections=skip_connections)
    torch.manual_seed(0)
    model = PoetryModel(config).eval()
    torch.nn.init.normal_(model.output_bias)
    eager = Eager.of(Checkpoint("tiny", config, vocabulary, model.state_dict(), {}))
    tokens = torch.randint(len(vocabulary), (5, 3))
    with torch.inference_mode():
        logits, state = eager(tokens)
        torch.testing.assert_close(logits, model(tokens)[0][-1])
        following, _ = eager(tokens[:1], state)
        twice = torch.cat((tokens, tokens[:1]))
        torch.testing.assert_close(following, model(twice)[0][-1])
