"""docker-compose.yml: every container is walled in, and agrees with the service and its proxy."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.engine_thread import LAST_STEP_S
from app.server import LAST_ANSWERS_S
from app.settings import Settings

ROOT = Path(__file__).parents[1]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
WRITERS = ("yin", "replica", "gpu")


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SERVICES[request.param]


def test_only_the_plain_service_comes_without_a_profile() -> None:
    profiles = {name: service.get("profiles") for name, service in SERVICES.items()}
    assert profiles == {
        "yin": None,
        "replica": ["scale"],
        "balancer": ["scale"],
        "prometheus": ["observe"],
        "grafana": ["observe"],
        "gpu": ["gpu"],
        "train": ["train"],
    }


def test_every_container_is_walled_in(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert all(":size=" in each for each in service["tmpfs"])
    assert service["memswap_limit"] == service["mem_limit"]
    assert service["pids_limit"] <= 256
    assert service["cpus"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert not any("docker.sock" in each for each in service.get("volumes", ()))


def test_nobody_is_root(service: dict[str, Any]) -> None:
    if "build" in service:
        stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")
        (stage,) = (
            each for each in stages if each.split("\n")[0].endswith(f"AS {target(service)}")
        )
        assert "\nUSER 10001:10001\n" in stage
    else:
        assert not re.match(r"0|root", service["user"])


def target(service: dict[str, Any]) -> str:
    name: str = service["build"]["target"]
    return name


def test_images_of_others_are_named_by_version() -> None:
    others = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert len(others) == 3
    assert all(re.fullmatch(r"[a-z/]+:v?\d+\.\d+[\w.-]*", image) for image in others)


@pytest.mark.parametrize("drain", [None, "2", "90"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_gets_the_time_that_its_poems_need(name: str, drain: str | None) -> None:
    assert "YIN_DRAIN_S" in SERVICES[name]["environment"]
    drain_s = Settings().drain_s if drain is None else float(drain)
    grace_s = duration_s(SERVICES[name]["stop_grace_period"], drain)
    assert grace_s > drain_s + LAST_ANSWERS_S + LAST_STEP_S


def duration_s(text: str, drain: str | None) -> float:
    """A duration with the setting in it, as both versions of docker-compose read it."""
    text = re.sub(r"\$\{YIN_DRAIN_S:-(\d+)\}", lambda found: drain or found[1], text)
    # A fraction, 80.0, would be more than an engine takes of docker-compose 1.29.
    minutes, seconds = re.fullmatch(r"(\d+)m(\d+)s", text).groups()  # type: ignore[union-attr]
    return 60.0 * int(minutes) + int(seconds)


def test_a_replica_that_is_replaced_gets_that_time_too() -> None:
    assert 'docker stop "$id"' in (ROOT / "deploy/roll").read_text()


@pytest.mark.parametrize("name", WRITERS)
def test_a_container_is_told_only_of_settings_that_there_are(name: str) -> None:
    settings = {f"YIN_{field.upper()}" for field in Settings.model_fields}
    assert SERVICES[name]["environment"].keys() <= settings


def test_only_the_balancer_reaches_a_replica_which_therefore_believes_it() -> None:
    replica = SERVICES["replica"]
    assert replica["environment"]["YIN_TRUSTED_PROXIES"] == "*"
    assert replica["networks"] == ["inside"]
    assert "ports" not in replica
    believed = [name for name in WRITERS if SERVICES[name]["environment"]["YIN_TRUSTED_PROXIES"]]
    assert believed == ["replica"]


def test_what_is_for_the_operator_alone_is_published_to_this_machine_alone() -> None:
    for name in ("prometheus", "grafana"):
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_what_is_mounted_is_there(service: dict[str, Any]) -> None:
    mounted = [each.split(":") for each in service.get("volumes", ()) if each.startswith(".")]
    for source, _, mode in mounted:
        assert (ROOT / source).exists()
        assert mode == "ro"


def seconds(name: str) -> float:
    """A time of the proxy's configuration."""
    text = (ROOT / "deploy/nginx/nginx.conf").read_text()
    (found,) = re.findall(rf"^\s*{name} (\d+)s;", text, re.MULTILINE)
    return float(found)


def test_what_has_had_no_answer_is_asked_of_the_next_replica() -> None:
    text = (ROOT / "deploy/nginx/nginx.conf").read_text()
    # Once, for every location: another one inside of one would take its place.
    (conditions,) = re.findall(r"^ {8}proxy_next_upstream (.*);", text, re.MULTILINE)
    assert {"error", "timeout", "http_503", "non_idempotent"} <= set(conditions.split())
    assert "proxy_next_upstream_tries" not in text  # all that there are
    assert "proxy_request_buffering off" not in text  # what is sent on as it comes is sent once
    (replicas,) = re.findall(r"server replica:8000 (.*);", text)
    assert replicas == "max_fails=0"


def test_the_proxy_waits_longer_than_a_poem_may_take() -> None:
    assert seconds("proxy_read_timeout") > Settings().deadline_s
    assert seconds("worker_shutdown_timeout") > Settings().deadline_s
    assert seconds("proxy_connect_timeout") <= 1
