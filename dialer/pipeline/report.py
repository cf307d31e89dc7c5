"""The ledger, counted: what ``dialer report`` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialer.domain.attempt import AttemptState
from dialer.domain.contact import FINAL_CONTACTS
from dialer.domain.disposition import Disposition
from dialer.errors import QueueUnavailable
from dialer.pipeline.iso import iso
from dialer.pipeline.what_limits import WhatLimits, layers_document
from dialer.ports import Campaign, ImportCounts, LedgerView, Pacer, Report


@dataclass(frozen=True)
class ReportCampaign:
    """The reader's room."""

    view: LedgerView
    pacer: Pacer | None = None
    limits: WhatLimits | None = None

    async def of(self, name: str) -> Report:
        """Raises UnknownName."""
        return await self.view.report((await self.view.campaign(name)).campaign_id)

    async def document(self, name: str) -> dict[str, Any]:
        """The JSON of ``dialer report --json``."""
        report = await self.of(name)
        layers = await self.limits.of(name) if self.limits else []
        return report_document(report, await self._learned(report)) | {"limits": layers_document(layers)}

    async def _learned(self, report: Report) -> float | None:
        if self.pacer is None:
            return None
        try:
            return (await self.pacer.state(report.campaign.spec.provider)).learned_per_s
        except QueueUnavailable:
            return None


def campaign_document(campaign: Campaign) -> dict[str, Any]:
    """A campaign in a list, as JSON keys."""
    return {
        "campaign": campaign.spec.name,
        "provider": campaign.spec.provider,
        "status": str(campaign.status),
        "halt_reason": campaign.halt_reason,
        "created_at": iso(campaign.created_at),
        "started_at": iso(campaign.started_at),
        "finished_at": iso(campaign.finished_at),
    }


def report_document(report: Report, learned: float | None = None) -> dict[str, Any]:
    """The report as JSON keys; times are ISO 8601 in UTC."""
    campaign = report.campaign
    return {
        "schema": 1,
        "campaign": campaign.spec.name,
        "provider": campaign.spec.provider,
        "status": str(campaign.status),
        "halt_reason": campaign.halt_reason,
        "moved": _moved(report),
        "import": import_document(report.imported),
        "contacts": {"total": sum(report.contacts.values())} | _by_name(report.contacts),
        "attempts": {"total": sum(report.attempts.values())} | _by_name(report.attempts),
        "dispositions": _by_name(report.dispositions),
        "unknown_now": report.attempts[AttemptState.UNKNOWN],
        "unconfirmed": report.dispositions[Disposition.UNCONFIRMED],
        "unexplained_calls": report.unexplained_calls,
        "unmapped_words": dict(report.unmapped_words),
        "log_notes": list(report.log_notes),
        "waiting": dict(report.waiting),
        "rules": campaign.spec.window.rules,
        "rules_reason": campaign.spec.window.rules_reason,
        "expired": dict(report.expired),
        "schedule": _schedule(report),
        "source": _source(report),
        "calls_per_second": {
            "configured": campaign.spec.pace.calls_per_second,
            "learned": learned,
            "measured": measured_rate(report),
        },
        "started_at": iso(campaign.started_at),
        "finished_at": iso(campaign.finished_at),
        "cost": round(report.cost, 6),
    }


def _moved(report: Report) -> dict[str, str | None] | None:
    """What last moved the campaign: who, when and why. None for one that an older version moved."""
    act = report.moved_by
    return None if act is None else {"act": act.act, "at": iso(act.at), "by": act.who, "why": act.why}


def _schedule(report: Report) -> dict[str, str | None]:
    schedule, source = report.campaign.spec.schedule, report.source
    next_round = source.next_at if schedule.repeat and source else None
    return {"start": iso(schedule.start), "end": iso(schedule.end), "next_round": iso(next_round)}


def _source(report: Report) -> dict[str, str | None] | None:
    """When the source was read, and will be; or why it could not be. None without one."""
    state = report.source
    if state is None:
        return None
    repeats = bool(report.campaign.spec.schedule.repeat)
    return {
        "read_at": iso(state.read_at),
        "next_refresh": None if repeats else iso(state.next_at),
        "error": state.error,
        "failed_at": iso(state.failed_at),
    }


def import_document(counts: ImportCounts) -> dict[str, Any]:
    """The import report: its counts add up to ``rows``."""
    return {
        "rows": counts.rows,
        "queued": counts.queued,
        "duplicate": counts.duplicate,
        "suppressed": counts.suppressed,
        "invalid": counts.invalid,
        "deferred": counts.deferred,
        "rejects": counts.rejects,
    }


def measured_rate(report: Report) -> float | None:
    """Calls placed per second between the first and the last intent; None below two calls."""
    first, last = report.first_dialed_at, report.last_dialed_at
    placed = sum(report.attempts.values()) - report.attempts[AttemptState.PLANNED]
    placed -= report.attempts[AttemptState.QUEUED] + report.attempts[AttemptState.CANCELLED]
    if first is None or last is None or last <= first or placed < 2:
        return None
    return round((placed - 1) / (last - first), 3)


def is_settled(report: Report) -> bool:
    """Whether every contact is final and no call is open."""
    open_contacts = sum(count for status, count in report.contacts.items() if status not in FINAL_CONTACTS)
    return open_contacts == 0


def _by_name(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(name): count for name, count in counts.items()}
