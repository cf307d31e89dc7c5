"""The vendor's own Python client, in an environment of its own, against the simulator process."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.dialer_process import provider_process
from tests.acceptance.locked_python import locked_python

HERE = Path(__file__).parent
LOCK = HERE / "vendor-sdk.lock"
NUMBER = "+919876543210"
AT_ONCE = [f"--{name}-s=0" for name in ("start-delay", "dial", "ring", "talk", "log-delay")]
PLAIN: dict[str, Any] = {
    "key": None,
    "balance": None,
    "dnd": [],
    "agents": [],
    "rate_cap": None,
    "faults": {},
    "vaanivoice_output": "object",
    "vaanivoice_errors": "detail",
}

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def vendor_python() -> Path:
    """The Python of an environment with the locked vendor packages, made once and kept beside our own."""
    return locked_python("sdk", LOCK)


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    """A simulator whose calls are over, and in the history, as soon as they are accepted."""
    with running_simulator() as url:
        yield url


@contextmanager
def running_simulator(*switches: str) -> Iterator[str]:
    """A simulator process for the block."""
    with provider_process(["--outcomes=answered=1", *AT_ONCE, *switches]) as provider:
        yield provider.url


def run(python: Path, url: str, *command: str) -> Any:
    """What the script prints; it sees no proxy and none of our packages."""
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    script = [str(python), "-I", str(HERE / "vendor_sdk_script.py"), url, *command]
    ended = subprocess.run(script, capture_output=True, text=True, env=clean, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def steer(url: str, **options: Any) -> None:
    """Set these options of the running simulator and put every other one back."""
    answer = httpx.post(f"{url}/_sim/options", json={**PLAIN, **options}, trust_env=False)
    assert answer.status_code == 200, answer.text


def placed(url: str) -> int:
    """How many calls are in the simulator's books."""
    return len(httpx.get(f"{url}/_sim/books", trust_env=False).json()["calls"])


def test_it_reads_every_good_answer(vendor_python: Path, simulator: str) -> None:
    steer(simulator)
    seen = run(vendor_python, simulator, "calls")
    assert seen["health"] == "healthy"
    assert re.fullmatch(r"outbound-\d{10}-[0-9a-f]{8}", seen["placed"])
    assert (seen["history"], seen["total"], seen["pages"]) == ([seen["placed"]], 1, 1)
    assert seen["metadata"]["ref"] == "k1"
    assert seen["transcript"].startswith("AGENT: ")
    assert set(seen["details"]) == {"transcription", "entity", "conversation_eval", "summary", "call_eval_tag"}
    assert seen["browser"][0] is None
    assert seen["browser"][1].startswith("wss://")
    assert seen["trial"].startswith("outbound-")
    assert seen["later"] == [seen["namespaced"], seen["placed"]]
    assert placed(simulator) == 2


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_method_of_both_clients(vendor_python: Path, kind: str) -> None:
    switches = ["--campaign-hours=any", "--vaanivoice-campaigns=data"]
    with running_simulator(*switches) as url:
        seen = run(vendor_python, url, "every", kind)
    assert seen.pop("ws_url").startswith("ws://127.0.0.1:")
    assert seen == {
        "base_url": True,
        "health": "healthy",
        "updated": True,
        "config": {
            "persona": {"identity": {"system_prompt": "Be kind.", "tone": "calm"}},
            "training": {"knowledge": {"use_rag": False}},
            "experience": {"settings": {"call_settings": {"max_call_duration": 30}}},
            "analysis": {"evaluations": {"dispositions": {"enabled": True}}},
            "deployment": {"phone": {"call_type": {"Outbound": ["+919000000000"]}}},
        },
        "found": True,
        "gone": ["Agent deleted successfully"] * 2,
        "history": True,
        "pages": [2, 1],
        "token": 2,
        "texts": 1,
        "details": 1,
        "audio": ["audio/wav", "RIFF", True],
        "left": ["reconnecting", True, True, "active", "ended", "SessionExpiredError"],
        "verbs": ["paused", "scheduled", "scheduled", "completed", "cancelled"],
        "changed": ["changed", "paused", 3],
        "ran": [
            "runs",
            "completed",
            2,
            ["campaign_id", "results_url", "generated_at", "expires_at", "post_processing_status"],
        ],
        "listed": [2, 2],
        "missed": [],
    }


@pytest.mark.parametrize("shape", ["detail", "gateway"])
@pytest.mark.parametrize(
    ("options", "number", "raised", "status"),
    [
        ({"key": "another"}, NUMBER, "AuthenticationError", 401),
        ({"balance": 0}, NUMBER, "InsufficientBalanceError", 402),
        ({"dnd": [NUMBER]}, NUMBER, "ForbiddenError", 403),
        ({"agents": ["another"]}, NUMBER, "NotFoundError", 404),
        ({}, "12", "ValidationError", 422),
        ({"rate_cap": 0}, NUMBER, "RateLimitError", 429),
        ({"faults": {"500": 1}}, NUMBER, "ServerError", 500),
        ({"faults": {"503-retry-after": 1}}, NUMBER, "ServerError", 503),
    ],
)
def test_it_maps_every_refusal(
    vendor_python: Path, simulator: str, shape: str, options: dict[str, Any], number: str, raised: str, status: int
) -> None:
    steer(simulator, **options, vaanivoice_errors=shape)
    before = placed(simulator)
    assert run(vendor_python, simulator, "error", number) == {"raised": f"vaani_sdk.{raised}", "status": status}
    assert placed(simulator) == before


@pytest.mark.parametrize(
    ("options", "raised"),
    [
        ({"faults": {"500-placed": 1}}, "vaani_sdk.ServerError"),
        ({"faults": {"dropped": 1}}, "httpx.RemoteProtocolError"),
        ({"faults": {"half-body": 1}}, "httpx.RemoteProtocolError"),
        ({"faults": {"stalled": 1}}, "vaani_sdk.TimeoutError"),
        ({"faults": {"garbage": 1}}, "json.JSONDecodeError"),
        ({"vaanivoice_output": "string"}, "builtins.AttributeError"),
    ],
)
def test_what_escapes_it_after_the_call_was_placed(
    vendor_python: Path, simulator: str, options: dict[str, Any], raised: str
) -> None:
    steer(simulator, **options)
    before = placed(simulator)
    assert run(vendor_python, simulator, "error", NUMBER)["raised"] == raised
    assert placed(simulator) == before + 1


def test_what_is_missing_is_not_found(vendor_python: Path, simulator: str) -> None:
    steer(simulator)
    assert run(vendor_python, simulator, "missing") == ["NotFoundError", "NotFoundError"]
