"""Looking into the in-memory ledger."""

import math
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches

from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.contact import ContactStatus
from dialer.domain.disposition import Disposition
from dialer.domain.limits import FREE_AT
from dialer.domain.suppression import names_of
from dialer.errors import UnknownName
from dialer.ports import (
    Adopted,
    AttemptRow,
    Campaign,
    ContactRow,
    Event,
    ImportCounts,
    KnownCall,
    Matched,
    OpenAttempt,
    OpenContact,
    Owed,
    Report,
    Suppression,
)
from tests.fakes.ledger_records import Person, Records, Try

S = AttemptState


UNSETTLED = {S.PLACED, S.UNKNOWN, S.UNCONFIRMED, S.REVIEW}


class MemoryView(Records):
    """The reading half."""

    async def campaign(self, name: str) -> Campaign:
        self._now()
        if name in self._ids:
            return self._campaigns[self._ids[name]]
        near = get_close_matches(name, list(self._ids), n=1)
        hint = f'did you mean "{near[0]}"?' if near else "`dialer campaigns` lists them."
        raise UnknownName(f'there is no campaign "{name}": {hint}')

    async def campaigns(self) -> list[Campaign]:
        self._now()
        return list(self._campaigns.values())

    async def live_attempts(self, account: str) -> list[OpenAttempt]:
        self._now()
        live = sorted(self._of_account(account, LIVE), key=lambda t: (t.dialed_at or 0.0, t.attempt_id))
        return [self._open_attempt(t) for t in live]

    async def waiting_in_queue(self) -> Mapping[int, int]:
        self._now()
        return Counter(t.campaign_id for t in self._in_state[S.QUEUED].values())

    async def dialing(self, *, campaign_id: int | None = None, phones: Sequence[str] = (), since: float) -> int:
        self._now()
        young = [t for t in self._in_state[S.DIALING].values() if (t.dialed_at or 0.0) > since]
        if campaign_id is None:
            return sum(not set(phones).isdisjoint(names_of(t.phone)) for t in young)
        return sum(t.campaign_id == campaign_id for t in young)

    async def open_attempts(self, account: str, corrected_since: float) -> list[OpenAttempt]:
        self._now()
        late = [t for t in self._of_account(account, {S.UNCONFIRMED}) if (t.ended_at or 0.0) > corrected_since]
        review = self._of_account(account, {S.REVIEW})
        late += [t for t in review if t.call_id is not None and (t.dialed_at or 0.0) > corrected_since]
        found = [*self._of_account(account, {S.PLACED, S.UNKNOWN}), *late]
        found.sort(key=lambda t: (t.dialed_at or 0.0, t.attempt_id))
        return [self._open_attempt(t) for t in found]

    async def known_calls(self, account: str, call_ids: Sequence[str]) -> Mapping[str, KnownCall]:
        self._now()
        found = {call_id: self._log.get((account, call_id)) for call_id in call_ids}
        return {call_id: self._known_call(row) for call_id, row in found.items() if row is not None}

    def _known_call(self, row: Matched) -> KnownCall:
        settled = (
            row.attempt_id is not None
            and row.log.disposition is not None
            and self._tries[row.attempt_id].state not in UNSETTLED
        )
        called_back = row.log.callback_requested and row.follow is not None
        seen_at, owed = self._seen.get(row.log.call_id, 0.0), row.owed_until is not None
        return KnownCall(seen_at, row.attempt_id, settled, row.log.disposition, row.log.cost, owed, called_back)

    async def rows_of(self, attempt_ids: Sequence[int]) -> Mapping[int, str]:
        return {row.attempt_id: row.log.raw_status for row in self._log.values() if row.attempt_id in attempt_ids}  # type: ignore[misc]

    async def owed(self, account: str) -> Owed:
        now = self._now()
        found = [
            row
            for (owner, _), row in self._log.items()
            if owner == account and row.owed_until is not None and row.owed_until > now
        ]
        return Owed(
            len(found), min((row.log.started_at or now for row in found), default=0.0),
            max((row.owed_until or 0.0 for row in found), default=0.0),
        )  # fmt: skip

    async def last_send(self) -> tuple[int, float]:
        return 0, 0.0

    async def known_tokens(self, tokens: Sequence[str]) -> set[str]:
        return {t.token for t in self._tries.values()} & set(tokens)

    async def open_contacts(self, account: str, phones: Sequence[str]) -> list[OpenContact]:
        raise NotImplementedError

    async def adopt_calls(self, account: str, calls: Sequence[Adopted]) -> list[bool]:
        raise NotImplementedError

    async def log_facts(self, account: str) -> Mapping[str, str]:
        return dict(self._log_facts.get(account, {}))

    async def note_log(self, account: str, facts: Mapping[str, str]) -> None:
        kept = self._log_facts.get(account, {}) | dict(facts)
        self._log_facts[account] = {name: value for name, value in kept.items() if value}

    async def suppressions(self) -> AsyncIterator[Suppression]:
        self._now()
        for entry in list(self._suppressions.values()):
            yield entry

    async def report(self, campaign_id: int) -> Report:
        now, campaign = self._now(), self._campaigns[campaign_id]
        tries = self._of_campaign(campaign_id, *S)
        people = [p for p in self._people.values() if p.campaign_id == campaign_id]
        since = campaign.started_at or now
        until = math.inf if campaign.finished_at is None else campaign.finished_at
        rows = [row for (account, _), row in self._log.items() if account == campaign.spec.provider]
        ids = {t.attempt_id for t in tries}
        strangers = [row.log.started_at for row in rows if row.attempt_id is None and row.log.outbound]
        dialed = [t.dialed_at for t in tries if t.dialed_at is not None]
        return Report(
            campaign=campaign,
            imported=_sum(counts for (owner, _), counts in self._imports.items() if owner == campaign_id),
            contacts=dict.fromkeys(ContactStatus, 0) | Counter(p.status for p in people),
            attempts=dict.fromkeys(S, 0) | Counter(t.state for t in tries),
            dispositions=dict.fromkeys(Disposition, 0) | Counter(t.disposition for t in tries if t.disposition),
            unexplained_calls=sum(at is not None and since <= at <= until for at in strangers),
            unmapped_words=dict(
                Counter(row.log.raw_status for row in rows if row.log.unmapped and row.attempt_id in ids)
            ),
            cost=sum(t.cost or 0.0 for t in tries),
            first_dialed_at=min(dialed, default=None),
            last_dialed_at=max(dialed, default=None),
            waiting=_waiting(people, tries, now),
            expired=dict(Counter(p.waits_for for p in people if p.status is ContactStatus.EXPIRED and p.waits_for)),
            source=found.state if (found := self._readings.get(campaign_id)) else None,
        )

    async def contact_rows(self, campaign_id: int) -> AsyncIterator[ContactRow]:
        self._now()
        for p in list(self._people.values()):
            if p.campaign_id == campaign_id:
                yield _contact_row(p)

    async def attempt_rows(self, campaign_id: int) -> AsyncIterator[AttemptRow]:
        self._now()
        for t in self._of_campaign(campaign_id, *S):
            yield self._attempt_row(t)

    async def story(self, *, phone: str = "", attempt_id: int = 0) -> list[tuple[AttemptRow, list[Event]]]:
        self._now()
        if phone:
            found = [t for t in self._tries.values() if t.phone == phone]
        else:
            found = [self._tries[attempt_id]] if attempt_id in self._tries else []
        return [(self._attempt_row(t), list(t.events)) for t in found]

    def _of_account(self, account: str, states: Iterable[AttemptState]) -> list[Try]:
        return [
            t
            for state in states
            for t in self._in_state[state].values()
            if self._campaigns[t.campaign_id].spec.provider == account
        ]

    def _open_attempt(self, t: Try) -> OpenAttempt:
        agent, dialed_at = self._campaigns[t.campaign_id].spec.agent, t.dialed_at or 0.0
        return OpenAttempt(
            *(t.attempt_id, t.campaign_id, t.person.contact_id, t.number_of, t.state, t.phone, agent, t.token),
            dialed_at,
            t.call_id,
            self._began.get(t.attempt_id),
        )

    def _attempt_row(self, t: Try) -> AttemptRow:
        return AttemptRow(
            attempt_id=t.attempt_id,
            campaign=self._campaigns[t.campaign_id].spec.name,
            phone=t.phone,
            name=t.person.new.name,
            number_of=t.number_of,
            state=t.state,
            disposition=t.disposition,
            due_at=t.due_at,
            dialed_at=t.dialed_at,
            ended_at=t.ended_at,
            duration_s=t.duration_s,
            call_id=t.call_id,
            reason=t.reason,
        )


def _contact_row(p: Person) -> ContactRow:
    return ContactRow(
        phone=p.new.phone,
        name=p.new.name,
        key=p.new.key,
        status=p.status,
        disposition=p.disposition,
        attempts=p.attempts,
        last_attempt_at=p.last_attempt_at,
        duration_s=p.duration_s,
        call_id=p.call_id,
        variables=dict(p.new.variables),
    )


def _sum(imports: Iterable[ImportCounts]) -> ImportCounts:
    found = list(imports)
    numbers = [f.name for f in fields(ImportCounts) if f.name not in ("rejects", "waits")]
    total = {name: sum(getattr(counts, name) for counts in found) for name in numbers}
    return ImportCounts(**total, rejects=max((counts.rejects for counts in found), default=""))


def _waiting(people: Iterable[Person], tries: Iterable[Try], now: float) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    for p in people:
        if p.is_open and p.due_at is not None:
            reasons[
                p.waits_for.partition(FREE_AT)[0] or ("not due yet" if p.due_at > now else "waiting for its turn")
            ] += 1
    for t in tries:
        if t.state in (S.PLACED, S.UNKNOWN):
            reasons["waiting for the call log"] += 1
        elif t.state in (S.QUEUED, S.DIALING):
            reasons["being dialed"] += 1
        elif t.state is S.REVIEW:
            reasons["waiting for a person"] += 1
        elif t.state is S.PLANNED:
            reasons[t.reason.partition(FREE_AT)[0]] += 1
    return dict(reasons)
