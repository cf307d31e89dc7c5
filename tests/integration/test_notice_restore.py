"""A ledger that is older than what was done since: nobody whom the log shows to have been called is called again."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.queue.send_marks import KeptMarks
from dialer.domain.attempt import AttemptState as S
from dialer.domain.call import CallLog
from dialer.domain.campaign import CampaignStatus
from dialer.domain.disposition import Disposition as D
from dialer.errors import ServerFailed, UsageError
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.notice_restore import NoticeRestore
from dialer.ports import RESTORED
from tests.fakes.clock import ManualClock
from tests.fakes.provider import log_row
from tests.ledger_steps import ACCOUNT, FullLedger, claim, phone, place, running
from tests.log_desk import HORIZON_S, LogDesk


@pytest.fixture
async def ledger(ledger_url: str, clock: ManualClock) -> AsyncIterator[SqlLedger]:
    opened = await SqlLedger.open(ledger_url, clock)
    yield opened
    await opened.aclose()


@dataclass
class KeptInMemory:
    """SendMarks that survive."""

    sends: int = 0
    at: float = 0.0
    noted: list[int] = field(default_factory=list)

    async def highest(self) -> tuple[int, float]:
        return self.sends, self.at

    async def note(self, sends: int, at: float) -> None:
        self.sends, self.at = sends, at
        self.noted.append(sends)


@dataclass
class Copy(LogDesk):
    """The ledger as it was when the copy was taken: two of six people had been called."""

    marks: KeptInMemory = field(default_factory=KeptInMemory)

    async def restored(self, people: int = 6) -> "Copy":
        self.campaign = await running(self.ledger, people)
        self.calls = await place(self.ledger, self.campaign, 2, ids=self.ids)
        self.clock.skip(40)
        self.show(self.row(0), self.row(1))
        await self.tick()
        self.notice = NoticeRestore(self.reconciler, self.marks, every_s=5.0)
        return self

    def since(self, n: int, seconds: float, disposition: D | None = D.ANSWERED, **more: Any) -> CallLog:
        """A call to person ``n`` that was made after the copy."""
        at = self.calls[0].dialed_at + seconds
        told: dict[str, Any] = {"disposition": disposition, "agent": "agent-1", "token": f"lost-{n}-{seconds:g}"}
        return replace(log_row(f"lost-{n}-{seconds:g}", phone(n), at), **(told | more))

    async def called(self) -> dict[str, list[str]]:
        """Phone -> what its attempts came to."""
        found: dict[str, list[str]] = {}
        for row in await self.attempts():
            found.setdefault(row.phone, []).append(str(row.disposition or row.state))
        return found

    async def due(self) -> set[str]:
        """Who would be called now."""
        queued = {one.attempt_id for one in await claim(self.ledger, self.campaign)}
        return {row.phone for row in await self.attempts() if row.attempt_id in queued}


async def test_a_ledger_that_lacks_nothing_may_be_dialed_at_once(ledger: FullLedger, clock: ManualClock) -> None:
    copy = await Copy(ledger, clock, ids=True).restored()
    await copy.notice.look()
    assert copy.notice.may_dial
    assert copy.marks.noted == [2]
    assert (await copy.report()).log_notes == ()


@pytest.mark.parametrize("ids", [True, False])
async def test_calls_made_since_the_copy_are_taken_over(ledger: FullLedger, clock: ManualClock, ids: bool) -> None:
    copy = await Copy(ledger, clock, ids=ids).restored()
    copy.show(
        copy.since(5, 30, None, ended_at=None),
        copy.since(4, 20, D.BUSY),
        copy.since(3, 10),
        copy.row(0),
        copy.row(1),
    )
    await copy.notice.look()
    assert not copy.notice.may_dial, "others may still come up"
    found = await copy.called()
    assert (found[phone(3)], found[phone(4)], found[phone(5)]) == ([D.ANSWERED], [D.BUSY, S.PLANNED], [S.REVIEW])
    assert await copy.due() == {phone(6)}
    assert "3 calls that it did not know were taken over" in (await copy.report()).log_notes[0]
    clock.skip(10)
    copy.show(copy.since(5, 30), copy.since(4, 20, D.BUSY), copy.since(3, 10), copy.row(0), copy.row(1))
    await copy.tick()
    assert (await copy.called())[phone(5)] == [D.ANSWERED], "its row told later what it came to"


async def test_where_the_log_shows_every_call_the_account_goes_on_by_itself(
    ledger: FullLedger, clock: ManualClock
) -> None:
    copy = await Copy(ledger, clock, ids=True).restored()
    copy.show(copy.since(3, 10), copy.row(0), copy.row(1))
    await copy.notice.look()
    clock.skip(30)
    late = copy.since(4, 12)
    copy.show(late, copy.since(3, 10), copy.row(0), copy.row(1))
    await copy.notice.look()
    assert (await copy.called())[phone(4)] == [D.ANSWERED], "it came up while the account waited"
    clock.skip(HORIZON_S)
    await copy.notice.look()
    assert copy.notice.may_dial
    assert RESTORED not in await ledger.log_facts(ACCOUNT)


async def test_a_person_called_twice_since_is_not_called_a_third_time(ledger: FullLedger, clock: ManualClock) -> None:
    copy = await Copy(ledger, clock, ids=True).restored()
    copy.show(copy.since(3, 25), copy.since(3, 5, D.BUSY), copy.row(0), copy.row(1))
    await copy.notice.look()
    assert (await copy.called())[phone(3)] == [D.BUSY, D.ANSWERED]


async def test_where_the_log_hides_calls_the_operator_decides(ledger: FullLedger, clock: ManualClock) -> None:
    copy = await Copy(ledger, clock, ids=False).restored()
    copy.show(copy.since(3, 10), copy.row(0), copy.row(1))
    await copy.notice.look()
    clock.skip(HORIZON_S)
    await copy.notice.look()
    campaign = await ledger.campaign("spring")
    assert (campaign.status, copy.notice.may_dial) == (CampaignStatus.HALTED, False)
    assert "--after-restore" in campaign.halt_reason
    control = ControlCampaign(ledger, ledger, clock, 0.7)
    await control.move("spring", "start")
    clock.skip(10)
    await copy.notice.look()
    assert (await ledger.campaign("spring")).status is CampaignStatus.HALTED, "a plain start is not enough"
    await control.start_after_restore("spring")
    clock.skip(10)
    await copy.notice.look()
    assert copy.notice.may_dial
    with pytest.raises(UsageError, match="does not wait"):
        await control.start_after_restore("spring")


async def test_marks_that_are_ahead_of_the_ledger_hold_it_though_the_log_shows_nothing(
    ledger: FullLedger, clock: ManualClock
) -> None:
    copy = await Copy(ledger, clock, ids=True, marks=KeptInMemory(9, clock.now() + 35)).restored()
    await copy.notice.look()
    assert not copy.notice.may_dial
    clock.skip(HORIZON_S + 60)
    await copy.notice.look()
    assert (copy.notice.may_dial, copy.marks.sends) == (True, 2), "from here on it counts afresh"


async def test_a_ledger_restored_under_a_running_process_is_noticed(ledger: FullLedger, clock: ManualClock) -> None:
    copy = await Copy(ledger, clock, ids=True).restored()
    await copy.notice.look()
    copy.notice._most = 5  # it had seen five sends
    copy.show(copy.since(3, 10), copy.row(0), copy.row(1))
    await copy.notice.look()
    assert not copy.notice.may_dial


async def test_a_log_that_cannot_be_read_holds_the_account_and_says_so(ledger: FullLedger, clock: ManualClock) -> None:
    copy = await Copy(ledger, clock, ids=True).restored()
    copy.provider.pages = [ServerFailed("HTTP 500")]
    await copy.notice.look()
    assert not copy.notice.may_dial
    assert "HTTP 500" in (await copy.report()).log_notes[0]
    copy.show(copy.row(0), copy.row(1))
    await copy.notice.look()
    assert not copy.notice.may_dial, "not asked again at once"
    clock.skip(10)
    await copy.notice.look()
    assert copy.notice.may_dial


async def test_other_calls_of_the_account_hold_nobody_up(ledger: FullLedger, clock: ManualClock) -> None:
    copy = await Copy(ledger, clock, ids=True).restored()
    copy.show(
        copy.since(3, 10, agent="agent-2"),  # another agent's
        copy.since(900, 10),  # nobody of ours
        copy.since(4, -3600),  # long before
        replace(copy.since(5, 10), outbound=False),
        copy.row(0),
        copy.row(1),
    )
    await copy.notice.look()
    assert copy.notice.may_dial
    assert await copy.due() == {phone(n) for n in range(3, 7)}


async def test_who_opted_out_in_a_call_that_is_not_known_is_barred(ledger: FullLedger, clock: ManualClock) -> None:
    copy = await Copy(ledger, clock, ids=True).restored()
    copy.show(copy.since(3, 10, entities={"opt_out": "true"}), copy.row(0), copy.row(1))
    await copy.notice.look()
    assert await copy.barred() == [phone(3)]


async def test_a_copy_from_before_the_first_call_is_noticed(ledger: FullLedger, clock: ManualClock) -> None:
    copy = Copy(ledger, clock, ids=True)
    copy.campaign = await running(ledger, 3)
    clock.skip(40)
    copy.provider.pages = []
    lost = replace(log_row("lost", phone(1), clock.now() - 20), disposition=D.ANSWERED, token="t", agent="agent-1")
    copy.show(lost)
    notice = NoticeRestore(copy.reconciler, copy.marks, every_s=5.0)
    await notice.look()
    assert (await copy.called(), notice.may_dial) == ({phone(1): [D.ANSWERED]}, False)


async def test_marks_survive_in_redis_or_in_a_file(redis_url: str, tmp_path: Path) -> None:
    redis = Redis.from_url(redis_url)
    marks = KeptMarks(redis, tmp_path, "ledger-a")
    assert await marks.highest() == (0, 0.0)
    await marks.note(7, 100.0)
    assert await KeptMarks(redis, tmp_path / "elsewhere", "ledger-a").highest() == (7, 100.0)
    await redis.delete("dialer:ledger-a:sends")
    assert await marks.highest() == (7, 100.0)
    assert await KeptMarks(redis, tmp_path, "ledger-b").highest() == (0, 0.0)
    assert (tmp_path / "sends.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "sends.json").write_text(json.dumps({"ledger-a": "nonsense"}))
    assert await marks.highest() == (0, 0.0)
    await redis.aclose()
