"""Steps that the tests of workers share."""

from tests.acceptance.dialer_process import Home, Provider, Running, dialing, finals, write_list

RATE = 25


def enqueue(home: Home, count: int) -> None:
    home.command("enqueue", str(write_list(home.path / "list.csv", count)), *dialing(rate=RATE))


def recorded(worker: Running) -> int:
    """Calls this worker placed, by its debug log."""
    return worker.err.read_text().count('"result": "Placed"')


def assert_all_once(home: Home, provider: Provider, count: int, unsure: int = 0) -> None:
    """Nobody twice, everybody final; up to ``unsure`` intents of a killed worker may never have left."""
    books = provider.books()
    assert {len(one) for one in books.by_number().values()} == {1}
    assert count - unsure <= len(books.calls) <= count
    report = home.report()
    assert finals(report) == count
    assert report["unconfirmed"] == count - len(books.calls)
    outcomes = {call["to"]: call["outcome"] for call in books.calls}
    told = {row["phone"]: row["disposition"] for row in home.export()}
    assert {phone: told[phone] for phone in outcomes} == outcomes
