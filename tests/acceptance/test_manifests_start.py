"""The pods of deploy/kubernetes as processes: their words, their environment, and what their probes ask."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import until
from tests.promtool import free_port
from tests.redis_server import RedisServer

pytestmark = pytest.mark.acceptance

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
TOKEN = "a-token-of-the-tests-that-nobody-guesses"


def manifest(name: str) -> dict[str, Any]:
    return dict(next(yaml.safe_load_all((MANIFESTS / name).read_text())))


@pytest.mark.parametrize("part", ["worker", "serve"])
def test_the_pod_becomes_ready(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer, empty_database: str, part: str
) -> None:
    home, port = open_home(open_provider()), free_port()
    given = manifest("configmap.yaml")["data"] | manifest("secret.example.yaml")["stringData"]
    here = {
        "DIALER_HOME": str(home.path / "volume" / "home"),
        "DIALER_METRICS_PORT": str(port),
        "DIALER_REDIS_URL": own_redis.url,
        "DIALER_DATABASE_URL": empty_database,
        "DIALER_WEB_TOKEN": TOKEN,
    }
    assert set(here) <= set(given)
    (container,) = manifest(f"{part}.yaml")["spec"]["template"]["spec"]["containers"]
    program, *words = container["args"]
    assert program == "dialer"
    (home.path / "volume").mkdir(mode=0o777)
    running = home.start(*words, *(["--port", "0"] if part == "serve" else []), **given | here)

    def answers(probe: str) -> bool:
        assert running.alive, running.err.read_text()
        address = f"http://127.0.0.1:{port}{container[probe]['httpGet']['path']}"
        with suppress(httpx.TransportError):
            return httpx.get(address, trust_env=False, verify=False, timeout=30).status_code == 200
        return False

    # The example names no key of a provider: the pod waits for one, and does not begin again and again.
    until(lambda: answers("startupProbe"), "the startup probe")
    until(lambda: answers("livenessProbe"), "the liveness probe")
    until(lambda: answers("readinessProbe"), "the readiness probe")
