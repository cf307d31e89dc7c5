"""Lists and people that come over the network are called, by the worker of the same command."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.dialer_process import until
from tests.forked import Forked

SETTINGS = {"DIALER_WEB_TOKEN": "t" * 40, "DIALER_REDIAL_SCALE": "0.0005", "DIALER_RECONCILE_INTERVAL_S": "1"}
SETTINGS |= {"DIALER_MAX_CALL_S": "60", "DIALER_UNKNOWN_HORIZON_S": "90"}
LISTENS = re.compile(r"the console listens on (http://[\d.:]+)")


LIST = b"name,phone\n" + b"".join(b"Asha,+9190000000%02d\n" % number for number in range(5))
CSV = {"Content-Type": "text/csv"}
FOR_NOBODY = {
    "provider": "simulator",
    "agent": "rehearsal",
    "window": {"days": "always", "rules": "off", "rules_reason": "nobody is called"},
}


@contextmanager
def command(folder: Path, *words: str, killed: bool = False) -> Iterator[httpx.Client]:
    """``dialer serve`` in a folder, and an administrator's program; at the end it is ended, or ``killed``."""
    environment = SETTINGS | {"DIALER_HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}
    with (folder / "said").open("w") as said, Forked(
        ["dialer", "serve", "--port", "0", *words],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
    ) as process:  # fmt: skip
        try:
            until(lambda: LISTENS.search((folder / "said").read_text()) is not None, "it listens")
            found = LISTENS.search((folder / "said").read_text())
            assert found is not None
            headers = {"Authorization": f"Bearer {SETTINGS['DIALER_WEB_TOKEN']}"}
            with httpx.Client(base_url=found[1], headers=headers, timeout=60.0) as client:
                yield client
        finally:
            process.kill() if killed else process.terminate()
            process.wait(60)


def report(program: httpx.Client, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = program.get(f"/api/v1/campaigns/{name}").json()
    return answer


def test_a_list_is_called_once_it_is_brought_in_whoever_was_killed_between(tmp_path: Path) -> None:
    with command(tmp_path, killed=True) as program:
        sent = program.post("/api/v1/imports?campaign=may", content=LIST, headers=CSV)
        assert sent.status_code == 201
    with command(tmp_path, "--worker") as program:
        at = sent.headers["location"]
        assert program.get(at).json()["counts"]["queued"] == 5
        assert program.post(f"{at}/commit").json()["status"] == "running"
        until(lambda: report(program, "rehearsal:may")["status"] == "finished", "everybody was called")
        contacts = report(program, "rehearsal:may")["contacts"]
        assert contacts["reached"] + contacts["exhausted"] + contacts["invalid"] == 5


def test_people_who_are_added_to_a_running_campaign_are_called(tmp_path: Path) -> None:
    with command(tmp_path, "--worker") as program:
        assert program.put("/api/v1/campaigns/leads", json=FOR_NOBODY).status_code == 201
        assert program.post("/api/v1/campaigns/leads/start").status_code == 200
        added = program.post("/api/v1/campaigns/leads/contacts", json={"contacts": [{"phone": "+14155550101"}]})
        assert added.json()["contacts"][0]["result"] == "queued"
        until(lambda: report(program, "leads")["contacts"]["pending"] == 0, "they are called")
        until(lambda: report(program, "leads")["status"] == "finished", "that was all")

        more = program.post("/api/v1/campaigns/leads/contacts", json={"contacts": [{"phone": "+14155550102"}]})

        assert more.json()["report"]["queued"] == 1
        until(lambda: sum(report(program, "leads")["dispositions"].values()) >= 2, "it goes on")
