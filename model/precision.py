"""The number format to compute in: bfloat16 where the device multiplies it in hardware."""

import torch


def compute_dtype(device: torch.device | str = "cpu") -> torch.dtype:
    """Return bfloat16 if device multiplies it (AMX, AVX512-BF16, CUDA), else float32."""
    if torch.device(device).type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    has_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if has_bf16 else torch.float32
