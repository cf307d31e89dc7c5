"""Campaigns by the calendar, as whole processes: reminders from a database, a start that a worker keeps."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialer.adapters.local.system_clock import SystemClock
from tests.acceptance.conftest import OpenHome, OpenProvider
from tests.acceptance.dialer_process import campaign_file, dialing, write_list

pytestmark = pytest.mark.acceptance

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_example_of_reminders_can_be_rehearsed(open_home: OpenHome, open_provider: OpenProvider) -> None:
    home = open_home(open_provider())
    (home.path / "examples").symlink_to(EXAMPLES)
    report = home.command("run", "--campaign", "examples/reminders.toml", "--json").json()

    assert (report["status"], report["import"]["queued"], report["contacts"]["total"]) == ("finished", 30, 30)
    assert report["contacts"]["reached"] >= 10
    assert report["contacts"]["pending"] == report["contacts"]["active"] == 0
    assert report["source"]["error"] == ""
    with sqlite3.connect(home.path / "home" / "ledger.db") as ledger:
        late = ledger.execute(
            "SELECT count(*) FROM attempts a JOIN contacts c ON c.id = a.contact_id WHERE a.dialed_at >= c.event_at"
        ).fetchone()
    ledger.close()
    assert late == (0,)


def test_a_worker_starts_a_campaign_when_its_time_has_come(open_home: OpenHome, open_provider: OpenProvider) -> None:
    home = open_home(open_provider())
    contacts = write_list(home.path / "list.csv", 3)
    options = dialing("vaanivoice")
    file = campaign_file(home, '[schedule]\nstart = "2100-01-01T00:00:00Z"')
    home.command("enqueue", str(contacts), *file, *options)
    assert home.report()["status"] == "scheduled"
    start = datetime.fromtimestamp(SystemClock().now() + 4, UTC).isoformat()
    file = campaign_file(home, f'[schedule]\nstart = "{start}"')
    home.command("enqueue", str(contacts), *file, *options)
    assert home.report()["schedule"]["start"][:19] == start[:19]
    worker = home.start("worker")
    home.until_status("finished")
    report = home.report()
    assert report["contacts"]["total"] == 3
    assert report["started_at"] >= start[:19]
    worker.signal(2)
    worker.ended()


def test_a_campaign_has_one_list(open_home: OpenHome, open_provider: OpenProvider) -> None:
    home = open_home(open_provider())
    (home.path / "examples").symlink_to(EXAMPLES)
    both = home.command("run", "list.csv", "--campaign", "examples/reminders.toml", code=2)
    assert "the campaign has a [source]: leave CONTACTS away" in both.err
    neither = home.command("enqueue", "--name", "n", "--agent", "a", code=2)
    assert "no list: give CONTACTS, or a campaign file with a [source]" in neither.err


def test_no_password_of_a_source_is_told_or_kept(open_home: OpenHome, open_provider: OpenProvider) -> None:
    home = open_home(open_provider(), SOURCE_PASSWORD="hunter2")
    file = home.path / "shop.toml"
    file.write_text(
        'name = "shop"\nagent = "a"\nprovider = "simulator"\n[source]\n'
        'url = "postgresql://shop:${SOURCE_PASSWORD}@127.0.0.1:1/shop"\nquery = "SELECT phone FROM people"\n'
    )
    failed = home.command("enqueue", "--campaign", str(file), code=1)
    assert "the source cannot be read" in failed.err
    assert "hunter2" not in failed.err + failed.out
    kept = [path for path in home.path.rglob("*") if path.is_file()]
    assert [path for path in kept if b"hunter2" in path.read_bytes()] == []
    assert os.environ.get("SOURCE_PASSWORD") is None
