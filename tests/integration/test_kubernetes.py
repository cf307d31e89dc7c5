"""deploy/kubernetes: strict schemas of the versions that are in use, and what no schema knows."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from config.settings import option_names
from dialer.cli.running import CLOSE_WITHIN_S, STOP_WITHIN_S
from dialer.cli.serving import CLOSE_WITHIN_S as SERVE_CLOSES_WITHIN_S
from dialer.cli.serving import STOP_WITHIN_S as SERVE_STOPS_WITHIN_S

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy" / "kubernetes"
VERSIONS = [f"1.{minor}" for minor in range(29, 38)]
FILES = sorted(path for path in MANIFESTS.glob("*.yaml") if path.name != "kustomization.yaml")
OBJECTS: list[dict[str, Any]] = [one for path in FILES for one in yaml.safe_load_all(path.read_text())]
DEPLOYMENTS = {one["metadata"]["name"]: one["spec"] for one in OBJECTS if one["kind"] == "Deployment"}
WITHIN_S = {"worker": STOP_WITHIN_S + CLOSE_WITHIN_S, "serve": SERVE_STOPS_WITHIN_S + SERVE_CLOSES_WITHIN_S}
"""The longest that each takes to end."""


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in OBJECTS if one["kind"] == kind]


def pod_of(part: str) -> dict[str, Any]:
    return dict(DEPLOYMENTS[part]["template"]["spec"])


def container_of(part: str) -> dict[str, Any]:
    (only,) = pod_of(part)["containers"]
    return dict(only)


def labels_of(part: str) -> dict[str, str]:
    return dict(DEPLOYMENTS[part]["template"]["metadata"]["labels"])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_the_strict_schema(version: str) -> None:
    for one in OBJECTS:
        kubernetes_validate.validate(one, version, strict=True)


def test_a_mistake_would_be_seen() -> None:
    wrong = yaml.safe_load((MANIFESTS / "worker.yaml").read_text())
    wrong["spec"]["template"]["spec"]["enableServiceLink"] = False
    with pytest.raises(kubernetes_validate.ValidationError, match="enableServiceLink"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_kustomize_names_what_is_there_and_no_example() -> None:
    named = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())
    assert set(named) == {"apiVersion", "kind", "resources", "images"}
    assert sorted(named["resources"]) == [path.name for path in FILES if ".example." not in path.name]
    assert [one["name"] for one in named["images"]] == ["dialer"]
    assert {container_of(part)["image"] for part in DEPLOYMENTS} == {"dialer"}


def test_selectors_select_the_pods_of_their_part() -> None:
    assert set(DEPLOYMENTS) == {"worker", "serve"}
    for part, spec in DEPLOYMENTS.items():
        assert spec["selector"]["matchLabels"] == labels_of(part)
        for spread in pod_of(part)["topologySpreadConstraints"]:
            assert spread["labelSelector"]["matchLabels"] == labels_of(part)
    for one in of_kind("PodDisruptionBudget"):
        assert one["spec"]["selector"]["matchLabels"] == labels_of(one["metadata"]["name"])
    for one in of_kind("NetworkPolicy"):
        assert one["spec"]["podSelector"]["matchLabels"] == labels_of(one["metadata"]["name"])
    for one in of_kind("Service"):
        assert one["spec"]["selector"] == labels_of("serve")
    assert labels_of("worker") != labels_of("serve")


def test_ports_and_probes_are_those_of_the_program() -> None:
    settings = of_kind("ConfigMap")[0]["data"]
    for part in DEPLOYMENTS:
        container = container_of(part)
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        assert str(ports["metrics"]) == settings["DIALER_METRICS_PORT"]
        paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
        assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
        assert {container[f"{name}Probe"]["httpGet"]["port"] for name in paths} == {"metrics"}
        policy = next(one for one in of_kind("NetworkPolicy") if one["metadata"]["name"] == part)
        let_in = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        assert let_in == set(ports.values())
    (service,) = of_kind("Service")
    (ingress,) = of_kind("Ingress")
    assert [one["targetPort"] for one in service["spec"]["ports"]] == ["http"]
    (rule,) = ingress["spec"]["rules"]
    behind = rule["http"]["paths"][0]["backend"]["service"]
    assert behind == {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}
    assert rule["host"] == settings["DIALER_WEB_HOSTS"]


def test_names_in_the_environment_are_options_and_come_from_what_is_there() -> None:
    (settings,), (secret,) = of_kind("ConfigMap"), of_kind("Secret")
    assert set(settings["data"]) | set(secret["stringData"]) <= set(option_names())
    assert not set(settings["data"]) & set(secret["stringData"])
    sources = [
        {"configMapRef": {"name": settings["metadata"]["name"]}},
        {"secretRef": {"name": secret["metadata"]["name"]}},
    ]
    for part in DEPLOYMENTS:
        assert container_of(part)["envFrom"] == sources
        assert "env" not in container_of(part)


def test_no_service_looks_like_an_option() -> None:
    assert not [one for one in of_kind("Service") if one["metadata"]["name"].startswith("dialer")]
    for part in DEPLOYMENTS:
        assert pod_of(part)["enableServiceLinks"] is False
        assert pod_of(part)["automountServiceAccountToken"] is False


def test_a_pod_has_longer_than_its_process_takes_to_end() -> None:
    for part in DEPLOYMENTS:
        hook = container_of(part).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
        pause_s = float(hook[-1])
        assert pod_of(part)["terminationGracePeriodSeconds"] > pause_s + WITHIN_S[part]


def test_pods_keep_to_the_restricted_profile() -> None:
    for part in DEPLOYMENTS:
        pod, container = pod_of(part), container_of(part)
        own = pod["securityContext"]
        assert (own["runAsNonRoot"], own["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert f"USER {own['runAsUser']}:{own['runAsGroup']}\n" in (ROOT / "Dockerfile").read_text()
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert all(set(one) == {"name", "emptyDir"} for one in pod["volumes"])
        assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
        assert "memory" in container["resources"]["limits"]
        assert "cpu" not in container["resources"]["limits"]


def test_the_home_is_a_directory_that_the_process_makes() -> None:
    home = of_kind("ConfigMap")[0]["data"]["DIALER_HOME"]
    for part in DEPLOYMENTS:
        mounts = {one["mountPath"] for one in container_of(part)["volumeMounts"]}
        assert str(Path(home).parent) in mounts
        assert home not in mounts, "a volume is open to others, which the program refuses"


def test_one_may_go_and_the_other_stays() -> None:
    assert {one["metadata"]["name"] for one in of_kind("PodDisruptionBudget")} == set(DEPLOYMENTS)
    for one in of_kind("PodDisruptionBudget"):
        assert one["spec"]["maxUnavailable"] == 1
        assert DEPLOYMENTS[one["metadata"]["name"]]["replicas"] == 2
    for spec in DEPLOYMENTS.values():
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_no_example_holds_a_secret() -> None:
    (secret,) = of_kind("Secret")
    for name, value in secret["stringData"].items():
        assert value == "" or re.fullmatch(r"\w+://dialer:password@\w+\.example:\d+/\w+", value), name
