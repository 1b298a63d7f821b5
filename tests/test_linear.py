import pytest
import torch
from torch.nn import functional as F

from model.linear import pack, pack_sum


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_packed_weight_multiplies_as_it_did(dtype: torch.dtype, with_bias: bool) -> None:
    torch.manual_seed(0)
    weight, bias, x = torch.randn(40, 24), torch.randn(40), torch.randn(8, 24)
    expected = F.linear(x, weight, bias if with_bias else None)
    product = pack(weight.to(dtype), bias.to(dtype) if with_bias else None, 8)(x.to(dtype))
    assert product.dtype is dtype
    tolerance = 0.2 if dtype is torch.bfloat16 else 1e-5
    torch.testing.assert_close(product.float(), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_packed_weight_adds_its_product_to_what_is_there(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    weight, x, z = (torch.randn(shape) for shape in ((40, 24), (8, 24), (8, 40)))
    expected = x @ weight.T + z
    total = pack_sum(weight.to(dtype), 8)(x.to(dtype), z.to(dtype))
    assert total.dtype is dtype
    tolerance = 0.2 if dtype is torch.bfloat16 else 1e-5
    torch.testing.assert_close(total.float(), expected, atol=tolerance, rtol=0)
