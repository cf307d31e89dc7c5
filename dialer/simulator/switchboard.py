"""What stands behind both dialects: the caps, the wallet, the do-not-disturb list, the dice, and the books."""

from collections import Counter
from dataclasses import replace
from random import Random
from uuid import UUID

from dialer.simulator import faults, life
from dialer.simulator.books import Books, Call, Order
from dialer.simulator.call_log import CallLog
from dialer.simulator.clock import Clock
from dialer.simulator.options import Options
from dialer.simulator.rolling import RollingSecond

LATE = 5.0


class Refused(Exception):
    """A request refused in a documented way; each dialect words the body."""

    def __init__(self, status: int, text: str, retry_after_s: int | None = None) -> None:
        super().__init__(text)
        self.status, self.text, self.retry_after_s = status, text, retry_after_s


class Switchboard:
    """The provider's inside. Which dialect a call came through decides only its id, its log and its words."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options, self.clock = options, clock
        self.books = Books()
        self.logs = {"vaani": CallLog(), "vaanivoice": CallLog()}
        self._admitted = RollingSecond()
        self._asked: Counter[str] = Counter()
        self._pages = 0

    # --- guards ------------------------------------------------------------------------------------------

    def check_key(self, key: str | None) -> None:
        """401 unless a key or cookie came, and the right one where one is required."""
        if not key or (self.options.key is not None and key != self.options.key):
            raise Refused(401, "Invalid or missing token")

    def admit(self) -> None:
        """429 above the rate cap. Only admitted requests count, so a caller that hammers is not shut out."""
        now, cap = self.clock.now(), self.options.rate_cap
        self.books.place_requests.add(now)
        if cap is not None and self._admitted.count(now) >= cap:
            raise self._capped("Too many requests")
        self._admitted.add(now)

    def check_agent(self, agent: str) -> None:
        """404 for an agent that is not on the list, when there is a list."""
        if self.options.agents and agent not in self.options.agents:
            raise Refused(404, "Agent not found")

    def check_wallet(self) -> None:
        """402 once the balance is spent."""
        balance = self.options.balance
        if balance is not None and self.books.spent >= balance:
            raise Refused(402, "Insufficient balance")

    def check_lines(self) -> None:
        """429 when every line is taken."""
        cap = self.options.line_cap
        if cap is not None and self.books.live(self.clock.now()) >= cap:
            raise self._capped("Too many concurrent calls")

    def _capped(self, text: str) -> Refused:
        return Refused(429, text, self.options.retry_after_s if self.options.cap_retry_after else None)

    # --- chance ------------------------------------------------------------------------------------------

    def draw_fault(self, to: str) -> str | None:
        """At most one fault for this request; drawn per number and how often it was asked for, not per arrival."""
        self._asked[to] += 1
        chances = {name: p for name, p in self.options.faults.items() if name in faults.PLACING}
        point = self._dice("fault", to, self._asked[to]).random() if chances else 0.0
        for name, chance in chances.items():
            point -= chance
            if point < 0:
                return name
        return None

    def draw_answer_s(self, to: str) -> float:
        """How long the answer takes, in real seconds: it is the network's time, not the call's."""
        low, high = self.options.answer_s
        return self._dice("answer", to, self._asked[to]).uniform(low, high) if high else 0.0

    def draw_log_faults(self) -> frozenset[str]:
        """The faults of this history page."""
        self._pages += 1
        dice = self._dice("page", "", self._pages)
        chances = [(name, self.options.faults.get(name, 0.0)) for name in ("log-500", "log-repeat")]
        return frozenset(name for name, chance in chances if dice.random() < chance)

    def _dice(self, purpose: str, to: str, nth: int) -> Random:
        return Random(f"{self.options.seed}/{purpose}/{to}/{nth}")  # noqa: S311 - chance to be repeated, not secret

    # --- calls -------------------------------------------------------------------------------------------

    def place(self, order: Order) -> Call:
        """Place the call, whatever the caller will be told; it is in the books from now on."""
        nth = self.books.calls_to[order.to] + 1
        dice = self._dice("call", order.to, nth)
        lived = life.plan(self.options, dice, order.to, self.clock.now())
        number_of = len(self.books.calls) + 1
        cost = round(self.options.cost_per_call + self.options.cost_per_minute * lived.talk_s / 60, 4)
        late = dice.random() < self.options.faults.get("log-late", 0.0)
        visible_at = self._visible_at(order.dialect, lived, self.options.log_delay_s * (LATE if late else 1))
        call = Call(
            number_of, _call_id(order.dialect, number_of, lived.accepted_at, dice), order, lived, cost, visible_at
        )
        self.books.enter(call)
        start = lived.dialing_at if order.dialect == "vaani" else lived.accepted_at
        self.logs[order.dialect].expect(call, start)
        return call

    def _visible_at(self, dialect: str, lived: life.Life, delay_s: float) -> float | None:
        if dialect == "vaani":
            logged = lived.answered_at is not None or self.options.vaani_unanswered
            return lived.ended_at + delay_s if logged else None
        early = {"trigger": lived.accepted_at, "dial": lived.dialing_at}.get(self.options.vaanivoice_row)
        return lived.ended_at + delay_s if early is None else early + delay_s - self.options.log_delay_s

    def find(self, dialect: str, call_id: str) -> Call | None:
        """The call of that id placed through that dialect, visible in the logs or not."""
        call = self.books.by_id.get(call_id)
        return call if call is not None and call.order.dialect == dialect else None

    def change(self, **changed: object) -> None:
        """Change options while running, e.g. the faults: calls already placed keep their life."""
        self.options = replace(self.options, **changed)  # type: ignore[arg-type]


def _call_id(dialect: str, number_of: int, accepted_at: float, dice: Random) -> str:
    """``outbound-<unix seconds>-<8 hex>`` on vaanivoice (section 3.4), a UUID on vaani (section 2.3)."""
    if dialect == "vaani":
        return str(UUID(int=dice.getrandbits(128), version=4))
    return f"outbound-{int(accepted_at)}-{number_of * 2_654_435_761 % 2**32:08x}"
