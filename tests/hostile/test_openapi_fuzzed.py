"""schemathesis, in an environment of its own, against everything the simulator's OpenAPI document describes."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.dialer_process import provider_process
from tests.acceptance.locked_python import locked_python

LOCK = Path(__file__).parent / "schemathesis.lock"
KEY = "fuzzed"
SWITCHES = [
    f"--key={KEY}",
    "--vaani-keys-write",
    "--campaign-hours=any",
    "--webhook-url=http://127.0.0.1:9/",
    *(f"--{name}-s=0" for name in ("start-delay", "dial", "ring", "talk", "log-delay")),
]
# A session that is over answers 410 and a file that is no list 422; a schema cannot tell either beforehand.
UNCHECKED = "positive_data_acceptance"
STORM = os.environ.get("DIALER_TEST_FUZZ") == "all"
EFFORT = ["--max-examples", "100"] if STORM else ["--phases", "coverage"]

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1800 if STORM else 900)]


@pytest.fixture(scope="module")
def fuzzer() -> Path:
    """The command of schemathesis."""
    return locked_python("fuzz", LOCK).with_name("st")


@pytest.fixture(params=["detail", "gateway"] if STORM else ["detail"])
def simulator(request: pytest.FixtureRequest) -> Iterator[str]:
    """A simulator process whose calls are over at once, and one call in each log."""
    with provider_process([*SWITCHES, f"--vaanivoice-errors={request.param}"]) as provider:
        call = {"agent_id": "simulated_agent", "contact_number": "+919876543210", "name": "Asha"}
        headers = {"X-API-Key": KEY}
        answer = httpx.post(f"{provider.url}/api/trigger-call/", json=call, headers=headers, trust_env=False)
        assert answer.status_code == 200
        yield provider.url


def test_no_answer_is_a_500_or_breaks_its_schema(fuzzer: Path, simulator: str, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and name != "PYTHONPATH"}
    command = [str(fuzzer), "run", f"{simulator}/openapi.json", "--header", f"X-API-Key: {KEY}", "--no-color"]
    command += ["--exclude-checks", UNCHECKED, "--seed", "1", "--continue-on-failure", *EFFORT]
    ended = subprocess.run(command, capture_output=True, text=True, env=clean, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
    tested = httpx.get(f"{simulator}/_sim/books", trust_env=False).json()["requests"]
    assert len(tested) > 1000
    assert [request for request in tested if (request["status"] or 500) >= 500] == []
