"""Metrics and health of ``dialer worker`` and ``dialer serve``, asked as Prometheus and Kubernetes do."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import Home, finals, until
from tests.acceptance.worker_steps import enqueue
from tests.metric_names import names_of
from tests.promtool import free_port, prometheus_binary, promtool
from tests.redis_server import RedisServer
from tests.web.serving import serve

pytestmark = pytest.mark.acceptance

PEOPLE = 60
LISTENS = "0A"
"""The state of a listening socket, as the kernel writes it."""


def ask(port: int, path: str = "/metrics") -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, verify=False, timeout=30)


def is_at(port: int, path: str, status: int) -> bool:
    with suppress(httpx.TransportError):
        return ask(port, path).status_code == status
    return False


def total(port: int, name: str, **labels: str) -> float:
    """The sum over all samples with these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(ask(port).text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def labels_at(port: int) -> set[str]:
    families = text_string_to_metric_families(ask(port).text)
    return {value for family in families for sample in family.samples for value in sample.labels.values()}


def watched_worker(home: Home) -> tuple[Any, int]:
    port = free_port()
    running = home.start("worker", DIALER_METRICS_PORT=str(port))
    until(lambda: is_at(port, "/readyz", 200), "the worker is ready")
    return running, port


def test_a_session_is_counted_and_names_nobody(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    provider = open_provider("--fault=429=0.2")
    home = open_home(provider, DIALER_REDIS_URL=own_redis.url)
    _, port = watched_worker(home)
    assert ask(port, "/livez").text == "ok\n"
    console_port = free_port()
    serving = serve(home, DIALER_METRICS_PORT=str(console_port))
    enqueue(home, PEOPLE)
    home.until_status("finished")

    report = home.report()
    asked = {result: total(port, "dialer_requests_total", result=result) for result in ("placed", "not_placed")}
    assert asked["placed"] == provider.placed() == PEOPLE
    assert 0 < total(port, "dialer_throttled_total", code="429") <= asked["not_placed"]
    until(lambda: total(port, "dialer_attempts_ended_total", provider="vaanivoice") == PEOPLE, "every outcome")
    for disposition, calls in report["dispositions"].items():
        assert total(port, "dialer_attempts_ended_total", disposition=disposition) == calls
    assert total(port, "dialer_contacts_finished_total") == finals(report)
    assert PEOPLE < total(port, "dialer_dial_delay_seconds_count") <= PEOPLE + asked["not_placed"]
    assert total(port, "dialer_gate_verdicts_total", verdict="admitted") == PEOPLE + asked["not_placed"]
    assert total(port, "dialer_ledger_commit_duration_seconds_count") > 0
    assert total(port, "dialer_log_readings_total", result="failed") == 0

    with serving.browser() as browser:
        assert browser.get("/campaigns").status_code in (200, 404)
        assert browser.get("/api/v1/campaigns").status_code == 200
        assert browser.get("/+14155550123").status_code == 404
    until(lambda: total(console_port, "dialer_stock_age_seconds") > 0, "a first look at the ledger")
    assert total(console_port, "dialer_http_requests_total", route="/api/v1/campaigns", code="200") == 1
    assert total(console_port, "dialer_http_requests_total", route="other", code="404") >= 1
    assert ask(console_port, "/readyz").json() == {"ready": True, "ailing": []}
    for shown in (port, console_port):
        values = labels_at(shown)
        assert [value for value in values if re.search(r"\d{7}", value)] == []
        assert not {value for value in values if "Person" in value or "fake-key" in value}
        promtool("check", "metrics", given=ask(shown).text)
    assert names_of(ask(port).text) | names_of(ask(console_port).text) >= {"dialer_build_info", "dialer_lines_used"}


def test_a_worker_without_its_redis_is_alive_and_not_ready(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer
) -> None:
    home = open_home(open_provider(), DIALER_REDIS_URL=own_redis.url)
    running, port = watched_worker(home)
    own_redis.kill()

    until(lambda: is_at(port, "/readyz", 503), "the worker says that it is not ready")
    assert ask(port, "/readyz").json()["ailing"] == ["worker: redis"]
    assert ask(port, "/livez").status_code == 200
    assert total(port, "dialer_redis_errors_total") > 0
    own_redis.start()
    until(lambda: is_at(port, "/readyz", 200), "the worker is ready again")
    running.signal(signal.SIGTERM)
    assert running.ended().code == 0


def test_no_port_is_opened_unless_one_is_set(open_provider: OpenProvider, open_home: OpenHome) -> None:
    home = open_home(open_provider())
    running = home.start("worker")
    until(lambda: "worker.started" in running.err.read_text(), "the worker")
    inodes = {
        match[1]
        for path in Path(f"/proc/{running.process.pid}/fd").iterdir()
        if (match := re.search(r"socket:\[(\d+)\]", str(path.readlink())))
    }
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    assert inodes
    assert [row for row in rows if row[3] == LISTENS and row[9] in inodes] == []


@contextmanager
def scraping(path: Path, ports: dict[str, int]) -> Iterator[int]:
    """A Prometheus that asks these ports, by job; its own port."""
    jobs = "".join(
        f"  - job_name: {job}\n    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n" for job, port in ports.items()
    )
    (path / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}")
    own = free_port()
    words = [f"--config.file={path}/prometheus.yml", f"--storage.tsdb.path={path}/data",
             f"--web.listen-address=127.0.0.1:{own}"]  # fmt: skip
    with subprocess.Popen(
        [prometheus_binary(), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            yield own
        finally:
            server.terminate()


def test_prometheus_reads_both(
    open_provider: OpenProvider, open_home: OpenHome, own_redis: RedisServer, tmp_path: Path
) -> None:
    home = open_home(open_provider(), DIALER_REDIS_URL=own_redis.url)
    _, port = watched_worker(home)
    console_port = free_port()
    serve(home, DIALER_METRICS_PORT=str(console_port))
    enqueue(home, 10)
    home.until_status("finished")
    with scraping(tmp_path, {"worker": port, "serve": console_port}) as prometheus:

        def asked(expression: str) -> list[float]:
            with suppress(httpx.TransportError):
                answer = httpx.get(
                    f"http://127.0.0.1:{prometheus}/api/v1/query", params={"query": expression}, trust_env=False,
                    verify=False, timeout=30,
                )  # fmt: skip
                if answer.is_success:
                    return [float(row["value"][1]) for row in answer.json()["data"]["result"]]
            return []

        until(lambda: asked("sum(up)") == [2.0], "both are up")
        until(lambda: asked('sum(dialer_requests_total{result="placed"})') == [10.0], "ten calls")
        until(lambda: asked('dialer_attempts{provider="vaanivoice",state="unknown"}') == [0.0], "no doubt")
