"""The person at the console: pauses, resumes, cancels, suppresses, and notes when each was acknowledged."""

import math
from dataclasses import dataclass, field

from dialer.domain.campaign import CampaignStatus
from dialer.errors import UsageError
from dialer.pipeline.control_campaign import ControlCampaign
from dialer.ports import LedgerView, Suppression
from tests.fakes.clock import ManualClock
from tests.memory_ledger import Tables
from tests.simulation.faults import Faults

IN_THE_GATE = "SELECT count(*) FROM attempts WHERE state = 'dialing'"
ON_THE_WAY = "SELECT phone FROM attempts WHERE state IN ('queued', 'dialing') ORDER BY id"
ANYBODY = "SELECT phone FROM contacts ORDER BY id"


@dataclass
class Stop:
    """No first byte for ``agent`` may leave after ``since`` and before ``until``."""

    agent: str
    since: float
    until: float = math.inf


@dataclass
class Operator:
    """Never dies, never stands still."""

    control: ControlCampaign
    view: LedgerView
    clock: ManualClock
    faults: Faults
    tables: Tables
    stops: list[Stop] = field(default_factory=list)
    suppressed: dict[str, float] = field(default_factory=dict)
    """Number -> when its suppression was acknowledged."""

    def __post_init__(self) -> None:
        self._dice = self.faults.dice("operator")

    async def pauses(self, names: tuple[str, ...]) -> None:
        """Pause one campaign after the other, and go on."""
        while self.faults.on:
            await self.clock.sleep(self._dice.expovariate(1 / self.faults.rates.pause_every_s))
            if self.faults.on:
                await self._pause(self._dice.choice(names))

    async def _pause(self, name: str) -> None:
        dialing = self.tables.rows(IN_THE_GATE)[0][0]
        try:
            await self.control.move(name, "pause")
        except UsageError:
            return
        self.faults.happened["pause"] += 1
        self.faults.happened["pause with calls in the gate"] += bool(dialing)
        stop = Stop(name, self.clock.now())
        self.stops.append(stop)
        await self.clock.sleep(self._dice.uniform(1.0, 60.0))
        if (await self.view.campaign(name)).status is CampaignStatus.PAUSED:
            stop.until = self.clock.now()
            await self.control.move(name, "resume")

    async def cancels(self, name: str) -> None:
        """Sometimes cancel a campaign."""
        if self._dice.random() >= self.faults.rates.cancel:
            return
        await self.clock.sleep(self._dice.uniform(5.0, 300.0))
        try:
            await self.control.move(name, "cancel")
        except UsageError:
            return
        self.faults.happened["cancel"] += 1
        self.stops.append(Stop(name, self.clock.now()))

    async def suppresses(self) -> None:
        """Add numbers, those that are about to be called above all."""
        while self.faults.on:
            await self.clock.sleep(self._dice.expovariate(1 / self.faults.rates.suppress_every_s))
            found = self.tables.rows(ON_THE_WAY) if self._dice.random() < 0.5 else []
            self.faults.happened["suppress of a number in the queue"] += bool(found)
            phone = self._dice.choice(found or self.tables.rows(ANYBODY))[0]
            await self.control.suppress([Suppression(phone, "asked us to stop")])
            self.faults.happened["suppress"] += 1
            self.suppressed.setdefault(phone, self.clock.now())

    async def restarts(self, names: tuple[str, ...]) -> None:
        """Start again what was halted."""
        while True:
            await self.clock.sleep(30.0)
            for name in names:
                if (await self.view.campaign(name)).status is CampaignStatus.HALTED:
                    self.faults.happened["halted"] += 1
                    await self.control.move(name, "start")
