"""A house of fakes for the rooms: one campaign, a manual clock, a scripted provider."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from dialer.domain.attempt import AttemptState
from dialer.domain.calling_window import ALWAYS
from dialer.domain.campaign import CampaignSpec, Pace
from dialer.domain.contact import NewContact
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.pipeline.dialing_times import DialingTimes
from dialer.pipeline.enqueue_due import EnqueueDue
from dialer.pipeline.keep_lines import KeepLines
from dialer.pipeline.place_call import PlaceCall
from dialer.pipeline.reconcile_calls import ReconcileCalls
from dialer.ports import AttemptRow, Event, GateRequest, ImportCounts, Limits, QueuedAttempt, Suppression
from tests.fakes.clock import ManualClock
from tests.fakes.pacer import MemoryPacer
from tests.fakes.provider import ScriptedProvider
from tests.fakes.queue import MemoryQueue
from tests.memory_ledger import memory_ledger

HORIZON_S = 600.0
SPEC = CampaignSpec("october", "agent", "vaanivoice", window=ALWAYS, pace=Pace(0, 0))


def phone(number: int) -> str:
    """A number of the range that is kept for fiction."""
    return f"+1415555{number:04d}"


@dataclass
class House:
    """Every room over fakes."""

    clock: ManualClock = field(default_factory=ManualClock)
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    spec: CampaignSpec = SPEC
    times: DialingTimes = field(default_factory=DialingTimes)
    campaign_id: int = 0

    def __post_init__(self) -> None:
        self.ledger = memory_ledger(self.clock)
        self.pacer = MemoryPacer(self.clock)
        self.place_call = PlaceCall(
            self.ledger, self.pacer, {"vaanivoice": self.provider}, self.clock, Random(7), self.times, "worker-1"
        )
        lines = KeepLines(self.ledger, self.pacer, self.clock, 900.0)
        self.feeder = EnqueueDue(
            self.ledger, self.ledger, self.queue, self.pacer, self.clock, {"vaanivoice": Limits(0, 0)}, lines
        )
        self.reconciler = ReconcileCalls(self.ledger, self.ledger, self.provider, self.pacer, self.clock, HORIZON_S)
        self.control = ControlCampaign(self.ledger, self.ledger, self.clock, self.times.send_within_s)

    async def opened(self, people: int = 1) -> "House":
        """With a running campaign of so many people."""
        campaign = await self.ledger.open_campaign(self.spec)
        self.campaign_id = campaign.campaign_id
        contacts = [NewContact(phone(n), f"Person {n}", n + 2) for n in range(people)]
        await self.ledger.add_contacts(self.campaign_id, contacts)
        await self.ledger.record_import(self.campaign_id, "list", "list.csv", ImportCounts(people, people))
        await self.ledger.move_campaign(self.campaign_id, "start", "")
        return self

    async def queued(self) -> list[QueuedAttempt]:
        """One tick of the feeder; what it rang."""
        self.queue.rung.clear()
        await self.clock.run(self.feeder.tick())
        return list(self.queue.rung)

    async def dialed(self, attempts: Sequence[QueuedAttempt] | None = None) -> None:
        """Feed and place."""
        rung = attempts if attempts is not None else await self.queued()
        await self.clock.run(self.place_call.slice(rung))

    async def attempts(self) -> list[AttemptRow]:
        """Every attempt, oldest first."""
        return [row async for row in self.ledger.attempt_rows(self.campaign_id)]

    async def states(self) -> list[AttemptState]:
        """The state of every attempt."""
        return [row.state for row in await self.attempts()]

    async def events(self, attempt_id: int = 1) -> list[Event]:
        """What happened to an attempt."""
        return (await self.ledger.story(attempt_id=attempt_id))[0][1]

    def suppression(self, number: str) -> Suppression:
        """A reason not to call a number."""
        return Suppression(number, "asked us to stop")

    def contact(self, number: int) -> NewContact:
        """Another person."""
        return NewContact(phone(number), f"Person {number}", number + 2)

    def gate_request(self, attempt: QueuedAttempt) -> GateRequest:
        """The gate's question for an attempt."""
        return GateRequest(attempt.attempt_id, attempt.dispatch, f"token-{attempt.attempt_id}", "worker-1", 60.0)

    async def lines(self) -> int:
        """Lines in use."""
        return (await self.pacer.state("vaanivoice")).lines
