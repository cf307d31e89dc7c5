"""The commands that look at the provider directly, against a simulator process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from dialer.adapters.local.system_clock import SystemClock
from dialer.cli.app import app
from dialer.errors import NotFound, UsageError
from dialer.simulator.clock import VirtualClock
from tests.simulator_thread import simulator_thread

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
AGENT_NUMBER, PERSON = "+16505550100", "+14155550123"


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    """A simulator whose calls are over at once, whose sockets break three times, and recordings once."""
    with simulator_thread(session_talk_s=1.0, socket_drops=3, recording_cuts=1, vaani_recording_url=True) as url:
        yield url


@pytest.fixture
def home(simulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose providers are both the simulator."""
    for name in [name for name in os.environ if name.startswith("DIALER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIALER_HOME", str(tmp_path / "home"))
    for name in ("VAANI", "VAANIVOICE"):
        monkeypatch.setenv(f"DIALER_{name}_BASE_URL", simulator)
        monkeypatch.setenv(f"DIALER_{name}_API_KEY", "any")
    return tmp_path


def run(*words: str, code: int = 0, typed: str | None = None) -> Any:
    """Run a command; its JSON when it was asked for, else its stdout."""
    ended = CliRunner().invoke(app, words, input=typed)
    assert ended.exit_code == code, f"{ended.output}\n{ended.exception!r}"
    return json.loads(ended.stdout) if "--json" in words else ended.stdout


def refused(*words: str) -> str:
    """Run a command that must be refused; why."""
    ended = CliRunner().invoke(app, words)
    assert isinstance(ended.exception, UsageError | NotFound), ended.output
    return str(ended.exception)


def placed(url: str) -> str:
    """Place a call on vaanivoice; its id."""
    body = {"agent_id": "agent-1", "contact_number": PERSON, "name": "Ann", "metadata": {"ref": "k1"}}
    answer = httpx.post(f"{url}/api/trigger-call/", json=body, headers={"x-api-key": "any"}, trust_env=False)
    return str(answer.json()["output"]["call_id"])


def dialed(url: str) -> None:
    """Place a call on vaani."""
    body = {"agent_phone_number": AGENT_NUMBER, "phone_number_to_dial": PERSON}
    httpx.post(f"{url}/calls/outbound_call", json=body, headers={"x-api-key": "any"}, trust_env=False)


def names(agents: Sequence[dict[str, Any]]) -> list[str]:
    return [agent["display_name"] for agent in agents]


@pytest.mark.usefixtures("home")
def test_an_agent_from_its_making_to_its_end(home: Path) -> None:
    (home / "persona.json").write_text('{"identity": {"system_prompt": "Be kind."}}')
    (home / "agent.toml").write_text('[persona.identity]\nsystem_prompt = "Hi."\n')
    made = run("agents", "create", "Winbacks", "--config", "agent.toml", "--json")
    agent = made["agent"]
    assert made["created"] is True
    assert "Winbacks" in names(run("agents", "--json"))
    assert names(run("agents", "list", "--search", "winb", "--json")) == ["Winbacks"]
    assert "Winbacks" in run("agents")
    assert run("agents", "update", agent, "persona.json", "--section", "persona", "--json")["updated"] is True
    assert run("agents", "show", agent, "--json")["display_name"] == "Winbacks"
    assert f"id: {agent}" in run("agents", "show", agent)
    assert "persona, training" in refused("agents", "update", agent, "persona.json")
    run("agents", "delete", agent, typed="n\n", code=1)
    assert run("agents", "delete", agent, typed="y\n").strip().endswith(f"deleted: {agent}")
    assert "not found" in refused("agents", "show", agent)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("content", "named"), [("[1]", "no object"), ("{", "not readable"), (None, "cannot be read")])
def test_a_configuration_that_cannot_be_read_is_refused(content: str | None, named: str) -> None:
    if content is not None:
        Path("agent.json").write_text(content)
    assert named in refused("agents", "create", "Bot", "--config", "agent.json")


@pytest.mark.usefixtures("home")
def test_agents_of_vaani_go_by_their_number() -> None:
    found = run("agents", "--provider", "vaani", "--json")
    assert [agent["agent"].startswith("+") for agent in found] == [True] * len(found)
    Path("agent.json").write_text("{}")
    assert "sections" in refused("agents", "update", "x", "agent.json", "--section", "persona", "--provider", "vaani")


@pytest.mark.usefixtures("home")
def test_calls_are_listed_and_one_is_shown_with_all_that_was_said(simulator: str, home: Path) -> None:
    call_id = placed(simulator)
    (newest,) = run("calls", "--limit", "1", "--json")
    assert (newest["call_id"], newest["to"], newest["disposition"]) == (call_id, PERSON, "answered")
    assert run("calls", "--disposition", "busy", "--json") == []
    assert run("calls", "--since", "2100-01-01", "--json") == run("calls", "--until", "2000-01-01", "--json") == []
    table = run("calls")
    assert call_id in table and PERSON not in table
    shown = run("call", call_id, "--transcript", "--recording", "said.ogg", "--json")
    assert shown["transcript"].startswith("AGENT: ")
    assert (home / "said.ogg").stat().st_size == shown["recording"]["bytes"] > 0
    told = run("call", call_id, "--transcript")
    assert "AGENT: " in told and PERSON not in told
    assert "not found" in refused("call", "outbound-0-00000000")


@pytest.mark.usefixtures("home")
def test_calls_of_vaani(simulator: str) -> None:
    dialed(simulator)
    mine = ["--provider", "vaani", "--json"]
    (found,) = run("calls", "--since", "2020-01-01", "--agent", AGENT_NUMBER, *mine)
    assert run("calls", "--agent", "+16505550199", *mine) == []
    shown = run("call", found["call_id"], "--transcript", "--recording", "said.ogg", *mine)
    assert shown["recording"]["bytes"] > 0
    assert shown["transcript"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("calls", "--since", "yesterday"), "2026-02-01"),
        (("calls", "--disposition", "sad"), "answered"),
        (("calls", "--provider", "acme"), "vaanivoice"),
    ],
)
def test_a_filter_that_cannot_be_read_names_what_can(words: tuple[str, ...], named: str) -> None:
    assert named in refused(*words)


@pytest.mark.usefixtures("home")
def test_without_a_key_the_ways_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VAANI", "VAANIVOICE"):
        monkeypatch.delenv(f"DIALER_{name}_API_KEY")
    assert "dialer simulator" in refused("agents")
    assert run("agents", "--provider", "simulator", "--json")[0]["agent"]


@pytest.mark.usefixtures("home")
def test_a_session_is_followed_over_three_dropped_sockets() -> None:
    agent = run("agents", "--json")[0]["agent"]
    session = run("session", agent, "--connect", "--json")
    assert session["session_url"].startswith("http") and session["lk_token"]
    assert [event["event"] for event in session["events"]][-1] == "session_ended"
    assert [event["event"] for event in session["events"]].count("agent_ready") == 1
    assert run("session", agent, "--no-follow", "--json")["events"] == []
    assert run("session", AGENT_NUMBER, "--provider", "vaani", "--json")["access_token"]


@pytest.mark.usefixtures("home")
def test_every_command_of_the_page_works(simulator: str) -> None:
    block = PAGE.read_text().split("```sh\n")[1].split("```")[0]
    lines = [line for line in block.splitlines() if line.startswith("dialer ")]
    # Running a campaign, and fetching what was said in it, is tests/acceptance/test_export_files.py.
    shown = [line for line in lines if line.split()[1] not in {"run", "export"}]
    assert len(lines) - len(shown) == 2 and len(shown) >= 9
    call_id = placed(simulator)
    for line in shown:
        run(*line.replace("CALL_ID", call_id).split()[1:])


def test_the_program_of_the_page_works(home: Path) -> None:
    program = PAGE.read_text().split("<!-- client.py -->\n```python\n")[1].split("```")[0]
    for outcome in ("answered", "no_answer"):
        folder = home / outcome
        folder.mkdir()
        with simulator_thread(outcomes={outcome: 1.0}, no_answer_ring_s=(0.0, 0.0)) as url:
            call_id = placed(url)
            ended = subprocess.run(
                [sys.executable, "-c", program.replace("http://127.0.0.1:8089", url)],
                cwd=folder, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (0, "")
        assert call_id in ended.stdout
        assert (folder / f"{call_id}.wav").exists() == (outcome == "answered")


@pytest.mark.usefixtures("home")
def test_the_doctor_finds_all_well_and_probes_calling_nobody(simulator: str) -> None:
    placed(simulator)
    books = httpx.get(f"{simulator}/_sim/books", trust_env=False).json()
    found = run("doctor", "--probe", "--json")
    assert found["ok"] is True
    checks = {one["check"] for one in found["checks"]}
    assert checks >= {"settings", "home", "redis", "ledger", "vaani key", "vaanivoice key", "vaanivoice probe"}
    assert {"vaani clock", "vaanivoice clock"} <= {one["check"] for one in found["checks"] if one["ok"] is True}
    told = " ".join(one["message"] for one in found["checks"])
    assert "order of the log" in told and "echoes our own keys: yes" in told
    after = httpx.get(f"{simulator}/_sim/books", trust_env=False).json()
    assert len(after["calls"]) == len(books["calls"])


@pytest.mark.usefixtures("home")
def test_the_doctor_says_how_to_mend_what_is_not_well(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("DIALER_VAANIVOICE_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("DIALER_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DIALER_DATABASE_URL", "postgresql://nobody:pw@127.0.0.1:1/none")
    found = run("doctor", "--json", code=1)
    remedies = {one["check"]: one["remedy"] for one in found["checks"] if one["ok"] is False}
    assert set(remedies) == {"redis", "ledger", "vaanivoice key"}
    assert "DIALER_REDIS_URL" in remedies["redis"] and "DIALER_VAANIVOICE_BASE_URL" in remedies["vaanivoice key"]
    assert "pw" not in json.dumps(found)
    monkeypatch.setenv("DIALER_REDIS_ULR", "x")
    assert "DIALER_REDIS_URL" in run("doctor", code=1)


@pytest.mark.usefixtures("home")
def test_the_doctor_sees_that_a_clock_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    an_hour_ahead = VirtualClock(SystemClock().now() + 3600)
    with simulator_thread(an_hour_ahead) as url:
        monkeypatch.setenv("DIALER_VAANIVOICE_BASE_URL", url)
        found = {one["check"]: one for one in run("doctor", "--json", code=1)["checks"]}
    assert found["vaani clock"]["ok"] is True and found["vaanivoice clock"]["ok"] is False
    assert found["vaanivoice clock"]["message"].startswith("the provider's clock is +3")
    assert "NTP" in found["vaanivoice clock"]["remedy"]


@pytest.mark.usefixtures("home")
def test_the_doctor_looks_at_agents_and_caller_ids_of_campaigns(home: Path) -> None:
    (home / "list.csv").write_text(f"phone\n{PERSON}\n")
    campaign = 'name = "c"\nprovider = "vaanivoice"\nagent = "nobody"\ncaller_ids = ["+14155550199"]\n'
    (home / "campaign.toml").write_text(campaign)
    run("enqueue", "list.csv", "--campaign", "campaign.toml")
    found = {one["check"]: one for one in run("doctor", "--json", code=1)["checks"]}
    assert found["vaanivoice agent"]["ok"] is False and "dialer agents" in found["vaanivoice agent"]["remedy"]
    assert found["vaanivoice caller ids"]["ok"] is None
    assert "+14155550199" not in json.dumps(found)
