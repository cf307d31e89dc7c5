"""The vendor's own campaigns, which really dial, on the simulator's clock (wire contract, section 3.12)."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid5

from dialer.simulator.books import Call, Order
from dialer.simulator.campaign_plan import Lead, Plan
from dialer.simulator.courier import Courier
from dialer.simulator.switchboard import SPACE, Refused, Switchboard

DIALECT = "vaanivoice"
RESULTS = {"answered": "completed", "voicemail": "completed", "rejected": "failed"}
"""``call_status`` in the results where it is not the outcome; the one list of outcomes that the vendor documents."""
OVER = frozenset({"completed", "cancelled"})


@dataclass(slots=True)
class Campaign:
    """One campaign. ``state`` is ``active``, ``paused``, ``stopping``, ``completed`` or ``cancelled``."""

    campaign_id: str
    plan: Plan
    leads: list[Lead]
    created_at: float
    updated_at: float
    state: str = "active"
    until: float | None = None
    over_at: float | None = None
    live: int = 0
    due: list[tuple[float, int]] = field(default_factory=list)
    woken_at: float | None = None

    def status(self, now: float) -> str:
        """The vendor's word for it; who is stopped is ``completed`` while today's window is worked off."""
        if self.state != "active":
            return "completed" if self.state == "stopping" else self.state
        window = self.plan.window(now)
        if window is None or window[0] <= now:
            return "active"
        day_one = self.plan.window(self.created_at)
        return "scheduled" if day_one == window and not any(lead.attempts for lead in self.leads) else OUT_OF_RANGE

    def counts(self) -> dict[str, int]:
        """``stats`` as the status has them."""
        waiting = set() if self.state in OVER else {index for _, index in self.due}
        found = Counter(_bucket(lead, waits=at in waiting) for at, lead in enumerate(self.leads))
        return {"total_calls": len(self.leads), **{name: found[name] for name in BUCKETS}}


def _bucket(lead: Lead, *, waits: bool) -> str:
    if lead.status == "calling":
        return "in_progress"
    if waits:
        return "pending"
    return "completed" if lead.status == "completed" else "failed"


OUT_OF_RANGE = "paused_out_of_range"
BUCKETS = ("completed", "pending", "in_progress", "failed")


class Campaigns:
    """Every campaign of the account, and the dialing of each."""

    def __init__(self, board: Switchboard, courier: Courier) -> None:
        self.board, self.courier = board, courier
        self._by_id: dict[str, Campaign] = {}

    def find(self, campaign_id: str) -> Campaign | None:
        """The campaign of that id."""
        return self._by_id.get(campaign_id)

    def newest_first(self, status: str | None) -> list[Campaign]:
        """All campaigns, or those of one status."""
        now = self.board.clock.now()
        return [each for each in list(self._by_id.values())[::-1] if status in {None, each.status(now)}]

    def create(self, plan: Plan, leads: list[Lead]) -> Campaign:
        """Start a campaign: it dials as soon as its window is open."""
        now = self.board.clock.now()
        name = str(uuid5(SPACE, f"campaign {len(self._by_id)}"))
        campaign = Campaign(name, plan, leads, now, now)
        campaign.due = [(now, at) for at, lead in enumerate(leads) if lead.status == "pending"]
        self._by_id[name] = campaign
        self._dial(campaign, now)
        return campaign

    def turn(self, campaign: Campaign, state: str, plan: Plan | None = None) -> None:
        """Change the settings, which pauses; no new calls for now or ever, or dial on. Running calls finish."""
        if campaign.state not in {"active", "paused"}:
            raise Refused(409, "The campaign is over", code="CAMPAIGN_OVER")
        campaign.plan = plan or campaign.plan
        self._turn(campaign, state)

    def stop(self, campaign: Campaign) -> None:
        """Work off today's window and end; stopping what is completed changes nothing."""
        if campaign.state in {"completed", "stopping"}:
            return
        now = self.board.clock.now()
        window = campaign.plan.window(now)
        campaign.until = window[1] if window is not None and window[0] <= now else now
        self.turn(campaign, "stopping")

    # --- dialing -----------------------------------------------------------------------------------------

    def _turn(self, campaign: Campaign, state: str) -> None:
        now = self.board.clock.now()
        before = campaign.status(now)
        campaign.state, campaign.updated_at = state, now
        if campaign.status(now) != before:
            self._tell_change(campaign, before, now)
        self._dial(campaign, now)

    def _dial(self, campaign: Campaign, at: float) -> None:
        """Place what may be placed at ``at``, and be woken when there is more to do."""
        if campaign.state == "cancelled":
            campaign.due.clear()
        if campaign.state == "active" and campaign.plan.window(at) is None:
            campaign.state, campaign.until = "stopping", at
        if campaign.state == "stopping" and campaign.until is not None and at >= campaign.until:
            campaign.due.clear()
        window = campaign.plan.window(at)
        if campaign.state in {"active", "stopping"} and window is not None:
            if window[0] <= at:
                self._place_due(campaign, at)
            self._wake(campaign, at, window)
        self._finish(campaign, at)

    def _place_due(self, campaign: Campaign, at: float) -> None:
        while campaign.due and campaign.due[0][0] <= at and campaign.live < campaign.plan.concurrency:
            _, index = heapq.heappop(campaign.due)
            lead = campaign.leads[index]
            if campaign.plan.perform_dnd_check and lead.phone in self.board.options.dnd:
                lead.status = "failed"
            else:
                self._place(campaign, index, lead, at)

    def _place(self, campaign: Campaign, index: int, lead: Lead, at: float) -> None:
        order = Order(DIALECT, lead.phone, campaign.plan.agent_id, lead.name, variables=lead.variables)
        call = self.board.place(order, at=at)
        lead.status, lead.attempts, lead.last_attempt_at = "calling", lead.attempts + 1, at
        lead.calls.append(call)
        campaign.live += 1
        self.board.agenda.at(call.life.ended_at, lambda when: self._ended(campaign, index, call, when))

    def _ended(self, campaign: Campaign, index: int, call: Call, when: float) -> None:
        lead, plan = campaign.leads[index], campaign.plan
        lead.status = RESULTS.get(call.life.outcome, call.life.outcome)
        campaign.live -= 1
        again = lead.status != "completed" and lead.attempts < plan.max_retries
        if again and campaign.state not in OVER:
            heapq.heappush(campaign.due, (when + plan.retry_delay_mins * 60, index))
        self._tell_call(campaign, lead, call, when)
        self._dial(campaign, when)

    def _wake(self, campaign: Campaign, at: float, window: tuple[float, float]) -> None:
        """Once more when the next lead is due, the window opens, or it closes; one alarm at a time."""
        wanted = window[0] if at < window[0] else window[1]
        if campaign.due and at >= window[0] and campaign.live < campaign.plan.concurrency:
            wanted = min(wanted, max(campaign.due[0][0], at))
        if campaign.due and (campaign.woken_at is None or not at < campaign.woken_at <= wanted):
            campaign.woken_at = wanted
            self.board.agenda.at(wanted, lambda when: self._dial(campaign, when))

    def _finish(self, campaign: Campaign, at: float) -> None:
        waiting = campaign.due and campaign.state not in OVER
        if campaign.live or waiting or campaign.over_at is not None or campaign.state == "paused":
            return
        before = campaign.status(at)
        campaign.state = "cancelled" if campaign.state == "cancelled" else "completed"
        campaign.over_at = campaign.updated_at = at
        for lead in campaign.leads:
            if lead.status == "pending":
                lead.status = "cancelled"
        if campaign.status(at) != before:
            self._tell_change(campaign, before, at)
        self._tell(campaign, f"campaign.{campaign.state}", {}, at)

    # --- webhooks ----------------------------------------------------------------------------------------

    def _tell_change(self, campaign: Campaign, before: str, at: float) -> None:
        self._tell(campaign, "campaign.status_changed", {"old_status": before, "new_status": campaign.status(at)}, at)

    def _tell(self, campaign: Campaign, event: str, more: dict[str, Any], at: float) -> None:
        self._send(campaign.plan.campaign_webhook_url, campaign, event, {**more, "stats": campaign.counts()}, at)

    def _tell_call(self, campaign: Campaign, lead: Lead, call: Call, at: float) -> None:
        event = {"completed": "call.completed", "no_answer": "call.no_answer"}.get(lead.status, "call.failed")
        told = {
            "call_id": call.call_id,
            "contact": {"name": lead.name, "phone": lead.phone},
            "call_status": lead.status,
            "call_duration_seconds": round(call.life.talk_s, 3),
            "call_outcome": call.life.outcome,
            "call_tags": [],
            **self.courier.spoken(call),
        }
        self._send(campaign.plan.per_call_webhook_url, campaign, event, told, at)

    def _send(self, url: str | None, campaign: Campaign, event: str, more: dict[str, Any], at: float) -> None:
        named = {"campaign_id": campaign.campaign_id, "campaign_name": campaign.plan.campaign_name}
        self.courier.campaign(url, {"event": event, **named, **more}, at)
