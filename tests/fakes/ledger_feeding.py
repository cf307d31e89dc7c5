"""The fake ledger's part of the feeder and the sweeper."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.campaign import CAMPAIGN_TRANSITIONS, CampaignSpec, CampaignStatus, is_over
from dialer.domain.contact import ContactStatus
from dialer.domain.gate import UNSIGHTED_OPENING_S, Suppress
from dialer.domain.limits import Spent, Wait, cap_on, place_caps
from dialer.domain.opening import Closed, window_at
from dialer.ports import Campaign, QueuedAttempt, Swept
from tests.fakes.ledger_audit import MemoryAudit
from tests.fakes.ledger_records import Person, Try

S, A = AttemptState, Actor
LOOK_AT_ONCE, LOOKS = 500, 8


class MemoryFeeding(MemoryAudit):
    """Claims what is due and takes back what was left lying."""

    @abstractmethod
    async def move_campaign(self, campaign_id: int, verb: str, reason: str) -> Campaign | None:
        """Apply a verb to a campaign."""

    async def claim_due(self, campaign_id: int, limit: int, lease_s: float) -> list[QueuedAttempt]:
        now, campaign = self._now(), self._campaigns[campaign_id]
        if campaign.status is not CampaignStatus.RUNNING or campaign.spec.schedule.repeat:
            return []
        claimed = [self._queue(t, now + lease_s, "due") for t in self._due_tries(campaign, limit, now)]
        for made in self._due_people(campaign, limit - len(claimed), now):
            claimed.append(self._queue(made, now + lease_s, made.reason))
        return claimed

    def _queue(self, queued: Try, lease_until: float, why: str) -> QueuedAttempt:
        self._move(queued, S.QUEUED, A.FEEDER, queued.reason, why)
        queued.dispatch += 1
        queued.lease_until = lease_until
        account = self._campaigns[queued.campaign_id].spec.provider
        return QueuedAttempt(queued.attempt_id, queued.dispatch, queued.campaign_id, account)

    def _due_tries(self, campaign: Campaign, limit: int, now: float) -> list[Try]:
        agenda, free = self._planned[campaign.campaign_id], list[Try]()
        for page in (limit, *[LOOK_AT_ONCE] * (LOOKS - 1)):
            entries = ((due_at, self._tries[id_]) for due_at, id_ in agenda.due(now))
            true = (t for due_at, t in entries if t.state is S.PLANNED and t.due_at == due_at and t not in free)
            due, barred = list[Try](), False
            for t in list(islice(_distinct(true), page)):
                shut = _shut(campaign.spec, t.person, now)
                if shut is None:
                    due.append(t)
                else:
                    t.due_at, t.reason = shut
                    agenda.add(t.due_at, t.attempt_id)
            for t in due:
                if len(free) == limit:
                    agenda.add(t.due_at, t.attempt_id)
                    continue
                cap = self._cap(campaign, t.person, now)
                barred |= cap is not None
                match cap:
                    case Suppress(why):
                        self._give_up(t, ContactStatus.SUPPRESSED, why)
                    case Wait(until, why):
                        t.due_at, t.reason = until, why
                        agenda.add(t.due_at, t.attempt_id)
                    case Spent(why):
                        self._give_up(t, ContactStatus.EXHAUSTED, why)
                    case None:
                        free.append(t)
            if len(free) == limit or not barred:
                break
        return free

    def _give_up(self, t: Try, status: ContactStatus, why: str) -> None:
        """The person may never be called again."""
        self._end_waiting([t], A.FEEDER, why)
        if t.person.is_open:
            self._close(t.person, status)

    def _due_people(self, campaign: Campaign, limit: int, now: float) -> Iterator[Try]:
        found = 0
        for page in (limit, *[LOOK_AT_ONCE] * (LOOKS - 1)):
            if found == limit:
                break
            caps = [(p, self._cap(campaign, p, now)) for p in self._due_page(campaign, page, now)]
            free: list[Person] = []
            over: list[tuple[Person, ContactStatus, str]] = []
            for person, cap in caps:
                if found + len(free) == limit:
                    self._fresh[campaign.campaign_id].add(person.due_at or now, person.contact_id)
                    continue
                match cap:
                    case Wait(until, why):
                        person.due_at, person.waits_for = until, why
                        self._fresh[campaign.campaign_id].add(until, person.contact_id)
                    case Suppress(why):
                        over.append((person, ContactStatus.SUPPRESSED, why))
                    case Spent(why):
                        over.append((person, ContactStatus.EXHAUSTED, why))
                    case None:
                        free.append(person)
            found += len(free)
            reminds = bool(campaign.spec.reminder.event)
            yield from [self._first_try(p, (reminds and p.waits_for) or "first attempt", now) for p in free]
            for person, status, why in over:
                self._give_up(self._first_try(person, why, now), status, why)
            if len(free) == len(caps) or found == limit:
                break

    def _first_try(self, person: Person, reason: str, now: float) -> Try:
        person.due_at, person.waits_for = None, ""
        return self._new_try(person, len(self._tries_of(person)) + 1, now, reason)

    def _due_page(self, campaign: Campaign, limit: int, now: float) -> list[Person]:
        """The next fresh contacts whose window is open; the others of their zones are put off."""
        agenda = self._fresh[campaign.campaign_id]
        entries = ((due_at, self._people[id_]) for due_at, id_ in agenda.due(now))
        true = (person for due_at, person in entries if person.due_at == due_at)
        seen = list(islice(true, limit))
        shut = {_whereabouts(person): _shut(campaign.spec, person, now) for person in seen}
        rest = list(true) if any(shut.values()) else []
        for person in [*seen, *rest]:
            if (why := shut.get(_whereabouts(person))) is not None:
                person.due_at, person.waits_for = why
                agenda.add(why[0], person.contact_id)
        for person in rest:
            if person.due_at is not None and person.due_at <= now:
                agenda.add(person.due_at, person.contact_id)
        return [person for person in seen if shut[_whereabouts(person)] is None]

    def _cap(self, campaign: Campaign, person: Person, now: float) -> Suppress | Wait | Spent | None:
        spec, new = campaign.spec, person.new
        if why := self._suppressed_by(new.phone, campaign.campaign_id):
            return Suppress(f"suppressed: {why}")
        return cap_on(spec.limits, self._made(new), now, place_caps(spec.window, new.places))

    async def hand_back(self, attempts: Sequence[QueuedAttempt], reason: str, due_at: float) -> None:
        self._now()
        for queued in self._held(attempts):
            queued.due_at = due_at
            self._move(queued, S.PLANNED, A.WORKER, reason)

    async def renew_leases(self, attempts: Sequence[QueuedAttempt], lease_s: float) -> None:
        now = self._now()
        for queued in self._held(attempts):
            queued.lease_until = now + lease_s

    def _held(self, attempts: Sequence[QueuedAttempt]) -> Iterator[Try]:
        for attempt in attempts:
            found = self._tries.get(attempt.attempt_id)
            if found is not None and found.state is S.QUEUED and found.dispatch == attempt.dispatch:
                yield found

    async def sweep(self) -> Swept:
        now = self._now()
        expired = [t for t in self._in_state[S.QUEUED].values() if t.lease_until <= now][:1000]
        for queued in expired:
            self._move(queued, S.PLANNED, A.SWEEPER, "lease expired: its worker is gone")
        overdue = [t for t in self._in_state[S.DIALING].values() if t.answer_due_at <= now][:1000]
        for dialing in overdue:
            self._move(dialing, S.UNKNOWN, A.SWEEPER, "no answer recorded in time: its worker is gone")
        return Swept(len(expired), len(overdue))

    async def finish_campaigns(self) -> list[str]:
        self._now()
        fed = {campaign_id for campaign_id, _ in self._imports}
        busy = {person.campaign_id for person in self._people.values() if person.is_open}
        live = [c for c in self._campaigns.values() if c.status in CAMPAIGN_TRANSITIONS["finish"][0]]
        idle = [c for c in live if c.campaign_id not in busy]
        now = self._clock.now()
        done = [c.campaign_id for c in idle if is_over(c.spec, c.status, now, fed=c.campaign_id in fed)]
        for id_ in done:
            await self.move_campaign(id_, "finish", "")
        return [self._campaigns[id_].spec.name for id_ in done]


def _distinct(tries: Iterable[Try]) -> Iterator[Try]:
    """An attempt may stand on the agenda twice for the same moment."""
    seen: set[int] = set()
    for t in tries:
        if t.attempt_id not in seen:
            seen.add(t.attempt_id)
            yield t


def _whereabouts(person: Person) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return person.new.zones, person.new.places


def _shut(spec: CampaignSpec, person: Person, now: float) -> tuple[float, str] | None:
    """When the window opens and why it is shut; None when it is open."""
    match window_at(spec.window, spec.zones_of(person.new.zones), now, person.new.places):
        case Closed(opens_at, reason):
            return (now + UNSIGHTED_OPENING_S if opens_at is None else opens_at), reason
        case _:
            return None
