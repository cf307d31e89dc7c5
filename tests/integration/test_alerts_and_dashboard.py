"""deploy/prometheus and deploy/grafana: they hold together, and ask for what the program has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.metric_names import registered
from tests.promtool import promtool

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())
TESTS = yaml.safe_load((PROMETHEUS / "rules_test.yaml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana" / "dialer.json").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
NAME = re.compile(r"\b(?:dialer|process)_[a-z_]+(?=[{\[) ]|$)", re.MULTILINE)


def expressions() -> list[str]:
    """Every expression of the dashboard, with its variables filled in."""
    of = [target["expr"] for panel in PANELS for target in panel["targets"]]
    return [one.replace("$__rate_interval", "5m").replace("$job", ".+").replace("$instance", ".+") for one in of]


def test_the_rules_are_rules() -> None:
    assert f"SUCCESS: {len(ALERTS)} rules" in promtool("check", "rules", str(PROMETHEUS / "rules.yaml"))


def test_every_alert_fires_when_it_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yaml", cwd=PROMETHEUS)


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_tried_both_ways_and_explained(alert: str) -> None:
    tried = [one for case in TESTS["tests"] for one in case["alert_rule_test"] if one["alertname"] == alert]

    assert {bool(one["exp_alerts"]) for one in tried} == {True, False}
    assert ALERTS[alert]["labels"]["severity"] in ("page", "ticket")
    assert f"| `{alert}` |" in (DEPLOY.parent / "docs" / "operating.md").read_text()


def test_nothing_is_asked_for_that_is_not_counted() -> None:
    asked = [rule["expr"] for rule in ALERTS.values()] + expressions()
    names = {name for one in asked for name in NAME.findall(one)}

    assert len(names) > 30
    assert names - registered() == set()


def test_the_bounds_that_alerts_ask_for_are_bounds() -> None:
    asked = {le for rule in ALERTS.values() for le in re.findall(r'le="([^"]+)"', rule["expr"])}

    assert asked == {"10.0", "60.0"}


def test_every_expression_of_the_dashboard_can_be_read(tmp_path: Path) -> None:
    rules = [{"record": f"tried:{number}", "expr": one} for number, one in enumerate(expressions())]
    (tmp_path / "tried.yaml").write_text(yaml.safe_dump({"groups": [{"name": "tried", "rules": rules}]}))

    assert f"SUCCESS: {len(rules)} rules" in promtool("check", "rules", str(tmp_path / "tried.yaml"))


def test_the_dashboard_can_be_provisioned() -> None:
    assert "__inputs" not in DASHBOARD
    assert (DASHBOARD["id"], DASHBOARD["uid"]) == (None, "dialer")
    kinds = {one["name"]: one["type"] for one in DASHBOARD["templating"]["list"]}
    assert kinds == {"datasource": "datasource", "job": "query", "instance": "query"}
    for panel in PANELS:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for target in panel["targets"]:
            assert 'job=~"$job",instance=~"$instance"' in target["expr"], panel["title"]


def test_prometheus_reads_its_configuration(tmp_path: Path) -> None:
    shown = (PROMETHEUS / "prometheus.yaml").read_text().replace("/etc/prometheus/rules.yaml", "rules.yaml")
    (tmp_path / "prometheus.yaml").write_text(shown)
    (tmp_path / "rules.yaml").write_text((PROMETHEUS / "rules.yaml").read_text())

    assert "1 rule files found" in promtool("check", "config", str(tmp_path / "prometheus.yaml"))


def test_compose_starts_both_with_what_is_here_and_scrapes_what_alerts_ask_for() -> None:
    compose = yaml.safe_load((DEPLOY.parent / "compose.yaml").read_text())
    services = {name: one for name, one in compose["services"].items() if one.get("profiles") == ["monitoring"]}
    assert set(services) == {"prometheus", "grafana"}
    for one in services.values():
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        for volume in one["volumes"]:
            path = volume.split(":")[0]
            assert path in compose["volumes"] or (DEPLOY.parent / path).exists(), volume
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())["scrape_configs"]
    assert {job["job_name"] for job in jobs} == {"dialer-worker", "dialer-serve"}
    for job in jobs:
        (where,) = job["dns_sd_configs"]
        assert set(where["names"]) <= set(compose["services"])
        assert f"DIALER_METRICS_PORT={where['port']}" in (DEPLOY.parent / "Dockerfile").read_text()
