"""The dashboard and the alerts: they ask for metrics that there are, with labels that they have."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.async_engine import REFUSALS
from app.metrics import OUTCOMES, REASONS, Metrics

FOLDER = Path(__file__).parents[1] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana/dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "prometheus/alerts.yml").read_text())[
    "groups"
][0]["rules"]
FROM_PROMETHEUS = {"up": {"job", "instance"}}  # what it knows of whom it scrapes


def exposed() -> dict[str, set[str]]:
    """Every series of /metrics, with its labels."""
    metrics = Metrics()
    metrics.request_s.labels("/generate").observe(1)
    metrics.step_s.labels("model").observe(1)
    metrics.model.info({"name": "yin"})
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            labels = found.setdefault(sample.name, {"job", "instance"})
            labels.update(sample.labels)
    return found


SERIES = exposed() | FROM_PROMETHEUS
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS += [rule["expr"] for rule in RULES]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    asked = re.findall(r"\b(yin_\w+|up)\b(?:\{([^}]*)\})?", expression)
    assert asked
    for name, selector in asked:
        assert name in SERIES
        assert set(re.findall(r"(\w+)(?==)", selector)) <= SERIES[name]
    labels = {name for _, name in asked}
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    for label in {each.strip() for group in grouped for each in group.split(",")} - labels:
        assert any(label in SERIES[name] for name, _ in asked)


def test_every_metric_is_shown() -> None:
    families = {family.name for family in Metrics().registry.collect()}
    text = " ".join(EXPRESSIONS)
    assert {name for name in families if name not in text} == set()


def test_a_legend_names_a_label_that_is_left() -> None:
    for panel in PANELS:
        for each in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", each["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", each["expr"]) or label == "instance"


def test_counts_that_alerts_watch_are_there_before_they_grow() -> None:
    text = Metrics().expose().decode()
    for outcome in OUTCOMES:
        assert f'yin_jobs_total{{outcome="{outcome}"}} 0.0' in text
    for reason in REASONS:
        assert f'yin_shed_total{{reason="{reason}"}} 0.0' in text
    assert 'yin_requests_total{route="/generate",status="500"} 0.0' in text


def test_no_other_reason_is_counted() -> None:
    assert set(REFUSALS.values()) == set(REASONS)


def test_the_panels_have_their_own_places() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    places = [panel["gridPos"] for panel in PANELS]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    (source,) = yaml.safe_load((FOLDER / "grafana/datasource.yml").read_text())["datasources"]
    for panel in PANELS:
        assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_alert_is_made_to_come_by_a_test() -> None:
    tests = (FOLDER / "prometheus/alerts_test.yml").read_text()
    assert {rule["alert"] for rule in RULES} == set(re.findall(r"alertname=?:? ?\"?(\w+)", tests))
