"""The port of /metrics, /livez and /readyz, and the health check of a container that asks it."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from dialer.adapters.metrics.endpoint import NotReady, answering
from dialer.errors import CannotServe
from jobs.health import not_ready
from tests.promtool import free_port

ROOT = Path(__file__).parents[2]
CHECK = """
import sys
from dialer.cli.app import app
try:
    app(["worker", "--check"])
except SystemExit as ended:
    print(ended.code, *sorted({"sqlalchemy", "redis", "arq", "uvicorn", "dialer.bootstrap"} & set(sys.modules)))
"""


def ailing(*words: str) -> NotReady:
    async def look() -> Sequence[str]:
        return words

    return look


@pytest.mark.parametrize("words", [(), ("worker: redis", "page: ledger")])
async def test_it_is_ready_unless_a_part_says_otherwise(words: tuple[str, ...]) -> None:
    port = free_port()
    async with answering(port, CollectorRegistry(), ailing(*words)), httpx.AsyncClient() as client:
        at = f"http://127.0.0.1:{port}"
        ready = await client.get(f"{at}/readyz")
        assert (ready.status_code, ready.json()) == (503 if words else 200, {"ready": not words, "ailing": [*words]})
        assert (await client.get(f"{at}/livez")).text == "ok\n"
        assert (await client.get(f"{at}/metrics")).headers["content-type"].startswith("text/plain; version=")
        assert (await client.head(f"{at}/livez")).content == b""
        assert (await client.post(f"{at}/metrics")).status_code == 405
        assert (await client.get(f"{at}/")).status_code == 404
        said = await asyncio.to_thread(not_ready, port)
        assert bool(said) == bool(words)
        assert all(word in said for word in words)
    assert "does not answer" in await asyncio.to_thread(not_ready, port)


async def test_a_port_that_is_taken_is_refused_in_words() -> None:
    port = free_port()
    async with answering(port, CollectorRegistry(), ailing()):
        with pytest.raises(CannotServe, match=f"cannot listen on port {port} .DIALER_METRICS_PORT."):
            async with answering(port, CollectorRegistry(), ailing()):
                pass


def test_the_check_of_a_worker_imports_no_house(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "DIALER_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "worker: no worker has run here\n")


def test_a_container_asks_the_port_and_not_the_files(tmp_path: Path) -> None:
    port = free_port()
    environment = {"PYTHONPATH": str(ROOT), "DIALER_HOME": str(tmp_path), "DIALER_METRICS_PORT": str(port)}
    command = [sys.executable, "-m", "jobs.health"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"health: it does not answer at port {port} (ConnectionRefusedError)\n"
