"""The manifests: valid by Kubernetes's own schemas, and in agreement with the service."""

import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.metrics import Metrics
from app.server import LAST_ANSWERS_S
from app.settings import Settings

FOLDER = Path(__file__).parents[1] / "deploy/kubernetes"
VERSIONS = ("1.30", "1.37")


def load(name: str) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return manifest


RESOURCES = [Path(name).stem for name in load("kustomization")["resources"]]


@pytest.fixture
def pod() -> dict[str, Any]:
    spec: dict[str, Any] = load("deployment")["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", RESOURCES)
def test_every_manifest_is_valid(name: str, version: str) -> None:
    kubernetes_validate.validate(load(name), version, strict=True)


def test_a_wrong_manifest_is_not() -> None:
    manifest = load("deployment")
    manifest["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)


def test_every_manifest_is_applied() -> None:
    assert {*RESOURCES, "kustomization"} == {path.stem for path in FOLDER.glob("*.yaml")}


def test_all_mean_the_same_pods() -> None:
    labels = load("deployment")["spec"]["template"]["metadata"]["labels"]
    assert load("deployment")["spec"]["selector"]["matchLabels"] == labels
    assert load("service")["spec"]["selector"] == labels
    assert load("poddisruptionbudget")["spec"]["selector"]["matchLabels"] == labels
    assert load("networkpolicy")["spec"]["podSelector"]["matchLabels"] == labels
    target = load("horizontalpodautoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (
        "Deployment",
        load("deployment")["metadata"]["name"],
    )


def test_the_autoscaler_asks_for_a_share_of_the_slots_that_there_are() -> None:
    (metric,) = load("horizontalpodautoscaler")["spec"]["metrics"]
    name, target = metric["pods"]["metric"]["name"], metric["pods"]["target"]
    assert target["averageValue"] == "750m"
    text = (FOLDER.parents[1] / "docs/scaling.md").read_text()
    (rules,) = re.findall(r"```yaml\n(rules:.*?)```", text, re.DOTALL)
    (rule,) = yaml.safe_load(rules)["rules"]["custom"]
    assert rule["name"]["as"] == name
    asked = re.findall(r"yin_\w+", rule["metricsQuery"])
    assert asked == ["yin_slots_busy", "yin_slots"]
    assert all(f"# TYPE {each} gauge" in Metrics().expose().decode() for each in asked)


def test_the_image_is_that_of_this_version() -> None:
    (image,) = load("kustomization")["images"]
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())["project"]
    assert image["newTag"] == project["version"]
    assert f"yin:{image['newTag']}" in (FOLDER.parents[1] / "docs/scaling.md").read_text()


def test_a_pod_believes_the_addresses_of_pods_alone(container: dict[str, Any]) -> None:
    (variable,) = container["env"]
    assert variable["name"] == "YIN_TRUSTED_PROXIES"
    settings = Settings(trusted_proxies=variable["value"])
    networks = [ip_network(each.strip()) for each in settings.trusted_proxies.split(",")]
    assert all(network.is_private or "100.64" in str(network) for network in networks)
    assert len(networks) > 1


def test_one_probe_that_fails_takes_no_pod_away(container: dict[str, Any]) -> None:
    for kind in ("readiness", "liveness"):
        assert container[f"{kind}Probe"]["failureThreshold"] > 1


def test_a_pod_gets_the_time_that_its_poems_need(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    turning_away_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed_s = turning_away_s + Settings().drain_s + LAST_ANSWERS_S
    assert pod["terminationGracePeriodSeconds"] > needed_s


def test_probes_and_ports_are_those_of_the_service(container: dict[str, Any]) -> None:
    (port,) = container["ports"]
    assert port["containerPort"] == Settings().port
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
    assert [probe["path"] for probe in probes] == ["/health/live", "/health/ready", "/health/live"]
    named = [probe["port"] for probe in probes]
    named += [each["targetPort"] for each in load("service")["spec"]["ports"]]
    named += [each["port"] for each in load("networkpolicy")["spec"]["ingress"][0]["ports"]]
    assert set(named) == {port["name"]}


def test_a_pod_has_no_right_that_it_does_not_need(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert load("networkpolicy")["spec"]["egress"] == []
    assert not pod.get("hostNetwork")
