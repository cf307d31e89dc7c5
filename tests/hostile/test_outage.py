"""The provider goes away while a campaign is dialed, and comes back: nobody is lost, and nothing bursts."""

import json
from pathlib import Path

import pytest

from tests.acceptance.dialer_process import KEY, Home, clock, dialing, finals, stays, until, write_list
from tests.hostile.habits import Habits
from tests.hostile.server import HostileServer
from tests.hostile.trial import judge, settings

PEOPLE, RATE, LINES = 100, 10.0, 60
AWAY_S, BACK_WITHIN_S = 20.0, 25.0


@pytest.mark.timeout(200)
def test_a_provider_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    habits = Habits("vaanivoice", key=KEY, fault_share=0.0, page_faults=0.0)
    with HostileServer(habits, clock.now).listening() as server:
        home = Home(tmp_path, settings(server))
        dialer = home.start("run", str(write_list(tmp_path / "list.csv", PEOPLE)),
                            *dialing("vaanivoice", rate=RATE, lines=LINES), "--json")  # fmt: skip
        try:
            until(lambda: len(server.books.calls) >= 30, "30 calls")
            server.leave()
            assert stays(lambda: dialer.alive, AWAY_S), "it gave up"
            back, before = clock.now(), len(server.books.requests)
            server.come()
            until(lambda: len(server.books.requests) > before, "the first call after the outage", BACK_WITHIN_S)
            ended = dialer.ended(140)
            report = ended.json()
            rows = {row["phone"]: row for row in home.export()}
        finally:
            home.end()
        result = judge(server.books, rows, report, PEOPLE, ended.code, clock.now() - back, ended.err)
    assert not result.against(), f"{result.against()}: {result.told()}\n{ended.err[-3000:]}"
    assert finals(report) == PEOPLE
    after = [at for at, _, _ in server.books.requests if at >= back]
    most = max(sum(1 for at in after if begin <= at < begin + 1) for begin in after)
    assert most <= RATE + 1, f"{most} requests in a second"
    told = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
    failing = [line for line in told if line["event"] == "provider.failing"]
    assert 1 <= len(failing) <= 10
    assert all("no connection" in line["reason"] or "connection broke" in line["reason"] for line in failing)
    print(f"away {AWAY_S:g} s: {result.told()}; said {len(failing)} times: {failing[0]['reason']}")
