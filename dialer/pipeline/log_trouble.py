"""A log that cannot be read: it is reported, and nobody is called blindly for long."""

import json
from dataclasses import dataclass

import structlog

from dialer.errors import KeyRefused, NotFound, ProviderError
from dialer.ports import Clock, Ledger, Pacer

log = structlog.get_logger()

LOOKS_BEFORE_HALT = 2
"""So many readings in a row that are turned away halt the account: one such answer may be odd."""
LONGEST_REST_S = 60.0
TROUBLE = "trouble"


@dataclass
class LogTrouble:
    """Of one account. ``horizon_s``: for how long calls go on without the log."""

    ledger: Ledger
    pacer: Pacer
    clock: Clock
    account: str
    horizon_s: float
    denied: int = 0
    failed: int = 0
    since: float | None = None
    text: str = ""

    async def mind(self, failure: ProviderError, *, calling: bool) -> None:
        """A reading failed. ``calling``: campaigns of the account run."""
        now = self.clock.now()
        self.failed += 1
        self.since = now if self.since is None else self.since
        log.warning("log.unreadable", account=self.account, in_a_row=self.failed, error=str(failure))
        turned_away = isinstance(failure, KeyRefused | NotFound)
        self.denied = self.denied + 1 if turned_away else 0
        if self.denied >= LOOKS_BEFORE_HALT and calling:
            self.denied = 0
            reason = (
                f"the call log cannot be read: {failure}. Without it nobody knows who was reached: let the key read "
                "it, then `dialer start`"
            )
            halted = await self.ledger.halt_account(self.account, reason)
            log.error("log.denied", account=self.account, campaigns=halted)
        elif now - self.since > self.horizon_s:
            await self.pacer.brake(self.account, 2 * LONGEST_REST_S)
        if str(failure) != self.text:
            self.text = str(failure)
            await self.ledger.note_log(self.account, {TROUBLE: json.dumps({"since": self.since, "text": self.text})})

    async def over(self) -> None:
        """The log was read."""
        if self.text:
            await self.ledger.note_log(self.account, {TROUBLE: ""})
        self.failed, self.denied, self.since, self.text = 0, 0, None, ""

    def recall(self, fact: str) -> None:
        """What another process, or one before, noted."""
        if fact and self.since is None:
            trouble = json.loads(fact)
            self.since, self.text = trouble["since"], trouble["text"]

    def words(self) -> list[str]:
        """For the report."""
        if not self.text or self.since is None:
            return []
        held = self.clock.now() - self.since > self.horizon_s
        return [
            f"the call log cannot be read: {self.text}" + (". No more calls are placed until it can be" if held else "")
        ]

    def rest_s(self, interval_s: float) -> float:
        """How long to wait after readings that failed: longer each time."""
        return min(max(LONGEST_REST_S, interval_s), interval_s * 2.0 ** min(self.failed, 10)) if self.failed else 0.0
