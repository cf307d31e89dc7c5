"""Place one call for one attempt: the loop of the whole program.

Read ``PlaceCall.one`` from top to bottom: wait for a slot, a line and a connection, pass the gate (the intent is
durable before the first byte leaves), ask the provider, record what it said.
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
from dialer.domain.redial import Redial, Settle, after_attempt
from dialer.errors import LedgerUnavailable, NotSent, ProviderError, QueueUnavailable
from dialer.pipeline.caution import BRAKE_AFTER, WITHDRAWN, Caution, Trial
from dialer.pipeline.dialing_times import DialingTimes
from dialer.pipeline.doorway import Doorway
from dialer.pipeline.halting import halt_for, weigh
from dialer.pipeline.recording import until_recorded
from dialer.pipeline.send_permit import NoTurn, Permit, Turn
from dialer.ports import (
    Admitted,
    CallProvider,
    Clock,
    Connection,
    GateAnswer,
    GateRequest,
    Grant,
    Ledger,
    Pacer,
    QueuedAttempt,
    SendOutcome,
    Turned,
)
from dialer.ports.meter import UNMETERED, Meter

log = structlog.get_logger()

NO_PROVIDER_S = 60.0
GRANT_WORTH_S = 4.0
"""The pacer keeps a line for 5 s before the ledger shows what it is for."""
STALE_GRANT_S = 0.2
"""A slot this old is given up for another: the call would come too late for the pace."""
READY_S = 6.0
"""How long a connection that was made ahead is worth waiting with."""
PROOF_WITHIN_S = 10.0
LATE_RETRY_S = 30.0


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
    waiting: dict["asyncio.Task[None]", QueuedAttempt] = field(default_factory=dict)
    """What waits here for a slot and a line; the leases are kept. By task, for an attempt may be handed over twice."""
    active: set["asyncio.Task[None]"] = field(default_factory=set)
    """The tasks that are busy with an attempt in this worker."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever the last of them is done."""
    caution: Caution = field(default_factory=Caution)
    doorways: dict[str, Doorway] = field(default_factory=dict)
    meter: Meter = UNMETERED

    async def slice(self, attempts: Sequence[QueuedAttempt]) -> None:
        """Place a call for each attempt handed over; returns when all are recorded or handed back."""
        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                group.create_task(self._guarded(attempt))

    async def _guarded(self, attempt: QueuedAttempt) -> None:
        """A failure of one attempt must not cut off the others, whose requests may be on the wire.

        Its lease or the sweeper takes it from there.
        """
        task = _this_task()
        self.active.add(task)
        try:
            await self.one(attempt)
        except (LedgerUnavailable, QueueUnavailable) as unavailable:
            log.warning("attempt.interrupted", attempt=attempt.attempt_id, error=str(unavailable))
        except Exception:
            log.exception("attempt.failed", attempt=attempt.attempt_id)
        finally:
            self.active.discard(task)
            if not self.active:
                self.idle.set()

    async def one(self, attempt: QueuedAttempt) -> None:
        """Place the call of one attempt, if the pacer and the gate let it."""
        account = attempt.account
        if account not in self.providers:
            await self._hand_back(attempt, f"no key for {account} in this worker", NO_PROVIDER_S)
            return
        trial = self.caution.trial(attempt.campaign_id)
        turn = await self._wait_for_turn(attempt, trial)
        if turn is None:
            return
        try:
            await self._dial(attempt, turn, trial)
        finally:
            turn.passage.leave()
            trial.leave()

    async def _dial(self, attempt: QueuedAttempt, turn: Turn, trial: Trial) -> None:
        account, connection = attempt.account, turn.connection
        self.passing("place.granted")
        try:
            admitted = await self._pass_gate(attempt, trial)
            self.passing("place.gate_passed")
            if isinstance(admitted, Turned):
                # A hand-over that came twice must not free the line of the call that the other one placed.
                if admitted.state in (AttemptState.PLANNED, AttemptState.CANCELLED):
                    await self.pacer.release(account, [attempt.attempt_id])
                return
            permit = Permit(self.pacer, self.clock, self.times.send_within_s, self.passing, account, admitted, turn)
            result = await self._ask_provider(account, admitted, permit, connection)
        finally:
            await connection.give_back()
        trial.hear(result)
        self.meter.asked(account, result, permit.delay_s, permit.since_left_s())
        self.passing("place.answered")
        await self._record(account, attempt, admitted, permit, result)

    async def keep_leases(self) -> None:
        """Renew the leases of everything that waits here, and have a connection ready for it, until cancelled."""
        every_s = self.times.lease_s / 3
        while True:
            await self.clock.sleep(every_s)
            held = list(self.waiting.values())
            for account in {attempt.account for attempt in held}:
                self.providers[account].keep_connected(every_s)
            if held:
                try:
                    await self.ledger.renew_leases(held, self.times.lease_s)
                except LedgerUnavailable as unavailable:
                    log.warning("leases.not_renewed", attempts=len(held), error=str(unavailable))

    async def stop(self, within_s: float) -> None:
        """Hand back everything that still waits, and let what is on the wire finish."""
        self.stopping.set()
        for task in self.waiting:
            task.cancel()
        self.idle.clear()
        if self.active:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.idle.wait(), within_s)

    async def _wait_for_turn(self, attempt: QueuedAttempt, trial: Trial) -> Turn | None:
        """A slot, a line and a connection; None when they did not come, and the attempt was handed back."""
        task = _this_task()
        self.passing("place.waiting")
        why, after_s = "worker stopping", 0.0
        if not self.stopping.is_set():
            self.waiting[task] = attempt
            try:
                return await self._turn(attempt, trial)
            except NoTurn as none:
                why, after_s = none.why, none.after_s
            except asyncio.CancelledError:
                if not self.stopping.is_set():
                    raise
                task.uncancel()  # it was ``stop`` that interrupted the wait
                await self.pacer.release(attempt.account, [attempt.attempt_id])
            finally:
                self.waiting.pop(task, None)
        await self._hand_back(attempt, why, after_s)
        return None

    async def _turn(self, attempt: QueuedAttempt, trial: Trial) -> Turn:
        account = attempt.account
        if not await trial.enter(self.times.patience_s):
            raise NoTurn("others are asked first, while no call was accepted yet")
        connection = None
        try:
            if self.caution.standing(account).slow_way:
                connection = await self._connect(account, attempt)
            grant, connection = await self._line(attempt, connection)
            granted_at = self.clock.monotonic()
            await self._prove(account, attempt)
            connection = connection or await self._connect(account, attempt)
        except BaseException:
            trial.leave()
            if connection is not None:
                await connection.give_back()
            raise
        try:
            return await self._enter(attempt, grant, granted_at, connection)
        except BaseException:
            trial.leave()
            raise

    async def _enter(self, attempt: QueuedAttempt, grant: Grant, granted_at: float, connection: Connection) -> Turn:
        """Enter the doorway with a fresh slot. A stale one is exchanged before or, if that is quick, inside."""
        passage, turn_at = None, granted_at
        try:
            while passage is None or self.clock.monotonic() - granted_at > STALE_GRANT_S:
                if self.clock.monotonic() - granted_at > STALE_GRANT_S:
                    within_s = self.times.patience_s if passage is None else self.times.send_within_s
                    grant = await self._another_slot(attempt, within_s)
                    granted_at = self.clock.monotonic()
                passage = passage or await self.doorways.setdefault(attempt.account, Doorway()).enter()
        except BaseException:
            if passage is not None:
                passage.leave()
            await connection.give_back()
            raise
        return Turn(grant, connection, passage, turn_at)

    async def _line(self, attempt: QueuedAttempt, connection: Connection | None) -> tuple[Grant, Connection | None]:
        """A slot and a line. An earlier connection grows too old meanwhile, and is replaced."""
        account, end = attempt.account, self.clock.monotonic() + self.times.patience_s
        while True:
            left_s = end - self.clock.monotonic()
            patience_s = left_s if connection is None else min(READY_S, left_s)
            grant = await self.pacer.acquire(account, attempt.campaign_id, attempt.attempt_id, patience_s)
            if grant is not None:
                return grant, connection
            if connection is not None:
                await connection.give_back()
            if connection is None or self.clock.monotonic() >= end:
                raise NoTurn("no line or slot came free in time")
            connection = await self._connect(account, attempt)

    async def _another_slot(self, attempt: QueuedAttempt, within_s: float) -> Grant:
        grant = await self.pacer.again(attempt.account, attempt.campaign_id, attempt.attempt_id, within_s)
        if grant is None:
            await self.pacer.release(attempt.account, [attempt.attempt_id])
            raise NoTurn("no slot came free in time")
        return grant

    async def _connect(self, account: str, attempt: QueuedAttempt) -> Connection:
        """Before the gate: however long it takes, the call can leave as soon as it may."""
        try:
            connection = await self.providers[account].connect()
        except NotSent as error:
            raise await self._no_turn(account, attempt, NotPlaced(str(error))) from error
        self.caution.standing(account).connected(connection.took_s)
        return connection

    async def _prove(self, account: str, attempt: QueuedAttempt) -> None:
        """After answers that were lost: no attempt is risked before the provider answers a reading."""
        standing = self.caution.standing(account)
        if not standing.must_prove:
            return
        async with standing.proof:
            if standing.proved:
                return
            try:
                async with asyncio.timeout(PROOF_WITHIN_S):
                    async for _ in self.providers[account].read_logs(self.clock.now()):
                        break
            except (ProviderError, TimeoutError) as error:
                reason = f"the provider does not answer: {str(error) or 'too slow'}"
                raise await self._no_turn(account, attempt, NotPlaced(reason)) from error
            standing.proved = True

    async def _no_turn(self, account: str, attempt: QueuedAttempt, result: NotPlaced) -> NoTurn:
        await self.pacer.release(account, [attempt.attempt_id])
        await self._mind(account, result)
        return NoTurn(result.reason, self._retry_delay(account, attempt.dispatch, result))

    async def _hand_back(self, attempt: QueuedAttempt, reason: str, after_s: float = 0.0) -> None:
        await self.ledger.hand_back([attempt], reason, self.clock.now() + after_s)

    async def _pass_gate(self, attempt: QueuedAttempt, trial: Trial) -> GateAnswer:
        # The time comes first, so that the ledger's index of tokens grows at its end, whatever was called before.
        token = f"{int(self.clock.now()):08x}{self.chance.getrandbits(96):024x}"
        granted_until = self.clock.now() + GRANT_WORTH_S
        request = GateRequest(
            attempt.attempt_id,
            attempt.dispatch,
            token,
            self.worker,
            self.times.answer_within_s,
            granted_until,
            on_trial=not trial.proven,
        )
        try:
            answer = (await self.ledger.pass_gate([request]))[0]
        except LedgerUnavailable:
            await self._tell_unsent(attempt, token)
            raise
        self.meter.judged(answer)
        return answer

    async def _tell_unsent(self, attempt: QueuedAttempt, token: str) -> None:
        """The intent may be committed and its answer lost: nothing was sent, and nothing will be."""
        lost = NotPlaced(f"{WITHDRAWN}the ledger's answer was lost")
        outcome = SendOutcome(attempt.attempt_id, token, lost, 0, self.clock.now())
        if await until_recorded(self.ledger, self.clock, self.times.record_for_s, outcome):
            await self.pacer.release(attempt.account, [attempt.attempt_id])

    async def _ask_provider(
        self, account: str, admitted: Admitted, permit: Permit, connection: Connection
    ) -> PlaceResult:
        request = CallRequest(
            token=admitted.token,
            agent=admitted.spec.agent,
            to=admitted.phone,
            name=admitted.name,
            caller_id=choose(admitted.spec.caller_ids, admitted.contact_id, admitted.attempts_made),
            variables=admitted.variables,
        )
        return await self.providers[account].place(request, permit, connection)

    async def _record(
        self, account: str, attempt: QueuedAttempt, admitted: Admitted, permit: Permit, result: PlaceResult
    ) -> None:
        outcome = SendOutcome(
            admitted.attempt_id,
            admitted.token,
            result,
            permit.requests,
            due_at=self.clock.now() + self._retry_delay(account, attempt.dispatch, result),
            follow=self._follow(admitted, result),
        )
        if await until_recorded(self.ledger, self.clock, self.times.record_for_s, outcome) is False:
            log.warning("call.recorded_late", attempt=outcome.attempt_id)
        self.passing("place.recorded")
        match result:
            case NotPlaced(halt=halt, doubtful=doubtful):
                await self.pacer.release(account, [admitted.attempt_id])
                if halt:
                    await halt_for(self.ledger, account, admitted, result)
                elif doubtful:
                    await weigh(self.ledger, account, admitted)
            case Refused():
                if isinstance(outcome.follow, Settle):
                    self.meter.finished(outcome.follow.status)
                await self.pacer.release(account, [admitted.attempt_id])
                await weigh(self.ledger, account, admitted)
            case Placed() | Unknown():
                pass  # the line is held until the call log shows that the call is over
        await self._mind(account, result)
        self.passing("place.settled")
        log.debug("call.recorded", attempt=admitted.attempt_id, result=type(result).__name__)

    async def _mind(self, account: str, result: PlaceResult) -> None:
        """A provider that fails again and again is given time, by every worker, before people's attempts are spent."""
        standing = self.caution.standing(account)
        stop_s = standing.hear(result, self.clock.monotonic())
        failed = not isinstance(result, Placed | Refused)
        if failed and (standing.is_worth_a_line if stop_s else standing.is_always_late):
            reason = getattr(result, "reason", "")
            in_a_row = max(standing.failures, standing.late)
            log.warning("provider.failing", account=account, in_a_row=in_a_row, reason=reason)
        if stop_s > LATE_RETRY_S:
            log.warning("account.braked", account=account, seconds=round(stop_s), reason=getattr(result, "reason", ""))
        if stop_s > 0:
            await self.pacer.brake(account, stop_s)

    def _retry_delay(self, account: str, dispatch: int, result: PlaceResult) -> float:
        if not isinstance(result, NotPlaced):
            return 0.0
        if result.retry_after_s is not None:
            return result.retry_after_s * self.chance.uniform(1.0, 1.2)
        if result.reason.startswith(WITHDRAWN):
            late = self.caution.standing(account).late
            return self.chance.uniform(0.0, min(LATE_RETRY_S, late)) if late >= BRAKE_AFTER else 0.0
        return self.chance.uniform(0.0, min(60.0, self.times.retry_s * math.exp2(min(dispatch, 10) - 1)))

    def _follow(self, admitted: Admitted, result: PlaceResult) -> Redial | Settle | None:
        if not isinstance(result, Refused):
            return None
        return after_attempt(
            admitted.spec.redial,
            result.disposition,
            admitted.attempts_made,
            self.clock.now(),
            self.times.redial_scale,
            luck=self.chance.random() if admitted.spec.redial.jitter_s else 0.0,
        )


def _this_task() -> "asyncio.Task[None]":
    task = asyncio.current_task()
    assert task is not None
    return task
