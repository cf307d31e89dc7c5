"""What the log says of a call after it settled it: an analysis, a call back, a cost, a better word.

The ledger keeps what is owed, so any process that runs later can wait for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignSpec
from dialer.domain.disposition import Disposition
from dialer.domain.redial import Redial, Settle
from dialer.pipeline.explain_rows import ANOTHER_ROW
from dialer.pipeline.follow_calls import TALKED, FollowCalls
from dialer.pipeline.read_log import LogReading
from dialer.ports import AttemptRow, KnownCall, Ledger, LedgerView, Matched

FIRST_S, LONGEST_S = 5.0, 240.0
"""The log is asked again for what is owed so soon, then after twice the time, at most so long."""
LOOK_S = 30.0
"""How often the ledger is asked whether anything is owed, by others or since before."""


@dataclass
class LateWords:
    """Of one account."""

    ledger: Ledger
    view: LedgerView
    follow: FollowCalls
    account: str
    wait_s: float = FIRST_S
    next_at: float = 0.0
    idle: bool = True
    _specs: Mapping[str, CampaignSpec] = field(default_factory=dict)

    async def since(self, now: float) -> float | None:
        """When the oldest call with news owed began, if it is time to look for the news."""
        if now < self.next_at:
            return None
        owed = await self.ledger.owed(self.account)
        self.idle = not owed.calls
        self.next_at = now + (LOOK_S if self.idle else self.wait_s)
        self.wait_s = FIRST_S if self.idle else min(LONGEST_S, 2 * self.wait_s)
        return None if self.idle else owed.since

    def mind(self, recorded: Sequence[Matched], now: float) -> None:
        """Note that more is owed about one of these calls."""
        if self.idle and any(row.owed_until is not None for row in recorded):
            self.idle, self.wait_s = False, FIRST_S
            self.next_at = min(self.next_at, now + FIRST_S)

    async def corrections(
        self, scan: LogReading, better: Mapping[str, int], specs: Mapping[int, CampaignSpec]
    ) -> list[Matched]:
        """Later news of settled calls; ``better``: further rows of settled calls, which say more."""
        self._specs = {spec.name: spec for spec in specs.values() if spec.provider == self.account}
        corrections = []
        for call_id, row in scan.rows.items():
            known = scan.known.get(call_id)
            if call_id in better:
                corrections.append(await self._beside(row, better[call_id]))
            elif known is not None and known.settled and known.attempt_id is not None:
                correction = await self._correction(row, known, known.attempt_id)
                corrections += [correction] if correction is not None else []
        if corrections:
            self.wait_s = FIRST_S
        return corrections

    async def _beside(self, row: CallLog, attempt_id: int) -> Matched:
        attempt = await self._attempt(attempt_id)
        spec = self._specs.get(attempt.campaign)
        follow = None if spec is None or row.disposition is None else self._follow(spec, attempt, row, row.disposition)
        return Matched(row, attempt_id, ANOTHER_ROW, follow)

    async def _correction(self, row: CallLog, known: KnownCall, attempt_id: int) -> Matched | None:
        before, now_said = known.disposition, _better(known.disposition, row.disposition)
        calls_back = row.callback_requested and not known.called_back and now_said is Disposition.ANSWERED
        cost_changed = row.cost is not None and row.cost != known.cost
        changed = now_said is not before or calls_back or cost_changed
        if not changed and not (known.owed and self._has_all(row)):
            return None
        attempt = await self._attempt(attempt_id)
        spec = self._specs.get(attempt.campaign)
        if spec is None or now_said is None:
            return None
        row = replace(row, disposition=now_said)
        owed_until = self.follow.owed_until(spec, row)
        follow = self._follow(spec, attempt, row, now_said) if now_said is not before or calls_back else None
        return Matched(row, attempt_id, "told later", follow, owed_until=owed_until)

    def _has_all(self, row: CallLog) -> bool:
        return row.analysed and (row.cost is not None or not any(spec.max_cost for spec in self._specs.values()))

    def _follow(
        self, spec: CampaignSpec, attempt: AttemptRow, row: CallLog, disposition: Disposition
    ) -> Redial | Settle | None:
        """A redial follows only from a call that had settled its person; after silence there is one already."""
        follow = self.follow.after(spec, disposition, attempt.attempts_made, row)
        settled = attempt.disposition is Disposition.ANSWERED
        return follow if isinstance(follow, Settle) or settled else None

    async def _attempt(self, attempt_id: int) -> AttemptRow:
        return (await self.view.story(attempt_id=attempt_id))[0][0]


def _better(before: Disposition | None, after: Disposition | None) -> Disposition | None:
    """Talk corrects silence, a machine corrects talk, and one kind of silence another; nothing undoes a talk."""
    if after is None or (before in TALKED and after not in TALKED):
        return before
    if before is Disposition.VOICEMAIL and after is Disposition.ANSWERED:
        return before
    return after
