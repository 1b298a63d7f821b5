from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings


def test_every_setting_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YIN_PORT", raising=False)
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.checkpoint.name == "poetry.safetensors"
    assert settings.num_threads >= 1


def test_the_environment_changes_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIN_PORT", "9000")
    monkeypatch.setenv("YIN_CHECKPOINT", "/models/other.safetensors")
    monkeypatch.setenv("YIN_THREADS", "3")
    settings = Settings()
    assert settings.port == 9000
    assert settings.checkpoint == Path("/models/other.safetensors")
    assert settings.num_threads == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("YIN_PORT", "high"), ("YIN_NUM_SLOTS", "0"), ("YIN_DTYPE", "int3"), ("YIN_DEADLINE_S", "-1")],
)
def test_a_setting_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("YIN_").lower()):
        Settings()
