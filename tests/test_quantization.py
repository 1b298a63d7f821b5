import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.quantization import LIMIT, OPERATORS, missing_operators, pack_int8


def by_hand(x: Tensor, weight: Tensor, bias: Tensor | None) -> NDArray[np.float64]:
    """Return the product of integers that the module's docstring describes."""
    scales = np.abs(weight.numpy()).max(1).astype(np.float64) / 127
    scales[scales == 0] = 1
    rows = np.rint(weight.numpy().astype(np.float64) / scales[:, None])
    inputs = np.rint(x.numpy().astype(np.float64) * 126)
    assert np.abs(inputs).max() <= 63
    product = inputs @ rows.T * scales / 126
    return np.asarray(product if bias is None else product + bias.numpy())


@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 8, 8), (3, 40, 7), (33, 1536, 100)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_product_is_that_of_the_rounded_integers(
    rows: int, inputs: int, outputs: int, with_bias: bool
) -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(outputs, inputs), torch.rand(rows, inputs) - 0.5
    bias = torch.randn(outputs) if with_bias else None
    found = pack_int8(weight, bias)(x)
    assert found.dtype is torch.float32
    # A weight or an input that lies between two integers may go to either.
    np.testing.assert_allclose(found.numpy(), by_hand(x, weight, bias), atol=0.05, rtol=0)
    assert np.median(np.abs(found.numpy() - by_hand(x, weight, bias))) < 1e-4


def test_the_largest_sums_do_not_overflow() -> None:
    # Two neighbours' products are added in 16 bits where there is no VNNI.
    weight, x = torch.ones(8, 4096), torch.full((2, 4096), LIMIT)
    x[1] *= -1
    torch.testing.assert_close(
        pack_int8(weight, None)(x), torch.tensor([[2048.0], [-2048.0]]).expand(2, 8)
    )


def test_a_row_of_zeros_gives_zero() -> None:
    weight = torch.randn(4, 8)
    weight[2] = 0
    assert (pack_int8(weight, None)(torch.rand(3, 8) - 0.5)[:, 2] == 0).all()


@torch.inference_mode()
def test_a_row_is_the_same_bits_among_any_number_of_others() -> None:
    torch.manual_seed(0)
    for inputs, outputs in ((1152, 3072), (384, 7397), (100, 33)):
        multiply = pack_int8(torch.randn(outputs, inputs), torch.randn(outputs))
        x = torch.rand(70, inputs) - 0.5
        expected = multiply(x)
        for rows in (*range(1, 40), 64, 69):
            assert torch.equal(multiply(x[-rows:]), expected[-rows:])


def test_this_torch_has_the_operators() -> None:
    names = dir(torch.ops.quantized), OPERATORS
    missing = [name for name in OPERATORS if not hasattr(torch.ops.quantized, name)]
    assert not missing, f"PyTorch {torch.__version__} has no quantized {missing}: {names}"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.quantization.OPERATORS", ("linear_prepack", "linear_of_tomorrow"))
    assert missing_operators() == ["linear_of_tomorrow"]
    with pytest.raises(RuntimeError, match="int8 needs linear_of_tomorrow"):
        pack_int8(torch.ones(4, 4), None)
