"""An in-memory Ledger and LedgerView on an injected clock: the same contract, one process, no SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dialer.domain.attempt import WAITING, Actor, AttemptState, allowed
from dialer.domain.call import NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.campaign import CAMPAIGN_TRANSITIONS, CampaignSpec, CampaignStatus, hours_changed, verb_now
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.contact_plan import GONE
from dialer.domain.gate import Admit, Defer, Exhaust, Expire, GateFacts, Suppress, judge
from dialer.domain.opening import CLOSED_WORDS
from dialer.ports import (
    Absent,
    Admitted,
    Campaign,
    GateAnswer,
    GateRequest,
    ImportCounts,
    Matched,
    SendOutcome,
    Suppression,
    Turned,
)
from tests.fakes.ledger_records import Agenda, Person, Try
from tests.fakes.ledger_source import MemorySource

S, A = AttemptState, Actor


ENDS = {
    Suppress: ContactStatus.SUPPRESSED,
    Exhaust: ContactStatus.EXHAUSTED,
    Expire: ContactStatus.EXPIRED,
}


class MemoryLedger(MemorySource):
    """Deterministic: the same commands at the same moments give the same answers, ids and events."""

    identity = "memory"

    async def aclose(self) -> None:
        self.unavailable = True

    # import

    async def open_campaign(self, spec: CampaignSpec) -> Campaign:
        now, campaign_id = self._now(), self._ids.get(spec.name)
        if campaign_id is not None:
            before = self._campaigns[campaign_id].spec
            self._campaigns[campaign_id] = replace(self._campaigns[campaign_id], spec=spec)
            if hours_changed(before, spec):
                self._look_again(campaign_id, now)
            return self._campaigns[campaign_id]
        campaign_id = self._ids[spec.name] = len(self._ids) + 1
        self._fresh[campaign_id], self._planned[campaign_id] = Agenda(), Agenda()
        made = Campaign(campaign_id, spec, CampaignStatus.DRAFT, created_at=now)
        self._campaigns[campaign_id] = made
        return replace(made, is_new=True)

    def _look_again(self, campaign_id: int, now: float) -> None:
        """Who waits for an opening of the old window is looked at again when the window changes."""
        for person in self._people.values():
            later = person.campaign_id == campaign_id and person.due_at is not None and person.due_at > now
            if later and person.waits_for.startswith(CLOSED_WORDS):
                person.due_at, person.waits_for = now, ""
                self._fresh[campaign_id].add(now, person.contact_id)
        for t in self._of_campaign(campaign_id, S.PLANNED):
            if t.due_at > now and t.reason.startswith(CLOSED_WORDS):
                t.due_at = now
                self._planned[campaign_id].add(now, t.attempt_id)

    async def add_contacts(self, campaign_id: int, contacts: Sequence[NewContact]) -> list[str]:
        now = self._now()
        return [self._add(campaign_id, contact, now) for contact in contacts]

    async def record_import(self, campaign_id: int, fingerprint: str, source: str, counts: ImportCounts) -> None:
        del source
        self._now()
        before = self._imports.get((campaign_id, fingerprint))
        if before is not None:
            queued, suppressed = before.queued + counts.queued, before.suppressed + counts.suppressed
            deferred = before.deferred + counts.deferred
            rest = counts.rows - queued - suppressed - counts.invalid - deferred
            counts = replace(counts, queued=queued, suppressed=suppressed, deferred=deferred, duplicate=rest)
        self._imports[campaign_id, fingerprint] = counts

    # control

    async def move_campaign(self, campaign_id: int, verb: str, reason: str) -> Campaign | None:
        now, campaign = self._now(), self._campaigns[campaign_id]
        allowed_from, after = CAMPAIGN_TRANSITIONS[verb_now(verb, campaign.spec, campaign.status, now)]
        if campaign.status not in allowed_from:
            return None
        running = after is CampaignStatus.RUNNING
        over = after in (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
        started_at = now if running and campaign.started_at is None else campaign.started_at
        self._campaigns[campaign_id] = replace(
            campaign,
            status=after,
            halt_reason=reason if after is CampaignStatus.HALTED else "",
            started_at=started_at,
            finished_at=now if over else None,
        )
        if after is CampaignStatus.CANCELLED:
            self._end_waiting(self._of_campaign(campaign_id, *WAITING), A.OPERATOR, "campaign cancelled")
            self._settle_idle(self._people.values(), campaign_id, ContactStatus.CANCELLED)
        elif not running:
            for queued in self._of_campaign(campaign_id, S.QUEUED):
                self._move(queued, S.PLANNED, A.OPERATOR, f"campaign {after}")
        return self._campaigns[campaign_id]

    def _settle_idle(self, people: Iterable[Person], campaign_id: int, status: ContactStatus) -> None:
        for person in people:
            if campaign_id in (0, person.campaign_id) and person.is_open and not self._has_live(person):
                self._close(person, status)

    async def halt_account(self, account: str, reason: str) -> list[str]:
        self._now()
        halted = []
        for campaign in list(self._campaigns.values()):
            stops = campaign.status in (CampaignStatus.RUNNING, CampaignStatus.SCHEDULED)
            if campaign.spec.provider == account and stops:
                await self.move_campaign(campaign.campaign_id, "halt", reason)
                halted.append(campaign.spec.name)
        self._halted_at[account] = len(self._passages)
        return halted

    async def suppress(self, entries: Sequence[Suppression]) -> list[bool]:
        now, added = self._now(), []
        for entry in entries:
            campaign_id = entry.campaign_id or 0
            if entry.once in self._suppressed_once:
                added.append(False)
                continue
            self._suppressed_once |= {entry.once} - {""}
            added.append((entry.phone, campaign_id) not in self._suppressions)
            kept = replace(entry, campaign_id=entry.campaign_id or None, added_at=now, once="")
            self._suppressions.setdefault((entry.phone, campaign_id), kept)
            owners = [campaign_id] if campaign_id else list(self._campaigns)
            people = [p for owner in owners if (p := self._known.get((entry.phone, owner)))]
            waiting = [t for p in people for t in self._tries_of(p) if t.state in WAITING]
            self._end_waiting(waiting, A.OPERATOR, "suppressed")
            self._settle_idle(people, campaign_id, ContactStatus.SUPPRESSED)
        return added

    async def unsuppress(self, phones: Sequence[str], campaign_id: int | None = None) -> list[bool]:
        self._now()
        return [self._suppressions.pop((phone, campaign_id or 0), None) is not None for phone in phones]

    # dialing

    async def pass_gate(self, requests: Sequence[GateRequest]) -> list[GateAnswer]:
        now = self._now()
        return [self._judge(request, now) for request in requests]

    def _judge(self, request: GateRequest, now: float) -> GateAnswer:
        t = self._tries.get(request.attempt_id)
        if t is None:
            return Turned(request.attempt_id, S.CANCELLED, "no such attempt")
        match verdict := judge(self._facts(t), request, now):
            case Admit(why):
                self._move(t, S.DIALING, A.WORKER, why)
                self._passed(t)
                return self._admit(t, request, now)
            case Defer(until, why, clock):
                t.due_at = until
                self._move(t, S.PLANNED, A.WORKER, why, f"{why}; clock {clock}" if clock else why)
            case Suppress(why) | Exhaust(why) | Expire(why):
                t.ended_at = now
                self._move(t, S.CANCELLED, A.WORKER, why)
                if t.person.is_open:
                    self._close(t.person, ENDS[type(verdict)], why)
        return Turned(t.attempt_id, t.state, verdict.why)

    def _facts(self, t: Try) -> GateFacts:
        campaign = self._campaigns[t.campaign_id]
        return GateFacts(
            state=t.state,
            dispatch=t.dispatch,
            due_at=t.due_at,
            campaign_status=campaign.status,
            suppressed_by=self._suppressed_by(t.phone, t.campaign_id),
            number_is_live=t.phone in self._live_phones,
            zones=campaign.spec.zones_of(t.person.new.zones),
            window=campaign.spec.window,
            places=t.person.new.places,
            limits=campaign.spec.limits,
            other_hour=campaign.spec.redial.other_hour,
            made=self._made(t.person.new),
            event_at=t.person.new.event_at if campaign.spec.reminder.event else None,
            ends_at=campaign.spec.schedule.end,
        )

    def _admit(self, t: Try, request: GateRequest, now: float) -> Admitted:
        t.token, t.dialed_at, t.answer_due_at = request.token, now, now + request.answer_within_s
        person, new = t.person, t.person.new
        if person.is_open:
            person.status, person.attempts, person.last_attempt_at = ContactStatus.ACTIVE, t.number_of, now
            person.waits_for = ""
        spec, variables = self._campaigns[t.campaign_id].spec, dict(new.variables)
        ids = (t.attempt_id, t.campaign_id, person.contact_id, t.number_of)
        return Admitted(*ids, request.token, new.phone, new.name, variables, now, spec)

    async def record_sends(self, outcomes: Sequence[SendOutcome]) -> list[bool]:
        self._now()
        return [self._record(outcome) for outcome in outcomes]

    def _record(self, outcome: SendOutcome) -> bool:
        t, result = self._tries.get(outcome.attempt_id), outcome.result
        if t is None or t.token != outcome.token or not allowed(t.state, _after(result), A.WORKER):
            return False
        self._deny(t, outcome)
        if isinstance(result, NotPlaced):
            t.due_at, t.token, t.dialed_at = outcome.due_at, "", None
        reason = "accepted by the provider" if isinstance(result, Placed) else result.reason
        self._move(t, _after(result), A.WORKER, reason)
        match result:
            case Placed(call_id):
                t.call_id = call_id
            case NotPlaced():
                dialed = [one.dialed_at for one in self._tries_of(t.person) if one.dialed_at is not None]
                t.person.attempts, t.person.last_attempt_at = t.number_of - 1, max(dialed, default=None)
                self._give_up_if_over(t)
            case Refused(disposition):
                t.disposition, t.ended_at = disposition, self._clock.now()
                if outcome.follow is not None:
                    self._follow_up(t, outcome.follow, disposition)
            case Unknown():
                pass
        return True

    def _give_up_if_over(self, t: Try) -> None:
        """What was not placed is not tried again once its campaign was cancelled or its contact settled."""
        if self._campaigns[t.campaign_id].status is CampaignStatus.CANCELLED:
            self._end_waiting([t], A.OPERATOR, "campaign cancelled")
            if t.person.is_open:
                self._close(t.person, ContactStatus.CANCELLED, "campaign cancelled")
        elif t.person.gone or not t.person.is_open:
            why = GONE if t.person.gone else f"contact {t.person.status}"
            self._end_waiting([t], A.OPERATOR, why)
            if t.person.is_open:
                self._close(t.person, ContactStatus.CANCELLED, why)

    # reconciling

    async def record_logs(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        now = self._now()
        for row in rows:
            before = self._log.get((account, row.log.call_id))
            owner = row.attempt_id if before is None or before.attempt_id is None else before.attempt_id
            told = row.log
            if row.attempt_id is None and before is not None and owner is not None:
                told = replace(told, disposition=before.log.disposition)
            self._log[account, row.log.call_id] = replace(row, log=told, attempt_id=owner)
            self._seen.setdefault(row.log.call_id, now)
            if owner is not None and told.started_at is not None:
                self._began[owner] = max(told.started_at, self._began.get(owner, 0.0))
        return [self._settle(row, now) for row in rows]

    async def correct_logs(self, account: str, rows: Sequence[Matched]) -> list[bool]:
        for row in rows:
            self._log[account, row.log.call_id] = row
            t = self._tries[row.attempt_id or 0]
            t.disposition, t.cost = row.log.disposition, t.cost if row.log.cost is None else row.log.cost
        return [False] * len(rows)

    def _settle(self, row: Matched, now: float) -> bool:
        t, log = self._tries.get(row.attempt_id or 0), row.log
        if t is None or row.leg:
            return False
        told = f"call log: {row.evidence}"
        if log.disposition is None:
            if self._move(t, S.PLACED, A.RECONCILER, told):
                t.call_id = log.call_id
            return False
        return self._end_by(t, row, told)

    def _end_by(self, t: Try, row: Matched, told: str = "") -> bool:
        log, now = row.log, self._clock.now()
        assert log.disposition is not None
        why, told = f"{log.disposition}: {log.raw_status or 'no word'} ({row.evidence})", told or row.evidence
        if not self._move(t, S.ENDED, A.RECONCILER, told, why):
            return False
        t.disposition, t.duration_s, t.call_id, t.cost = log.disposition, log.duration_s, log.call_id, log.cost
        t.ended_at = now if log.ended_at is None else log.ended_at
        if row.follow is not None:
            self._follow_up(t, row.follow, log.disposition)
        return True

    async def settle_absent(self, attempts: Sequence[Absent]) -> list[bool]:
        now = self._now()
        return [self._settle_absent(absent, now) for absent in attempts]

    def _settle_absent(self, absent: Absent, now: float) -> bool:
        t = self._tries.get(absent.attempt_id)
        if t is None or t.state not in (S.PLACED, S.UNKNOWN):
            return False
        self._move(t, S.UNCONFIRMED, A.RECONCILER, absent.reason)
        t.disposition, t.ended_at = absent.disposition, now
        self._follow_up(t, absent.follow, absent.disposition)
        return True


def _after(result: PlaceResult) -> AttemptState:
    after = {Placed: S.PLACED, NotPlaced: S.PLANNED, Refused: S.REFUSED, Unknown: S.UNKNOWN}
    return after[type(result)]
