"""The fake ledger's part of reading a source, and of what comes too late."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from dialer.domain.attempt import LIVE, WAITING, Actor, AttemptState
from dialer.domain.contact import ContactStatus, NewContact
from dialer.domain.contact_plan import GONE, Renewal, Replan, first_due, renewal_of
from dialer.domain.reminder import Moment, NoMoment
from dialer.ports import ImportCounts, SourceState
from tests.fakes.ledger_feeding import MemoryFeeding
from tests.fakes.ledger_records import Person, Reading

S, A = AttemptState, Actor
BUSY = LIVE | {S.REVIEW}


class MemorySource(MemoryFeeding):
    """Readings are numbered; a contact remembers the last one that had it."""

    async def begin_reading(self, campaign_id: int, holder: str, lease_s: float) -> int | None:
        now, found = self._now(), self._readings.setdefault(campaign_id, Reading())
        del holder
        if found.lease_until is not None and found.lease_until > now:
            return None
        found.number, found.lease_until = found.number + 1, now + lease_s
        return found.number

    def _holds(self, campaign_id: int, reading: int, lease_s: float) -> bool:
        now, found = self._now(), self._readings.get(campaign_id, Reading())
        if found.number != reading or found.lease_until is None:
            return False
        found.lease_until = now + lease_s
        return True

    async def take_rows(
        self, campaign_id: int, reading: int, contacts: Sequence[NewContact], lease_s: float
    ) -> list[str]:
        if not self._holds(campaign_id, reading, lease_s):
            return ["stale"] * len(contacts)
        return [self._take(campaign_id, reading, contact) for contact in contacts]

    def _take(self, campaign_id: int, reading: int, new: NewContact) -> str:
        now, person = self._clock.now(), self._known.get((new.phone, campaign_id))
        if person is None:
            return self._add(campaign_id, new, now, reading)
        if person.reading == reading:
            return "duplicate"
        person.reading = reading
        if not person.gone and replace(new, row=person.new.row) == person.new:
            return "known"
        self._renew(person, new, now)
        return "changed"

    def _renew(self, person: Person, new: NewContact, now: float) -> None:
        old, states = person.new, {t.state for t in self._tries_of(person)}
        before = Renewal(
            key=old.key,
            moved=old.event_at != new.event_at,
            elsewhere=(old.zones, old.places) != (new.zones, new.places),
            status=person.status,
            attempts=person.attempts,
            gone=person.gone,
            busy=bool(states & BUSY),
            dialing=S.DIALING in states,
        )
        plan = renewal_of(self._campaigns[person.campaign_id].spec, before, new, now)
        if plan is Replan.LATER:
            return
        person.new, person.gone = new, False
        if isinstance(plan, Moment | NoMoment):
            self._plan_again(person, before, plan)

    def _plan_again(self, person: Person, before: Renewal, plan: Moment | NoMoment) -> None:
        waiting = [t for t in self._tries_of(person) if t.state in WAITING]
        person.status, person.due_at, person.waits_for = before.after(plan), None, plan.why
        person.planned_for = person.new.event_at
        match plan:
            case Moment(at, why) if waiting:
                waiting[0].due_at, waiting[0].reason, person.waits_for = at, why or "planned again", ""
                self._planned[person.campaign_id].add(at, waiting[0].attempt_id)
            case Moment(at):
                person.due_at = at
                self._fresh[person.campaign_id].add(at, person.contact_id)
            case NoMoment(why):
                self._end_waiting(waiting, A.FEEDER, why)

    async def drop_gone(self, campaign_id: int, reading: int, lease_s: float) -> int:
        if not self._holds(campaign_id, reading, lease_s):
            return 0
        people = [p for p in self._people.values() if p.campaign_id == campaign_id and p.is_open and not p.gone]
        gone = [p for p in people if 0 < p.reading < reading]
        for person in gone:
            person.gone = True
            self._retire(person, ContactStatus.CANCELLED, GONE)
        return len(gone)

    def _retire(self, person: Person, status: ContactStatus, why: str) -> None:
        """End what waits; who is being called is settled when the call is over."""
        tries = self._tries_of(person)
        self._end_waiting([t for t in tries if t.state in WAITING], A.FEEDER, why)
        if not any(t.state in BUSY for t in tries):
            self._close(person, status, why)

    async def end_reading(
        self, campaign_id: int, reading: int, next_at: float | None, error: str = "", counts: ImportCounts | None = None
    ) -> bool:
        if not self._holds(campaign_id, reading, 0.0):
            return False
        now, found = self._clock.now(), self._readings[campaign_id]
        found.lease_until = None
        if error:
            found.state = replace(found.state, next_at=next_at, error=error, failed_at=now)
        else:
            found.state = SourceState(now, next_at)
        if counts is not None:
            self._imports[campaign_id, "source"] = counts
        return True

    async def expire(self, campaign_id: int, reason: str, limit: int, *, passed: bool) -> int:
        now = self._now()
        people = [p for p in self._people.values() if p.campaign_id == campaign_id and p.is_open]
        idle = [p for p in people if not any(t.state in BUSY for t in self._tries_of(p))]
        late = [p for p in idle if not passed or (p.new.event_at is not None and p.new.event_at <= now)][:limit]
        for person in late:
            self._retire(person, ContactStatus.EXPIRED, reason)
        return len(late)

    async def source_states(self) -> Mapping[int, SourceState]:
        self._now()
        return {campaign_id: found.state for campaign_id, found in self._readings.items()}

    async def listed(self, campaign_id: int) -> AsyncIterator[NewContact]:
        self._now()
        for person in list(self._people.values()):
            if person.campaign_id == campaign_id and person.status is not ContactStatus.CANCELLED:
                yield person.new

    def _add(self, campaign_id: int, new: NewContact, now: float, reading: int = 0) -> str:
        if (new.phone, campaign_id) in self._known:
            return "duplicate"
        person = Person(len(self._people) + 1, campaign_id, new, ContactStatus.SUPPRESSED, None)
        person.planned_for, person.reading = new.event_at, reading
        self._people[person.contact_id] = self._known[new.phone, campaign_id] = person
        if self._suppressed_by(new.phone, campaign_id):
            return "suppressed"
        return "queued" if self._plan(person, now) else "deferred"

    def _plan(self, person: Person, now: float) -> bool:
        """Give a new contact its first moment; False when there is none."""
        new, spec = person.new, self._campaigns[person.campaign_id].spec
        match first_due(spec, new.zones, new.places, new.event_at, now):
            case Moment(at, why):
                person.status, person.due_at, person.waits_for = ContactStatus.PENDING, at, why
                self._fresh[person.campaign_id].add(at, person.contact_id)
                return True
            case NoMoment(why):
                self._close(person, ContactStatus.EXPIRED, why)
                return False
