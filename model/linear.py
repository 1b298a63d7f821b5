"""Matrix products with a weight that is laid out once for the processor at hand.

oneDNN reads a weight in blocks; left as it is, it would be rearranged in every call.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Product = Callable[[Tensor], Tensor]
Sum = Callable[[Tensor, Tensor], Tensor]


def pack(weight: Tensor, bias: Tensor | None, rows: int) -> Product:
    """Return x -> x weight^T + bias.

    Args:
        weight: (N, K).
        bias: (N,), or None.
        rows: How many rows x mostly has.
    """
    if not can_pack(weight):
        weight = weight.contiguous()
        return lambda x: F.linear(x, weight, bias)
    blocks = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    linear = torch.ops.mkldnn._linear_pointwise.default
    return lambda x: linear(x, blocks, bias, "none", [], "")


def pack_sum(weight: Tensor, rows: int) -> Sum:
    """Return (x, z) -> x weight^T + z, which may take the place of z.

    Args:
        weight: (N, K).
        rows: How many rows x mostly has.
    """
    if not can_pack(weight):
        return lambda x, z: z.addmm_(x, weight.T)
    blocks = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    linear = torch.ops.mkldnn._linear_pointwise.binary
    return lambda x, z: linear(x, z, blocks, None, "add")


def can_pack(weight: Tensor) -> bool:
    """Return whether oneDNN has this weight's number format here."""
    if weight.device.type != "cpu" or not torch._C._has_mkldnn:
        return False
    if weight.dtype is torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return weight.dtype is torch.float32
