"""Where a process computes when no device is named."""

import pytest

from model.device import default_device


@pytest.mark.parametrize(("has_card", "kind"), [(True, "cuda"), (False, "cpu")])
def test_the_graphics_card_is_the_default_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, has_card: bool, kind: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: has_card)
    assert default_device().type == kind
