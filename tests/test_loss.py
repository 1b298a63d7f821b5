import pytest
import torch
from torch.nn import functional as F

import training.loss
from training.loss import LinearCrossEntropy


@pytest.fixture
def inputs(monkeypatch: pytest.MonkeyPatch) -> tuple[torch.Tensor, ...]:
    monkeypatch.setattr(training.loss, "CHUNK_ROWS", 3)  # of 8 rows: the last chunk is not full
    torch.manual_seed(0)
    features, weight, bias = (
        torch.randn(*shape, dtype=torch.float64, requires_grad=True)
        for shape in ((8, 4), (11, 4), (11,))
    )
    return features, weight, bias, torch.randint(11, (8,))


def test_gradients_agree_with_finite_differences(inputs: tuple[torch.Tensor, ...]) -> None:
    assert torch.autograd.gradcheck(LinearCrossEntropy.apply, inputs)


def test_loss_and_gradients_agree_with_torch(inputs: tuple[torch.Tensor, ...]) -> None:
    features, weight, bias, targets = inputs
    ours = LinearCrossEntropy.apply(*inputs)  # type: ignore[no-untyped-call]
    theirs = F.cross_entropy(F.linear(features, weight, bias), targets, reduction="sum")
    torch.testing.assert_close(ours, theirs)
    parameters = (features, weight, bias)
    torch.testing.assert_close(
        torch.autograd.grad(3 * ours, parameters), torch.autograd.grad(3 * theirs, parameters)
    )


def test_bfloat16_features_give_a_float32_loss_near_the_exact_one() -> None:
    torch.manual_seed(0)
    features, weight, targets = torch.randn(64, 32), torch.randn(50, 32), torch.randint(50, (64,))
    exact = F.cross_entropy(features @ weight.T, targets, reduction="sum")
    rounded = LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        features.bfloat16(), weight, torch.zeros(50), targets
    )
    assert rounded.dtype is torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0.01, atol=0)
