"""Place one call for one attempt: the loop of the whole program.

Read ``PlaceCall.one`` from top to bottom: wait for a slot and a line, pass the gate (the intent is durable
before the first byte leaves), ask the provider, record what it said.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import structlog

from dialer.domain.attempt import AttemptState
from dialer.domain.call import CallRequest, NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.caller_id import choose
from dialer.domain.checkpoint import Passing, unwatched
from dialer.domain.pacing import BackOff
from dialer.domain.redial import Redial, Settle, after_attempt
from dialer.errors import LedgerUnavailable, QueueUnavailable, SendWithdrawn
from dialer.ports import (
    Admitted,
    CallProvider,
    Clock,
    GateAnswer,
    GateRequest,
    Grant,
    Ledger,
    Pacer,
    QueuedAttempt,
    SendOutcome,
    Turned,
)

log = structlog.get_logger()

NO_PROVIDER_S = 60.0
GRANT_WORTH_S = 4.0
"""The pacer keeps a line for 5 s before the ledger shows what it is for."""
BRAKE_AFTER = 5
"""So many requests in a row without a proper answer slow the whole account down."""


@dataclass(frozen=True, slots=True)
class DialingTimes:
    """How long the steps of one call may take, in seconds."""

    patience_s: float = 30.0
    """Waiting for a slot and a line before the attempt is handed back."""
    send_within_s: float = 0.7
    """From the committed intent to the first byte; also the bound of every pause."""
    answer_within_s: float = 60.0
    """From the intent to the recorded answer; then the sweeper calls it unknown."""
    lease_s: float = 3.5
    """A queued attempt whose worker is gone is taken back after this."""
    retry_s: float = 5.0
    """First delay of an attempt that was not placed; doubles with each hand-over, at most a minute."""
    redial_scale: float = 1.0
    """Multiplies every redial delay."""
    record_for_s: float = 30.0
    """How long to try to record an answer while the ledger cannot be written."""


@dataclass(frozen=True)
class PlaceCall:
    """The room of the worker."""

    ledger: Ledger
    pacer: Pacer
    providers: Mapping[str, CallProvider]
    clock: Clock
    chance: Random
    times: DialingTimes
    worker: str
    passing: Passing = unwatched
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[int, tuple[QueuedAttempt, "asyncio.Task[None]"]] = field(default_factory=dict)
    """Attempts that wait here for a slot and a line; their leases are kept."""
    active: set[int] = field(default_factory=set)
    """Attempts that this worker is about."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever the last of them is done."""
    streaks: dict[str, int] = field(default_factory=dict)
    """Account -> requests in a row without a proper answer."""

    back_offs: dict[str, BackOff] = field(default_factory=dict)
    """Account -> how long it is stopped when its provider names no time."""

    async def slice(self, attempts: Sequence[QueuedAttempt]) -> None:
        """Place a call for each attempt handed over; returns when all are recorded or handed back."""
        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                group.create_task(self._guarded(attempt))

    async def _guarded(self, attempt: QueuedAttempt) -> None:
        """Whatever befalls one attempt must not cut off the others, whose requests may be on the wire.

        Its lease or the sweeper takes it from there.
        """
        self.active.add(attempt.attempt_id)
        try:
            await self.one(attempt)
        except (LedgerUnavailable, QueueUnavailable) as unavailable:
            log.warning("attempt.interrupted", attempt=attempt.attempt_id, error=str(unavailable))
        except Exception:
            log.exception("attempt.failed", attempt=attempt.attempt_id)
        finally:
            self.active.discard(attempt.attempt_id)
            if not self.active:
                self.idle.set()

    async def one(self, attempt: QueuedAttempt) -> None:
        """Place the call of one attempt, if the pacer and the gate let it."""
        account = attempt.account
        if account not in self.providers:
            await self._hand_back(attempt, f"no key for {account} in this worker", NO_PROVIDER_S)
            return
        self.passing("place.waiting")
        grant = await self._wait_for_line(account, attempt)
        if grant is None:
            stopping = self.stopping.is_set()
            await self._hand_back(attempt, "worker stopping" if stopping else "no line or slot came free in time")
            return
        self.passing("place.granted")
        admitted = await self._pass_gate(attempt)
        self.passing("place.gate_passed")
        if isinstance(admitted, Turned):
            # A hand-over that came twice must not free the line of the call that the other one placed.
            if admitted.state in (AttemptState.PLANNED, AttemptState.CANCELLED):
                await self.pacer.release(account, [attempt.attempt_id])
            return
        permit = _Permit(self, account, admitted, grant)
        result = await self._ask_provider(account, admitted, permit)
        self.passing("place.answered")
        await self._record(account, attempt, admitted, permit, result)

    async def keep_leases(self) -> None:
        """Renew the leases of everything that waits here, until cancelled."""
        while True:
            await self.clock.sleep(self.times.lease_s / 3)
            held = [attempt for attempt, _ in self.waiting.values()]
            if held:
                try:
                    await self.ledger.renew_leases(held, self.times.lease_s)
                except LedgerUnavailable as unavailable:
                    log.warning("leases.not_renewed", attempts=len(held), error=str(unavailable))

    async def stop(self, within_s: float) -> None:
        """Hand back everything that still waits, and let what is on the wire finish."""
        self.stopping.set()
        for _, task in self.waiting.values():
            task.cancel()
        self.idle.clear()
        if self.active:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.idle.wait(), within_s)

    async def _wait_for_line(self, account: str, attempt: QueuedAttempt) -> Grant | None:
        task = asyncio.current_task()
        assert task is not None
        if self.stopping.is_set():
            return None
        self.waiting[attempt.attempt_id] = attempt, task
        try:
            return await self.pacer.acquire(account, attempt.campaign_id, attempt.attempt_id, self.times.patience_s)
        except asyncio.CancelledError:
            if not self.stopping.is_set():
                raise
            task.uncancel()  # it was ``stop`` that interrupted the wait; the attempt is handed back
            return None
        finally:
            self.waiting.pop(attempt.attempt_id, None)

    async def _hand_back(self, attempt: QueuedAttempt, reason: str, after_s: float = 0.0) -> None:
        await self.ledger.hand_back([attempt], reason, self.clock.now() + after_s)

    async def _pass_gate(self, attempt: QueuedAttempt) -> GateAnswer:
        token = f"{self.chance.getrandbits(128):032x}"
        granted_until = self.clock.now() + GRANT_WORTH_S
        request = GateRequest(
            attempt.attempt_id, attempt.dispatch, token, self.worker, self.times.answer_within_s, granted_until
        )
        return (await self.ledger.pass_gate([request]))[0]

    async def _ask_provider(self, account: str, admitted: Admitted, permit: "_Permit") -> PlaceResult:
        request = CallRequest(
            token=admitted.token,
            agent=admitted.spec.agent,
            to=admitted.phone,
            name=admitted.name,
            caller_id=choose(admitted.spec.caller_ids, admitted.contact_id, admitted.number_of),
            variables=admitted.variables,
        )
        return await self.providers[account].place(request, permit)

    async def _record(
        self, account: str, attempt: QueuedAttempt, admitted: Admitted, permit: "_Permit", result: PlaceResult
    ) -> None:
        outcome = SendOutcome(
            admitted.attempt_id,
            admitted.token,
            result,
            permit.requests,
            due_at=self.clock.now() + self._retry_delay(attempt.dispatch, result),
            follow=self._follow(admitted, result),
        )
        await self._until_recorded(outcome)
        self.passing("place.recorded")
        match result:
            case NotPlaced(throttled=throttled, halt=halt, retry_after_s=retry_after_s):
                await self.pacer.release(account, [admitted.attempt_id])
                if throttled:
                    await self._brake(account, retry_after_s)
                if halt:
                    halted = await self.ledger.halt_account(account, halt)
                    log.error("account.halted", account=account, reason=halt, campaigns=halted)
            case Refused():
                await self.pacer.release(account, [admitted.attempt_id])
            case Placed() | Unknown():
                pass  # the line is held until the call log tells that the call is over
        await self._mind_streak(account, result)
        self.passing("place.settled")
        log.debug("call.recorded", attempt=admitted.attempt_id, result=type(result).__name__)

    async def _mind_streak(self, account: str, result: PlaceResult) -> None:
        """A provider that fails again and again is given time, by every worker, before people's attempts are spent."""
        withdrawn = isinstance(result, NotPlaced) and result.reason.startswith(WITHDRAWN)
        if withdrawn:
            return
        if isinstance(result, Placed | Refused):
            self.streaks[account] = 0
            self.back_offs.setdefault(account, BackOff()).accepted()
            return
        self.streaks[account] = self.streaks.get(account, 0) + 1
        if self.streaks[account] >= BRAKE_AFTER:
            if _doubled(self.streaks[account]):
                log.warning("provider.failing", account=account, in_a_row=self.streaks[account], reason=result.reason)
            await self._brake(account, None)

    async def _brake(self, account: str, seconds: float | None) -> None:
        """Stop the account for as long as the provider says, or for a back-off that grows."""
        if seconds is None:
            seconds = self.back_offs.setdefault(account, BackOff()).refused(self.clock.monotonic())
        if seconds > 0:
            await self.pacer.brake(account, seconds)

    async def _until_recorded(self, outcome: SendOutcome) -> None:
        """An answer that cannot be written now is worth waiting for; past that the sweeper calls it unknown."""
        give_up = self.clock.monotonic() + self.times.record_for_s
        while True:
            try:
                if not (await self.ledger.record_sends([outcome]))[0]:
                    log.warning("call.recorded_late", attempt=outcome.attempt_id)
                return
            except LedgerUnavailable as unavailable:
                if self.clock.monotonic() > give_up:
                    log.error("call.not_recorded", attempt=outcome.attempt_id, error=str(unavailable))
                    return
                await self.clock.sleep(0.5)

    def _retry_delay(self, dispatch: int, result: PlaceResult) -> float:
        if not isinstance(result, NotPlaced):
            return 0.0
        if result.retry_after_s is not None:
            return result.retry_after_s * self.chance.uniform(1.0, 1.2)
        if result.reason.startswith(WITHDRAWN):
            return 0.0
        return self.chance.uniform(0.0, min(60.0, self.times.retry_s * math.exp2(min(dispatch, 10) - 1)))

    def _follow(self, admitted: Admitted, result: PlaceResult) -> Redial | Settle | None:
        if not isinstance(result, Refused):
            return None
        return after_attempt(
            admitted.spec.redial,
            result.disposition,
            admitted.number_of,
            self.clock.now(),
            self.times.redial_scale,
            luck=self.chance.random() if admitted.spec.redial.jitter_s else 0.0,
        )


WITHDRAWN = "not sent: "


class _Permit:
    """The right to send one attempt's requests: each needs a slot, and none may leave too late."""

    def __init__(self, room: PlaceCall, account: str, admitted: Admitted, grant: Grant) -> None:
        self._room, self._account, self._admitted, self._grant = room, account, admitted, grant
        self._admitted_at = room.clock.monotonic()
        self.requests = 0

    async def slot(self, repeat: bool) -> None:
        self._room.passing("place.slot")
        held = await self._grant.slot() if not repeat else False
        while not held:
            self._refuse_late()
            left = self._admitted_at + self._room.times.send_within_s - self._room.clock.monotonic()
            admitted = self._admitted
            grant = await self._room.pacer.again(self._account, admitted.campaign_id, admitted.attempt_id, left)
            if grant is None:
                raise SendWithdrawn(f"{WITHDRAWN}no slot left in time")
            self._grant = grant
            held = await grant.slot()

    def last_instant(self) -> None:
        self._refuse_late()
        if not self._grant.valid:
            raise SendWithdrawn(f"{WITHDRAWN}paused or braked")
        self.requests += 1
        self._room.passing("place.first_byte")

    def _refuse_late(self) -> None:
        # Both clocks: the wall clock may be set back, the other one does not tell what the ledger wrote.
        room, bound = self._room, self._room.times.send_within_s
        late = room.clock.now() >= self._admitted.dialed_at + bound
        if late or room.clock.monotonic() >= self._admitted_at + bound:
            raise SendWithdrawn(f"{WITHDRAWN}the moment allowed for it has passed")


def _doubled(failures: int) -> bool:
    """Whether a row of failures is worth a line: at the brake, and each time it is twice as long."""
    times, rest = divmod(failures, BRAKE_AFTER)
    return rest == 0 and times & (times - 1) == 0
