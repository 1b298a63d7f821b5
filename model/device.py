"""Where a process computes when no device is named."""

import torch


def default_device() -> torch.device:
    """Return the graphics card if PyTorch can use one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
