"""Matrix products in int8: float32 in, float32 out, and integers between.

Shapes
    B  rows   K  inputs   N  outputs

    x W^T + b  ~  s (q(x) - 64) Q^T + b,    Q = round(W / s_w) by row,   q(x) = round(126 x) + 64

A row of W has the scale that its largest weight asks for. x must be known to lie within 1/2, so its
scale is the same for every row and every call: a row of the product does not depend on the others,
and sums of integers have no order, so it does not depend on how many there are either.

q(x) has seven bits. Processors without VNNI add products in pairs of 16 bits: 127 * 127 * 2 fits,
eight bits would not. VNNI has room for eight, but then the two kinds would write different poems.

Source: Jacob et al. (2018); the products are FBGEMM's, Khudia et al. (2021).
"""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

LIMIT = 0.5  # of the absolute value of an input
LEVELS = 63  # of seven bits, on either side of zero
WEIGHT_LEVELS = 127
TINY = 1e-12  # what takes the place of a scale of zero
OPERATORS = ("linear_prepack", "linear_with_input_q_dq_qweight_dq_output_fp32")


def missing_operators() -> list[str]:
    """Return what this machine and its PyTorch lack for products in int8; nothing if they work."""
    missing = [name for name in OPERATORS if not hasattr(torch.ops.quantized, name)]
    engines = torch.backends.quantized.supported_engines
    return missing if "fbgemm" in engines else [*missing, "FBGEMM (x86 with AVX2)"]


def pack_int8(weight: Tensor, bias: Tensor | None) -> Callable[[Tensor], Tensor]:
    """Return x -> x weight^T + bias for x (B, K) within LIMIT, with rows that are independent.

    Args:
        weight: (N, K), float32.
        bias: (N,), or None.

    Raises:
        RuntimeError: If products in int8 are not to be had here.
    """
    if missing := missing_operators():
        raise RuntimeError(f"int8 needs {', '.join(missing)}, which PyTorch has not here")
    scales = weight.abs().amax(1).clamp_(min=TINY) / WEIGHT_LEVELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that quantized tensors are to go
        quantized = torch.quantize_per_channel(
            weight, scales, torch.zeros(len(weight), dtype=torch.long), 0, torch.qint8
        )
    packed = torch.ops.quantized.linear_prepack(quantized, bias)
    multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default
    scale, zero_point = LIMIT / LEVELS, LEVELS + 1
    return lambda x: multiply(x, scale, zero_point, packed)
