"""Settings: all that a deployment may change, from the environment (prefix YIN_)."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

import model
from app.quota import available_cpus

BUNDLED = Path(model.__file__).parent


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
        128, ge=1, le=512, description="Poems that are written at the same time."
    )
    threads: int = Field(
        0, ge=0, description="CPU threads; 0 for as many as the container may use."
    )
    max_queue_steps: int = Field(
        16,
        gt=0,
        description="Longest wait for a slot, in steps; a quatrain takes 40. A request that would "
        "wait longer is refused with 503. More allows larger bursts and longer waits.",
    )
    candidates: int = Field(
        4, ge=1, le=64, description="Ways in which each poem is written, unless a request says."
    )
    deadline_s: float = Field(30.0, gt=0, description="Longest time that a poem may take.")
    drain_s: float = Field(20.0, ge=0, description="Time that poems in flight have at shutdown.")
    max_body_bytes: int = Field(16_384, gt=0, description="Largest request body.")
    api_keys: Path | None = Field(None, description="File with one accepted key per line.")
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
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @cached_property
    def num_threads(self) -> int:
        """CPU threads to use."""
        return self.threads or available_cpus()
