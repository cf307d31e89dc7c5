"""The provider's own books: what it received, whom it called, and what its log shows when."""

from bisect import insort
from dataclasses import dataclass, field, replace
from random import Random

from dialer.domain.call import CallLog, CallRequest
from dialer.domain.disposition import Disposition
from tests.simulation.faults import Faults

RING_S, TALK_S = 25.0, 240.0
LONGEST_CALL_S = RING_S + TALK_S
ENDS = (
    (0.45, Disposition.ANSWERED),
    (0.70, Disposition.NO_ANSWER),
    (0.82, Disposition.BUSY),
    (0.94, Disposition.VOICEMAIL),
    (0.98, Disposition.FAILED),
    (1.00, Disposition.REJECTED),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request whose first byte left."""

    at: float
    token: str
    agent: str
    to: str
    worker: str
    fate: str


@dataclass(slots=True, eq=False)
class Call:
    """A call that the provider placed. ``shows``: from when on the log shows which row."""

    call_id: str
    token: str
    agent: str
    to: str
    placed_at: float
    ended_at: float
    disposition: Disposition
    listed_at: float
    shows: list[tuple[float, CallLog]] = field(default_factory=list)

    def row(self, now: float) -> CallLog | None:
        """What the log shows of it now."""
        for since, row in reversed(self.shows):
            if since <= now:
                return row
        return None

    @property
    def final_from(self) -> float | None:
        """From when on the log tells what it came to; None if it never does."""
        return next((since for since, row in self.shows if row.disposition is not None), None)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a provider's log names calls."""

    account: str
    ids_are_final: bool
    echoes_token: bool
    silent_when_unanswered: bool


@dataclass
class Books:
    """Everything is decided when the request arrives; time only brings it to light."""

    dialect: Dialect
    faults: Faults
    sent: list[Sent] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    listed: list[tuple[float, int, Call]] = field(default_factory=list)
    """The log's order: newest first."""
    opted_out: dict[str, float] = field(default_factory=dict)
    """Number -> from when on the log tells that the person asked not to be called."""

    def __post_init__(self) -> None:
        self._dice: Random = self.faults.dice("books")

    def place(self, request: CallRequest, at: float) -> str:
        """Call somebody from ``at`` on; the id."""
        dice = self._dice
        draw = dice.random()
        disposition = next(end for limit, end in ENDS if draw <= limit)
        ring = dice.uniform(1.0, RING_S)
        talk = dice.uniform(2.0, TALK_S) ** dice.choice((0.7, 1.0)) if disposition in TALKING else 0.0
        call = Call(
            f"call-{len(self.calls) + 1}", request.token, request.agent, request.to, at, at + ring + talk,
            disposition, self._listed_at(at),
        )  # fmt: skip
        self._show(call, talk)
        self._add(call)
        return call.call_id

    def foreign(self, to: str, agent: str, at: float) -> None:
        """A call that is none of ours."""
        self.faults.happened["foreign row"] += 1
        call = Call(f"foreign-{len(self.listed)}", "", agent, to, at, at + 30, Disposition.ANSWERED, at)
        row = self._row(call, 25.0)
        call.shows = [(at + 30, replace(row, outbound=False))]
        insort(self.listed, (-call.listed_at, len(self.listed), call))

    def rows(self, now: float) -> list[CallLog]:
        """The whole log now."""
        found = (call.row(now) for _, _, call in self.listed)
        return [row for row in found if row is not None]

    def _add(self, call: Call) -> None:
        self.calls.append(call)
        insort(self.listed, (-call.listed_at, len(self.listed), call))

    def _listed_at(self, at: float) -> float:
        if self.faults.strikes(self._dice, self.faults.rates.row_out_of_order, "row out of order"):
            return at + self._dice.uniform(-30.0, 30.0)
        return at

    def _show(self, call: Call, talk: float) -> None:
        dice, faults, rates = self._dice, self.faults, self.faults.rates
        unanswered = call.disposition not in TALKING
        if self.dialect.silent_when_unanswered and unanswered:
            return
        final = self._row(call, talk)
        seen_from = call.ended_at + dice.uniform(1.0, 4.0)
        if faults.strikes(dice, rates.row_never, "row never"):
            return
        if faults.strikes(dice, rates.row_late, "row late"):
            seen_from += dice.uniform(5.0, 60.0)
        elif faults.strikes(dice, rates.row_very_late, "row very late"):
            seen_from += dice.uniform(60.0, 7200.0)
        elif dice.random() < 0.5:
            call.shows.append(
                (call.placed_at + 1.0, replace(final, disposition=None, ended_at=None, raw_status="live"))
            )
        if faults.strikes(dice, rates.row_edited, "row edited"):
            first = replace(final, disposition=None, unmapped=True, raw_status="a new word")
            call.shows.append((seen_from, first))
            seen_from += dice.uniform(20.0, 300.0)
        self._analyse(call, seen_from, final)

    def _analyse(self, call: Call, seen_from: float, final: CallLog) -> None:
        """Show how the call ended, and sometimes only minutes later what was said."""
        chance = self.faults.rates.opt_out_late
        talked = call.disposition is Disposition.ANSWERED
        if chance and talked and self.faults.strikes(self._dice, chance, "opt-out told late"):
            call.shows.append((seen_from, replace(final, analysed=False)))
            seen_from = max(seen_from, call.ended_at + self._dice.uniform(60.0, 800.0))
            final = replace(final, entities={"opt_out": "yes"})
            self.opted_out[call.to] = min(seen_from, self.opted_out.get(call.to, seen_from))
        call.shows.append((seen_from, final))

    def _row(self, call: Call, talk: float) -> CallLog:
        return CallLog(
            call_id=call.call_id if self.dialect.ids_are_final else f"log-{call.call_id}",
            to_number=call.to,
            agent=call.agent,
            started_at=call.placed_at,
            ended_at=call.ended_at,
            duration_s=talk,
            disposition=call.disposition,
            raw_status=str(call.disposition),
            token=call.token if self.dialect.echoes_token else "",
        )


TALKING = frozenset({Disposition.ANSWERED, Disposition.VOICEMAIL})
