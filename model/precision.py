"""The number format to compute in.

bfloat16 where the device multiplies it in hardware: GPUs, AMX, AVX512-BF16; int8 on every other x86
processor with AVX2; else float32. Whether int8 wins over bfloat16 on AVX512-BF16 was not measured.

The choice depends on what a processor has, not on what it happens to be timed at: the format
decides the poem, and must not change overnight.
"""

from enum import StrEnum

import torch

from model.quantization import missing_operators


class Precision(StrEnum):
    """What the engine's matrix products are computed in."""

    INT8 = "int8"  # weights and inputs; all else in float32
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"

    @property
    def dtype(self) -> torch.dtype:
        """What a model's weights are kept in before the engine packs them."""
        return torch.bfloat16 if self is Precision.BFLOAT16 else torch.float32


def choose_precision(device: torch.device | str = "cpu") -> Precision:
    """Return the fastest format that a device has."""
    if compute_dtype(device) is torch.bfloat16:
        return Precision.BFLOAT16
    on_cpu = torch.device(device).type == "cpu"
    return Precision.INT8 if on_cpu and not missing_operators() else Precision.FLOAT32


def compute_dtype(device: torch.device | str = "cpu") -> torch.dtype:
    """Return bfloat16 if device multiplies it (AMX, AVX512-BF16, CUDA), else float32."""
    if torch.device(device).type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    has_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if has_bf16 else torch.float32
