"""The device that a deployment computes on."""

import torch

from app.settings import InvalidSetting
from model.device import default_device


def choose_device(name: str) -> str:
    """Return the device that a setting names, or the best there is for auto.

    Raises:
        InvalidSetting: If this machine, or this build of PyTorch, has no such device.
    """
    if name == "auto":
        return default_device().type
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        message = f"there is no {name} here; auto takes what there is"
        raise InvalidSetting("device", message) from error
    return name
