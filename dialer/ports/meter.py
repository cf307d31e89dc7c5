"""What is counted while it happens, for those who watch the program from outside."""

from collections.abc import Mapping

from dialer.domain.call import CallLog, PlaceResult
from dialer.domain.contact import ContactStatus
from dialer.ports.records import GateAnswer


class Meter:
    """Counts nothing; what counts overrides this. No method waits, fails, or changes what the rooms do."""

    def judged(self, answer: GateAnswer) -> None:
        """The gate said this of one attempt."""

    def asked(self, account: str, result: PlaceResult, delay_s: float | None, took_s: float | None) -> None:
        """A provider answered. ``delay_s`` from its turn to the first byte, ``took_s`` from there to the answer; None
        where nothing left.
        """

    def ended(self, account: str, call: CallLog) -> None:
        """The call log settled an attempt."""

    def absent(self, account: str, dispositions: Mapping[str, int]) -> None:
        """So many attempts ended without a row: disposition -> how many."""

    def finished(self, status: ContactStatus) -> None:
        """A person is final."""

    def read(self, account: str, pages: int, result: str) -> None:
        """The call log was read: "whole", "partial" or "failed"."""

    def rows(self, account: str, match: str, rows: int) -> None:
        """So many rows of the log are "ours", "known", "unexplained" or "unmapped"."""

    def lied(self, account: str, calls: int) -> None:
        """The log shows so many calls that the provider had said it did not place."""

    def committed(self, took_s: float, items: int) -> None:
        """The ledger wrote so many items in one transaction."""

    def redis_failed(self) -> None:
        """A command did not get through to Redis."""


UNMETERED = Meter()
