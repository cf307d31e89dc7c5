"""What keeps a campaign from calling more people right now, layer by layer, in the order they are checked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialer.domain.campaign import OVER, CampaignStatus
from dialer.domain.limits import FREE_AT
from dialer.domain.waiting import KINDS, Waiting, kind_of
from dialer.pipeline.iso import iso
from dialer.pipeline.known_pace import known_pace
from dialer.ports import Campaign, Clock, LedgerView, Limits, PaceState, Supply

FEEDER = "feeder"
REMEDIES = {
    CampaignStatus.DRAFT: "Start it.",
    CampaignStatus.SCHEDULED: "It starts by itself, or start it now.",
    CampaignStatus.PAUSED: "Resume it.",
    CampaignStatus.HALTED: "Fix the cause, then start it.",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing that may keep people from being called.

    ``now`` says how it stands, in words; ``people``: how many wait for it; ``until``: when it lets the first of them
    go, in unix seconds; ``holds``: whether it keeps a call from being made that could be made otherwise.
    """

    name: str
    holds: bool
    now: str
    people: int = 0
    until: float | None = None
    remedy: str = ""


@dataclass(frozen=True)
class WhatLimits:
    """The reader's room. ``accounts``: the limits of each account; ``has_key``: whether this account can be used;
    ``pace_of``: what the pacer says of it, None where there is none to ask.
    """

    view: LedgerView
    clock: Clock
    accounts: Mapping[str, Limits]
    has_key: Callable[[str], bool]
    pace_of: Callable[[str], Awaitable[PaceState]] | None = None

    async def of(self, name: str) -> list[Layer]:
        """Every layer that says something now: status, then whom each rule holds back, then all who are ready. Raises
        UnknownName.
        """
        campaign = await self.view.campaign(name)
        if campaign.status in OVER:
            return []
        waiting = await self.view.waiting(campaign.campaign_id)
        supply = next((s for s in await self.view.supplies() if s.campaign_id == campaign.campaign_id), None)
        ready = sum(one.people for one in waiting if not one.reason)
        layers = [self._status(campaign, ready), *self._people(waiting)]
        if campaign.status is CampaignStatus.RUNNING:
            layers += await self._account(campaign, supply, ready)
        return [layer for layer in layers if layer.now]

    def _status(self, campaign: Campaign, ready: int) -> Layer:
        holds = campaign.status is not CampaignStatus.RUNNING
        now = str(campaign.status) + (f": {campaign.halt_reason}" if campaign.halt_reason else "")
        start = campaign.spec.schedule.start if campaign.status is CampaignStatus.SCHEDULED else None
        return Layer("status", holds, now, ready if holds else 0, start, REMEDIES.get(campaign.status, ""))

    def _people(self, waiting: Sequence[Waiting]) -> list[Layer]:
        """Layers that hold back people one by one, with the number of those whom each holds."""
        kinds: dict[str, list[Waiting]] = {kind: [] for kind in KINDS}
        for one in waiting:
            if one.reason:
                kinds[kind_of(one.reason)].append(one)
        words = {
            "window": "outside their calling hours",
            "people": "called as often as the limits allow",
            "number busy": "another call to them is open",
            "trial": "the first calls are tried on a few",
            "key": "their worker has no key for the provider",
            "later": "planned for later",
        }
        return [
            Layer(
                name,
                holds=True,
                now=_longest(of_kind, words[name]),
                people=sum(one.people for one in of_kind),
                until=min(one.due_at for one in of_kind),
            )
            for name, of_kind in kinds.items()
            if of_kind
        ]

    async def _account(self, campaign: Campaign, supply: Supply | None, ready: int) -> list[Layer]:
        """Layers that hold back people who are ready to be called."""
        account, live = campaign.spec.provider, supply.live if supply else 0
        ready += supply.queued if supply else 0
        own = campaign.spec.pace
        of_account = self.accounts.get(account, Limits(0, 0))
        state = await known_pace(self.pace_of, account)
        layers = [self._brake(state, ready), self._lines(own.concurrent_calls, live, of_account, state, ready)]
        layers += [await self._budget(campaign, ready), await self._worker(ready)]
        if not self.has_key(account):
            remedy = "`dialer doctor` names the setting."
            layers.append(Layer("key", bool(ready), f"no key for {account}", ready, remedy=remedy))
        free = ready > 0 and not any(layer.holds for layer in layers)
        layers.insert(0, _pace(own.calls_per_second, of_account.calls_per_second, state, ready if free else 0))
        return layers

    def _brake(self, state: PaceState | None, ready: int) -> Layer:
        until = state.braked_until if state else None
        holds = until is not None and until > self.clock.now()
        return Layer("brake", holds and ready > 0, "the provider asked for time" if holds else "", ready * holds, until)

    def _lines(self, own: int, live: int, of_account: Limits, state: PaceState | None, ready: int) -> Layer:
        used, most = (state.lines if state else live), of_account.concurrent_calls
        full = (0 < own <= live, 0 < most <= used)
        shares = [(live, own, "of the campaign"), (used, most, "of the account")]
        now = ", ".join(f"{taken} of {all_of} lines {whose}" for taken, all_of, whose in shares if all_of)
        return Layer("lines", any(full) and ready > 0, now, ready if any(full) else 0)

    async def _budget(self, campaign: Campaign, ready: int) -> Layer:
        most = campaign.spec.max_cost
        if most <= 0:
            return Layer("budget", holds=False, now="")
        cost, known, live = await self.view.spent(campaign.campaign_id)
        over = cost + live * (cost / known if known else 0.0) >= most
        remedy = "Raise [budget] max_cost." if over else ""
        return Layer("budget", over and ready > 0, f"{cost:g} of {most:g} spent", ready if over else 0, remedy=remedy)

    async def _worker(self, ready: int) -> Layer:
        missing = not await self.view.is_held(FEEDER)
        now, remedy = ("no worker runs", "Start one: `dialer worker`.") if missing else ("", "")
        return Layer("worker", missing, now, ready if missing else 0, remedy=remedy)


def layers_document(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """The layers as JSON keys; times are ISO 8601 in UTC."""
    return [
        {
            "layer": layer.name,
            "holds": layer.holds,
            "now": layer.now,
            "people": layer.people,
            "until": iso(layer.until),
            "remedy": layer.remedy,
        }
        for layer in layers
    ]


def _longest(of_kind: Sequence[Waiting], words: str) -> str:
    """What is said of them all, and what is said of most of them."""
    most = max(of_kind, key=lambda one: one.people)
    return f"{words}; most of them: {most.reason.partition(FREE_AT)[0]}"


def _pace(own: float, of_account: float, state: PaceState | None, ready: int) -> Layer:
    learned = state.learned_per_s if state else 0.0
    rates = {"of the campaign": own, "of the account": of_account, "that the provider takes": learned}
    limits = [f"{rate:g} calls/s {whose}" for whose, rate in rates.items() if rate > 0]
    return Layer("pace", ready > 0 and bool(limits), ", ".join(limits) or "no limit", ready)
