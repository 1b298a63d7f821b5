import os
import re
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
    [
        ("YIN_PORT", "high"),
        ("YIN_PORT", "tcp://10.0.0.1:80"),
        ("YIN_HOST", ""),
        ("YIN_NUM_SLOTS", "0"),
        ("YIN_DTYPE", "int3"),
        ("YIN_DEVICE", "gpu"),
        ("YIN_DEADLINE_S", "-1"),
        ("YIN_RATE_LIMIT", "10/min"),
        ("YIN_RATE_LIMIT", "=60"),
        ("YIN_RATE_LIMIT", "abc"),
        ("YIN_RATE_LIMIT", "0/minute"),
        ("YIN_API_KEYS", ""),
        ("YIN_API_KEYS", "/nowhere"),
        ("YIN_API_KEYS", "/tmp"),
        ("YIN_TRUSTED_PROXIES", "10.0.0.0/8, balancer"),
        ("YIN_KEEP_ALIVE_S", "0"),
        ("YIN_LINES", "/nowhere.bin"),
        ("YIN_CORS_ORIGINS", "example.org"),
        ("YIN_CORS_ORIGINS", "https://example.org/, *"),
        ("YIN_ROOT_PATH", "yin"),
        ("YIN_ROOT_PATH", "/yin/"),
        ("YIN_ROOT_PATH", "https://poems.example/yin"),
        ("YIN_CORS_ORIGINS", "https://example.org/page"),
        ("YIN_DEADLINE_S", "inf"),
        ("YIN_DEADLINE_S", "nan"),
        ("YIN_DRAIN_S", "inf"),
        ("YIN_THREADS", "100000"),
        ("YIN_MAX_BODY_BYTES", "2000000"),
        ("YIN_MAX_CONNECTIONS", "0"),
        ("YIN_MAX_HELD", "-1"),
        ("YIN_CANDIDATES", "65"),
        ("YIN_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("YIN_").lower()):
        Settings()


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe"])
def test_a_key_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(ValidationError, match=r"holds no key|cannot be read"):
        Settings(api_keys=tmp_path / "keys")


def test_a_key_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "keys")
    with pytest.raises(ValidationError, match="it is not a file"):
        Settings(api_keys=tmp_path / "keys")


def shown(value: object) -> str:
    """A setting's value as a person writes it."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def test_the_documents_list_every_setting_with_its_default() -> None:
    text = (Path(__file__).parents[1] / "docs/deployment.md").read_text()
    section = text.partition("## Settings\n")[2].partition("\n## ")[0]
    listed = dict(re.findall(r"^\| `YIN_(\w+)` \| ([^|]*) \|", section, re.MULTILINE))
    assert {name.lower() for name in listed} == set(Settings.model_fields)
    for name, default in listed.items():
        value = getattr(Settings(), name.lower())
        assert default.strip("` ") == shown(value) or isinstance(value, Path)


def test_what_can_be_is_taken(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("one\n")
    for fields in (
        {"rate_limit": "60/minute"},
        {"rate_limit": ""},
        {"trusted_proxies": "127.0.0.1, 10.0.0.0/8,fd00::/8"},
        {"trusted_proxies": "*"},
        {"trusted_proxies": ""},
        {"device": "cuda:1"},
        {"host": "::"},
        {"root_path": "/poems/yin"},
        {"cors_origins": "*"},
        {"cors_origins": "https://example.org, http://localhost:3000"},
        {"api_keys": tmp_path / "keys"},
    ):
        assert Settings(**fields)
