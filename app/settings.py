"""Settings: all that a deployment may change, from the environment (prefix YIN_)."""

import re
from functools import cached_property
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from limits import parse
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

import model
from app.keys import read_keys
from app.quota import available_cpus

BUNDLED = Path(model.__file__).parent


class InvalidSetting(ValueError):
    """A setting that this machine cannot meet.

    Args:
        setting: Its name in Settings.
        message: What would be right.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting, self.message = setting, message


def require_mcp() -> None:
    """See that the extra mcp is installed.

    Raises:
        InvalidSetting: If it is not.
    """
    if find_spec("mcp") is None:
        raise InvalidSetting(
            "mcp",
            "tools for language models need the package mcp: "
            "pip install -c constraints.txt '.[mcp]'",
        )


class Settings(BaseSettings):
    """A deployment's choices; each has a default that works."""

    model_config = SettingsConfigDict(env_prefix="YIN_", extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    checkpoint: Path = Field(BUNDLED / "poetry.safetensors", description="The model to serve.")
    lines: Path = Field(BUNDLED / "poet" / "lines.bin", description="The filter of corpus lines.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    dtype: Literal["auto", "int8", "bfloat16", "float32"] = Field(
        "auto", description="Number format."
    )
    num_slots: int = Field(
        256,
        ge=1,
        le=512,
        description="Rows that are written at the same time; a poem takes one for each candidate, "
        "twice that where its wishes guide it.",
    )
    threads: int = Field(
        0, ge=0, le=256, description="CPU threads; 0 for as many as the container may use."
    )
    max_queue_steps: int = Field(
        64,
        gt=0,
        description="Longest wait for a slot, in steps; a quatrain takes 40. A request that would "
        "wait longer is refused with 503. More allows larger bursts and longer waits.",
    )
    candidates: int = Field(
        4, ge=1, le=64, description="Ways in which each poem is written, unless a request says."
    )
    deadline_s: float = Field(30.0, gt=0, le=3600, description="Longest time that a poem may take.")
    drain_s: float = Field(
        20.0, ge=0, le=3600, description="Time that poems in flight have at shutdown."
    )
    max_body_bytes: int = Field(16_384, gt=0, le=2**20, description="Largest request body.")
    api_keys: Path | None = Field(None, description="File with one accepted key per line.")
    root_path: str = Field(
        "",
        description="The path under which a proxy, which strips it, publishes this service, such "
        "as /yin: openapi.json names it as the server.",
    )
    cors_origins: str = Field(
        "",
        description="Origins, separated by commas, whose pages may call this service from a "
        "browser, such as https://example.org; * for all, none if empty.",
    )
    max_held: int = Field(
        0,
        ge=0,
        description="Work in flight that one caller (a key, else an address) may have, in "
        "slot-steps, as X-Yin-Cost counts them; a quatrain takes 40. 0 for no limit.",
    )
    rate_limit: str = Field(
        "",
        description="Requests that one caller may make, such as 60/minute; what costs more than a "
        "quatrain counts as several. No limit if empty.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses and networks, separated by commas, whose X-Forwarded-For is "
        "believed; * for all, if only a proxy can reach this port.",
    )
    max_connections: int = Field(
        1000,
        ge=1,
        description="Connections that may be open; a further one is answered with 503 and closed. "
        "Never more than the descriptors that this process may open.",
    )
    keep_alive_s: int = Field(
        75,
        ge=1,
        description="Time that a connection may wait for its next request; longer than that of a "
        "load balancer in front.",
    )
    mcp: bool = Field(
        False,
        description="Whether language models get tools at /mcp, by the Model Context Protocol, "
        "behind the same keys and limits; needs the extra mcp.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("host")
    @classmethod
    def _names_an_address(cls, host: str) -> str:
        if not host.strip():
            raise ValueError("must be an address: 127.0.0.1 for this machine, 0.0.0.0 for all")
        return host.strip()

    @field_validator("port", mode="before")
    @classmethod
    def _is_no_address(cls, port: object) -> object:
        if isinstance(port, str) and "://" in port:
            raise ValueError(
                f"is {port}, which a container platform sets for a service named yin; set it to a "
                "number, or enableServiceLinks to false"
            )
        return port

    @field_validator("cors_origins")
    @classmethod
    def _names_origins(cls, origins: str) -> str:
        for origin in filter(None, map(str.strip, origins.split(","))):
            if not re.fullmatch(r"\*|https?://[^/\s*?#@]+", origin):
                raise ValueError(f"must be such as https://example.org, or *, not {origin!r}")
        return origins

    @field_validator("root_path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        if path and not re.fullmatch(r"(/[\w.~-]+)+", path, re.ASCII):
            raise ValueError(f"must be such as /yin, without a slash at its end, not {path!r}")
        return path

    @field_validator("device")
    @classmethod
    def _names_a_device(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|(cuda|mps|xpu)(:\d+)?", device):
            raise ValueError(f"must be auto, cpu, cuda or cuda:N, not {device!r}")
        return device

    @field_validator("trusted_proxies")
    @classmethod
    def _names_networks(cls, proxies: str) -> str:
        for each in filter(None, map(str.strip, proxies.split(","))):
            if each != "*":
                ip_network(each, strict=False)  # its message names what it is not
        return proxies

    @field_validator("lines")
    @classmethod
    def _is_there(cls, lines: Path) -> Path:
        if not lines.is_file():  # without it, copies of the corpus would pass for new lines
            raise ValueError(f"there is no file at {lines}")
        return lines

    @field_validator("mcp")
    @classmethod
    def _is_installed(cls, wanted: bool) -> bool:
        if wanted:
            require_mcp()
        return wanted

    @field_validator("rate_limit")
    @classmethod
    def _is_a_rate(cls, limit: str) -> str:
        try:
            if limit and parse(limit).amount < 1:
                raise ValueError
        except ValueError as error:
            raise ValueError(f"must be such as 60/minute or 1000/hour, not {limit!r}") from error
        return limit

    @field_validator("api_keys", mode="before")
    @classmethod
    def _holds_keys(cls, path: Any) -> Any:
        if path is not None:
            read_keys(path)
        return path

    @cached_property
    def num_threads(self) -> int:
        """CPU threads to use."""
        return self.threads or available_cpus()
