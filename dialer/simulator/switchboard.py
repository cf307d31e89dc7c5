"""What stands behind both dialects: the caps, the wallet, the do-not-disturb list, the dice, and the books."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import blake2s
from random import Random
from uuid import NAMESPACE_URL, UUID, uuid5

from dialer.simulator import faults, life
from dialer.simulator.agents import Agents
from dialer.simulator.books import Books, Call, Order, Received, RollingSecond
from dialer.simulator.call_log import CallLog, Page
from dialer.simulator.clock import Agenda, Clock
from dialer.simulator.options import Options

LATE, LATER = 5.0, 120.0
MOST_FOREIGN = 50
SPACE = uuid5(NAMESPACE_URL, "simulator")
"""Ids made from names in it are the same in every run."""
SAMPLE_AGENTS = {"vaani": "+16505550100", "vaanivoice": "simulated_agent"}


class Refused(Exception):
    """A request refused in a documented way; each dialect words the body, ``code`` where the vendor names one."""

    def __init__(self, status: int, text: str, retry_after: int | str | None = None, code: str | None = None) -> None:
        super().__init__(text)
        self.status, self.text, self.retry_after, self.code = status, text, retry_after, code


class Switchboard:
    """The provider's inside. Which dialect a call came through decides only its id, its log and its words."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options, self.clock = options, clock
        self.books = Books()
        self.agenda = Agenda()
        self.rooms: set[str] = set()
        self.on_placed: list[Callable[[Call], None]] = []
        self.agents = {"vaani": Agents(numbered_agent_id), "vaanivoice": Agents(lambda name: str(uuid5(SPACE, name)))}
        self.address = "127.0.0.1"
        self.started_at = clock.now()
        self.logs = {"vaani": CallLog(), "vaanivoice": CallLog()}
        self._admitted = RollingSecond()
        self._asked: Counter[str] = Counter()
        self._pages = self._foreign = 0

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

    def check_agent(self, dialect: str, agent: str) -> None:
        """404 for an agent that was deleted, and, when the options name agents, for one that is not known."""
        agents, named = self.agents[dialect], self.options.agents
        if agents.is_gone(agent) or (named and agent not in named and agents.find(agent) is None):
            raise Refused(404, "Agent not found")

    def known_agents(self, dialect: str) -> Agents:
        """The dialect's agents: those the options name, or one to start with, and those created since."""
        agents, numbered = self.agents[dialect], dialect == "vaani"
        named = [name for name in self.options.agents if name.startswith("+") == numbered]
        agents.seed(named or [SAMPLE_AGENTS[dialect]], self.started_at)
        return agents

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
        chances = [each for each in self.options.faults.items() if each[0] in faults.PLACING]
        return _one_of(chances, self._dice("fault", to, self._asked[to])) if chances else None

    def draw_answer_s(self, to: str) -> float:
        """How long the answer takes, in real seconds: it is the network's time, not the call's."""
        low, high = self.options.answer_s
        return self._dice("answer", to, self._asked[to]).uniform(low, high) if high else 0.0

    def draw_late_s(self, to: str) -> float:
        """How late a late request arrives, in real seconds."""
        return self._dice("late", to, self._asked[to]).uniform(*self.options.late_s)

    def log_page(
        self, dialect: str, number: int, record: Received, unreadable: str, cut: Callable[[bool], Page]
    ) -> Page:
        """The page ``number`` of the call log with the faults drawn for it, which are written into the books.

        ``cut`` cuts it out, given whether a row is repeated. Raises ``Refused`` with the words ``unreadable``.
        """
        self._pages += 1
        dice = self._dice("page", "", self._pages)
        drawn = {name for name in faults.PAGES if dice.random() < self.options.faults.get(name, 0.0)}
        if "log-500" in drawn:
            record.fault = "log-500"
            raise Refused(500, unreadable)
        met = []
        if "log-shift" in drawn and number > 1:
            self._let_strangers_in(dialect)
            met.append("log-shift")
        page = cut("log-repeat" in drawn)
        if page.repeated:
            met.append("log-repeat")
        if "log-shuffle" in drawn and len(page.rows) > 1:
            met.append("log-shuffle")
            page = replace(page, rows=self._dice("shuffle", "", self._pages).sample(page.rows, len(page.rows)))
        record.fault = "+".join(met) or None
        return page

    def _dice(self, purpose: str, to: str, nth: int) -> Random:
        return Random(f"{self.options.seed}/{purpose}/{to}/{nth}")  # noqa: S311 - chance to be repeated, not secret

    # --- calls -------------------------------------------------------------------------------------------

    def place(self, order: Order, asked_at: float | None = None, at: float | None = None) -> Call:
        """Place the call, whatever the caller will be told; it is in the books from now on.

        ``asked_at`` is when its request was received, ``at`` when it is accepted; default: now.
        """
        nth = self.books.calls_to[order.to] + 1
        dice = self._dice("call", order.to, nth)
        lived = life.plan(self.options, dice, order.to, self.clock.now() if at is None else at)
        number_of = len(self.books.calls) + 1
        cost = round(self.options.cost_per_call + self.options.cost_per_minute * lived.talk_s / 60, 4)
        row_fault = _one_of([(name, self.options.faults.get(name, 0.0)) for name in faults.ROWS], dice)
        call = Call(
            number_of,
            _call_id(order.dialect, number_of, lived.accepted_at, dice),
            order,
            lived,
            cost,
            self._visible_at(order.dialect, lived, row_fault),
            lived.accepted_at if asked_at is None else asked_at,
            row_fault,
        )
        self.books.enter(call)
        start = lived.dialing_at if order.dialect == "vaani" else lived.accepted_at
        self.logs[order.dialect].expect(call, start)
        for told in self.on_placed:
            told(call)
        return call

    def _let_strangers_in(self, dialect: str) -> None:
        """1 to 50 calls that somebody else placed appear in the log, the newest of all; the books know none of them."""
        now = self.clock.now()
        dice = self._dice("strangers", dialect, self._pages)
        for _ in range(dice.randint(1, MOST_FOREIGN)):
            self._foreign -= 1
            order = Order(dialect, f"+1650555{dice.randrange(100, 200):04d}", "somebody-else", name="Stranger")
            lived = life.Life("answered", now, now, now, now, now)
            call_id = _call_id(dialect, self._foreign, now, dice)
            self.logs[dialect].expect(Call(self._foreign, call_id, order, lived, 0.0, now, now), now)

    def _visible_at(self, dialect: str, lived: life.Life, row_fault: str | None) -> float | None:
        if row_fault == "log-never":
            return None
        if row_fault == "log-early" and dialect == "vaanivoice":
            return lived.accepted_at
        delay_s = self.options.log_delay_s * {"log-late": LATE, "log-later": LATER}.get(row_fault or "", 1.0)
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


def _one_of(chances: Iterable[tuple[str, float]], dice: Random) -> str | None:
    point = dice.random()
    for name, chance in chances:
        point -= chance
        if point < 0:
            return name
    return None


def _call_id(dialect: str, number_of: int, accepted_at: float, dice: Random) -> str:
    """``outbound-<unix seconds>-<8 hex>`` on vaanivoice (section 3.4), a UUID on vaani (section 2.3)."""
    if dialect == "vaani":
        return str(UUID(int=dice.getrandbits(128), version=4))
    return f"outbound-{int(accepted_at)}-{number_of * 2_654_435_761 % 2**32:08x}"


def numbered_agent_id(agent_phone_number: str) -> str:
    """The id of the agent that owns a number, ``ag_`` and 8 hex digits; the same number, the same id."""
    return "ag_" + blake2s(agent_phone_number.encode(), digest_size=4).hexdigest()
