"""start, pause, resume, cancel, campaigns, report, attempts."""

from config import Settings
from dialer.adapters.ledger import SqlLedger
from dialer.bootstrap import open_report
from dialer.cli.opening import number, with_ledger
from dialer.cli.printing import local, masked, print_json, print_table, put
from dialer.cli.report_table import print_report
from dialer.errors import UnknownName, UsageError
from dialer.pipeline.iso import iso
from dialer.pipeline.report import campaign_document
from dialer.pipeline.tell_story import History, TellStory, history_document, moments
from dialer.ports import Campaign

LONGEST_ID = 18
"""Digits; the ledger counts to 2**63."""


def list_campaigns(*, as_json: bool) -> None:
    """All campaigns, oldest first."""

    async def use(_: Settings, ledger: SqlLedger) -> list[Campaign]:
        return await ledger.campaigns()

    rows = [campaign_document(campaign) for campaign in with_ledger(use)]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("campaign", "provider", "status", "started", "finished"),
            [
                [row["campaign"], row["provider"], row["status"], local(row["started_at"]), local(row["finished_at"])]
                for row in rows
            ],
        )


def show_report(name: str, *, as_json: bool) -> None:
    """One campaign, counted."""

    async def use(settings: Settings, ledger: SqlLedger) -> dict[str, object]:
        async with open_report(settings, ledger) as report:
            return await report.document(name)

    document = with_ledger(use)
    if as_json:
        print_json(document)
    else:
        print_report(document)


def show_attempts(who: str, region: str, *, as_json: bool) -> None:
    """The story of a person (a phone number) or of one attempt (its id)."""
    phone, attempt_id = _whom(who, region)

    async def use(_: Settings, ledger: SqlLedger) -> list[History]:
        return await TellStory(ledger, ledger.clock, ledger.webhooks).of(phone=phone, attempt_id=attempt_id)

    story = with_ledger(use)
    if not story:
        whom = "to this number" if phone else f"with the id {attempt_id}"
        hint = "" if phone else ' (a phone number begins with "+", or needs --region)'
        raise UnknownName(f"no attempt {whom} was made yet{hint}")
    if as_json:
        print_json([history_document(history) for history in story])
        return
    for history in story:
        attempt = history.attempt
        outcome = f" · {attempt.disposition}" if attempt.disposition else ""
        rehearsal = " (rehearsal)" if history.is_rehearsal else ""
        title = f"attempt {attempt.attempt_id} · {attempt.campaign}{rehearsal} · {masked(attempt.phone)}"
        put(f"{title} · try {attempt.number_of} · {attempt.state}{outcome}")
        for moment in moments(history):
            put(f"  {iso(moment.at)}  {moment.what}")


def _whom(who: str, region: str) -> tuple[str, int]:
    """Digits alone are an id, unless a region says that they are a number in its own format."""
    if who.isascii() and who.isdigit() and not region:
        if len(who) > LONGEST_ID:
            raise UsageError(f'{len(who)} digits are no id of an attempt: write a phone number with "+", or --region')
        return "", int(who)
    return number(who, region), 0
