import pytest
import torch

from app.device import choose_device
from app.settings import InvalidSetting


def test_auto_takes_what_there_is_and_a_named_device_is_taken() -> None:
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "mps", "toaster"])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"device: there is no {name} here; auto takes"):
        choose_device(name)
