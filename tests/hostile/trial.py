"""One list dialed by a real ``dialer run`` at a hostile provider, and what its books say of the result."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.acceptance.dialer_process import KEY, PATIENCE_S, Home, clock, dialing, finals, number, write_list
from tests.hostile.books import Books
from tests.hostile.habits import Habits
from tests.hostile.server import HostileServer

RATE, LINES = 100.0, 300
HORIZON_S, TIMEOUT_S = 8.0, 2.0
FOUND_AGAIN = 0.98
NOT_CALLED = frozenset({"", "invalid_number", "blocked", "rejected"})


@dataclass(frozen=True)
class Result:
    """What came of it, counted from the provider's books and the dialer's export."""

    code: int
    people: int
    final: int
    called: int
    twice: int
    not_known: int
    """Called, and the export does not say so."""
    lost_answers: int
    found_again: int
    differ: int
    """Calls whose outcome the log showed and the export tells otherwise."""
    unexplained: int
    strangers: int
    halted: str
    requests: int
    faults: int
    pages: int
    page_faults: int
    took_s: float
    err: str

    def against(self) -> list[str]:
        """What must not be."""
        wrong = {
            f"exit {self.code} {self.halted}": self.code != 0,
            f"{self.twice} people called twice": self.twice > 0,
            f"{self.people - self.final} of {self.people} people lost": self.final != self.people,
            f"{self.not_known} of {self.called} called people not known as called": self.not_known > 0,
            f"{self.found_again} of {self.lost_answers} lost answers found": (
                self.found_again < FOUND_AGAIN * self.lost_answers
            ),
            f"{self.differ} of {self.called} outcomes differ": self.differ > (1 - FOUND_AGAIN) * self.called,
            f"{self.unexplained} calls unexplained, {self.strangers} of strangers": self.unexplained > self.strangers,
        }
        return [words for words, is_wrong in wrong.items() if is_wrong]

    def told(self) -> str:
        """In a line."""
        return (
            f"{self.people} people, {self.called} called, {self.twice} twice, {self.people - self.final} lost, "
            f"{self.not_known} not known as called, {self.found_again} of {self.lost_answers} lost answers found, "
            f"{self.differ} differ, {self.faults} faults in {self.requests} requests, "
            f"{self.page_faults} in {self.pages} pages, {self.took_s:.0f} s"
        )


def settings(server: HostileServer) -> dict[str, str]:
    """For a dialer that need not wait long."""
    name = server.habits.dialect.upper()
    return {
        f"DIALER_{name}_BASE_URL": server.url,
        f"DIALER_{name}_API_KEY": KEY,
        "DIALER_RECONCILE_INTERVAL_S": "0.5",
        "DIALER_PROVIDER_TIMEOUT_S": str(TIMEOUT_S),
        "DIALER_UNKNOWN_HORIZON_S": str(HORIZON_S),
        "DIALER_MAX_CALL_S": "6",
    }


def dialed(habits: Habits, directory: Path, people: int, within_s: float = PATIENCE_S) -> Result:
    """Dial ``people`` people, one attempt each, to the end, at a provider of these habits."""
    with HostileServer(replace(habits, key=KEY), clock.now).listening() as server:
        result = _dialed(server, directory / f"{habits.dialect} {habits.name}", people, within_s)
        assert not server.books.refusals, server.books.refusals[:3]
        return result


def _dialed(server: HostileServer, path: Path, people: int, within_s: float) -> Result:
    path.mkdir()
    home, began = Home(path, settings(server)), clock.monotonic()
    dialect = server.habits.dialect
    contacts = write_list(path / "list.csv", people)
    try:
        running = home.start("run", str(contacts), *dialing(dialect, rate=RATE, lines=LINES), "--json")
        ended = running.ended(within_s)
        took_s = clock.monotonic() - began
        report = ended.json() if ended.code == 0 else home.report()
        rows = {row["phone"]: row for row in home.export()}
    finally:
        home.end()
    return judge(server.books, rows, report, people, ended.code, took_s, ended.err)


def judge(
    books: Books, rows: Mapping[str, Mapping[str, str]], report: Mapping[str, object], people: int, code: int,
    took_s: float, err: str,
) -> Result:  # fmt: skip
    """Compare."""
    calls = books.by_number()
    assert set(calls) <= {number(n) for n in range(people)}, "somebody was called who is on no list"
    assert set(rows) <= {number(n) for n in range(people)}
    told = {phone: rows[phone]["disposition"] for phone in rows}
    lost = books.lost_answers()
    return Result(
        code=code,
        people=people,
        final=finals(dict(report)),
        called=len(calls),
        twice=sum(1 for one in calls.values() if len(one) > 1),
        not_known=sum(1 for phone in calls if told.get(phone, "") in NOT_CALLED or rows[phone]["attempts"] != "1"),
        lost_answers=len(lost),
        found_again=sum(1 for call in lost if told.get(call.to, "") not in NOT_CALLED | {"unconfirmed"}),
        differ=sum(1 for phone, (call, *_) in calls.items()
                   if call.shown_at < float("inf") and told.get(phone, "") != call.told),
        unexplained=int(str(report["unexplained_calls"])),
        strangers=sum(1 for call in books.calls if not call.ours),
        halted=str(report["halt_reason"]),
        requests=len(books.requests),
        faults=sum(1 for _, _, fault in books.requests if fault),
        pages=books.pages,
        page_faults=books.page_faults,
        took_s=took_s,
        err=err,
    )  # fmt: skip
