"""A provider behind a bad network. Its answers reach the room as the adapter would class them."""

from collections.abc import AsyncIterator
from random import Random

from dialer.domain.call import CallLog, CallRequest, LogPage, NotPlaced, Placed, PlaceResult, Refused, Unknown
from dialer.domain.disposition import Disposition
from dialer.errors import OutcomeUnknown, SendWithdrawn
from dialer.ports import Connection, SendPermit
from tests.fakes.provider import Connected
from tests.simulation.books import Books, Sent
from tests.simulation.faults import Faults
from tests.simulation.life import Life

READ_TIMEOUT_S = 30.0
PAGE_SIZE = 40
CONNECT_S = 0.003
UNREADABLE = Unknown("the answer is not JSON", 200)


class LifeProvider:
    """The provider as one process reaches it."""

    def __init__(self, books: Books, life: Life, faults: Faults, reads_timeout_as: type[PlaceResult]) -> None:
        self._books, self._life, self._faults = books, life, faults
        self._dice: Random = faults.dice(f"{life.name}:provider")
        self._timed_out = _timed_out(reads_timeout_as)
        self.out = 0
        """Requests that left and are not answered."""
        dialect = books.dialect
        self.account = dialect.account
        self.ids_are_final = dialect.ids_are_final
        self.silent_when_unanswered = dialect.silent_when_unanswered

    async def connect(self) -> Connected:
        """As quick as on a good network; what refuses does so when the request is to leave."""
        took_s = self._dice.uniform(0.0, CONNECT_S)
        await self._life.sleep(took_s)
        return Connected(took_s)

    def keep_connected(self, for_s: float) -> None:
        """Connecting is quick here."""

    async def place(
        self, request: CallRequest, permit: SendPermit, connection: Connection | None = None
    ) -> PlaceResult:
        faults, rates = self._faults, self._faults.rates
        try:
            await permit.slot(repeat=False)
            down = faults.down(self._life.clock.now()) == "refuses"
            if down or faults.strikes(self._dice, rates.refused_connection, "refused connection"):
                faults.happened["refused in the outage"] += down
                return NotPlaced("connection refused")
            permit.last_instant()
        except SendWithdrawn as withdrawn:
            return NotPlaced(str(withdrawn))
        self.out += 1
        try:
            return await self._answered(request)
        finally:
            self.out -= 1

    async def _answered(self, request: CallRequest) -> PlaceResult:
        now = self._life.clock.now()
        fate, result, after_s = self._fate(request, now)
        self._faults.happened[fate] += 1
        self._books.sent.append(Sent(now, request.token, request.agent, request.to, self._life.name, fate))
        await self._life.sleep(after_s)
        return result

    def _fate(self, request: CallRequest, now: float) -> tuple[str, PlaceResult, float]:
        """What happens to a request that left now: its name, what the room is told, and when."""
        dice, books = self._dice, self._books
        down = self._faults.down(now)
        if down:
            return f"{down} in the outage", Unknown(down, 502), 0.1 if down == "fails" else READ_TIMEOUT_S
        arrives, quick = now + dice.uniform(0.01, 0.3), dice.uniform(0.05, 1.5)
        kind, half = self._kind(dice.random() if self._faults.on else 1.0), dice.random() < 0.5
        match kind:
            case "placed":
                answer_id = books.place(request, arrives)
                return kind, Placed(answer_id if books.dialect.ids_are_final else None, 200), quick
            case "throttled" if half:
                wait = float(dice.randint(1, 20))
                return "429 with Retry-After", NotPlaced("429", wait, throttled=True, http_status=429), quick
            case "throttled":
                return "429 without", NotPlaced("429", throttled=True, http_status=429), quick
            case "500":
                if half:
                    books.place(request, arrives)
                return f"500 {'after' if half else 'before'} placing", Unknown("500", 500), quick
            case "dropped after placing" | "garbage":
                books.place(request, arrives)
                return kind, UNREADABLE if kind == "garbage" else Unknown("connection reset"), quick
            case "dropped before placing":
                return kind, Unknown("connection reset"), quick
            case "timed out":
                books.place(request, now + dice.uniform(10.0, 900.0))
                return "late arrival", self._timed_out, READ_TIMEOUT_S
            case "known failure":
                ends = dice.choice((Disposition.INVALID_NUMBER, Disposition.REJECTED, Disposition.BLOCKED))
                return kind, Refused(ends, "the provider said so", 200), quick
            case _:
                return kind, NotPlaced("402", halt="no credit", http_status=402), quick

    def _kind(self, draw: float) -> str:
        rates = self._faults.rates
        kinds = {
            "throttled": rates.throttled,
            "500": rates.error_500,
            "dropped after placing": rates.dropped_after,
            "dropped before placing": rates.dropped_before,
            "timed out": rates.timed_out,
            "garbage": rates.garbage,
            "known failure": rates.known_failure,
            "no credit": rates.no_credit,
        }
        for kind, chance in kinds.items():
            draw -= chance
            if draw < 0:
                return kind
        return "placed"

    async def read_logs(self, since: float) -> AsyncIterator[LogPage]:
        del since
        offset, before = 0, 0
        while True:
            await self._life.sleep(self._dice.uniform(0.05, 0.4))
            if self._faults.down(self._life.clock.now()):
                raise OutcomeUnknown("HTTP 502", status=502)
            log = self._books.rows(self._life.clock.now())
            if before and len(log) > before:
                self._faults.happened["log page shifted"] += 1
            before = len(log)
            if not log[offset:]:
                return
            yield self._page(log, offset)
            offset += PAGE_SIZE

    def _page(self, log: list[CallLog], offset: int) -> LogPage:
        dice, faults, rates = self._dice, self._faults, self._faults.rates
        rows, unreadable = log[offset : offset + PAGE_SIZE], 0
        if faults.strikes(dice, rates.page_fails, "log page failed"):
            raise OutcomeUnknown("HTTP 502", status=502)
        if faults.strikes(dice, rates.page_unreadable, "log page unreadable"):
            rows.pop(dice.randrange(len(rows)))
            unreadable = 1
        if faults.strikes(dice, rates.page_repeats, "log page repeated"):
            rows = log[max(0, offset - 7) : offset] + rows
        return LogPage(tuple(rows), unreadable, len(log))

    async def aclose(self) -> None:
        """Nothing is open."""


def _timed_out(kind: type[PlaceResult]) -> PlaceResult:
    return NotPlaced("read time-out") if kind is NotPlaced else Unknown("read time-out")
