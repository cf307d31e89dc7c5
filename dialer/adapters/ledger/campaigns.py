"""Verbs on campaigns and contacts."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dialer.adapters.ledger.acts import add_acts, handle_of
from dialer.adapters.ledger.moves import add_events, event
from dialer.adapters.ledger.spec_text import usable_spec, write_spec
from dialer.adapters.ledger.transaction import Row, Transaction
from dialer.adapters.ledger.unfinished import CANCEL, HOURS, leave
from dialer.domain.act import PROGRAM, Act, By
from dialer.domain.attempt import Actor, AttemptState
from dialer.domain.campaign import (
    CAMPAIGN_TRANSITIONS,
    REHEARSAL,
    CampaignSpec,
    CampaignStatus,
    hours_changed,
    verb_now,
)
from dialer.errors import UsageError
from dialer.ports import Campaign, ImportCounts

CAMPAIGN_COLUMNS = "id, spec, status, halt_reason, created_at, started_at, finished_at, name, account"

COPY_BARS = """
INSERT INTO suppressions (phone, campaign_id, reason, source, added_at)
SELECT phone, :id, reason, source, added_at FROM suppressions
WHERE campaign_id > 0 AND campaign_id = (SELECT id FROM campaigns WHERE name = :rehearsal)
ON CONFLICT (phone, campaign_id) DO NOTHING
"""
HAS_ATTEMPTS = "SELECT EXISTS (SELECT 1 FROM attempts WHERE campaign_id = :id)"
ADD_CAMPAIGN = """
INSERT INTO campaigns (name, account, spec, status, created_at)
VALUES (:name, :account, :spec, 'draft', :now) ON CONFLICT (name) DO NOTHING
"""
RENEW_SPEC = "UPDATE campaigns SET spec = :spec, account = :account WHERE name = :name"
CAMPAIGN_BY_NAME = f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns WHERE name = :name"
CAMPAIGN_BY_ID = f"SELECT {CAMPAIGN_COLUMNS} FROM campaigns WHERE id = :id"

ADD_IMPORT = """
INSERT INTO imports (campaign_id, fingerprint, source, total, queued, duplicate, suppressed, invalid, deferred,
    rejects, imported_at)
VALUES (:campaign_id, :fingerprint, :source, :total, :queued, :duplicate, :suppressed, :invalid, :deferred,
    :rejects, :now)
ON CONFLICT (campaign_id, fingerprint) DO UPDATE SET
    queued = imports.queued + excluded.queued,
    suppressed = imports.suppressed + excluded.suppressed,
    deferred = imports.deferred + excluded.deferred,
    duplicate = excluded.total - imports.queued - excluded.queued - imports.suppressed - excluded.suppressed
        - excluded.invalid - imports.deferred - excluded.deferred,
    total = excluded.total, invalid = excluded.invalid, rejects = excluded.rejects
"""

MOVE_CAMPAIGN = """
UPDATE campaigns SET status = :after, halt_reason = :halt_reason,
    started_at = CASE WHEN :after = 'running' THEN coalesce(started_at, :now) ELSE started_at END,
    finished_at = CASE WHEN :after IN ('finished', 'cancelled') THEN :now ELSE NULL END
WHERE id = :id
"""
QUEUED_OF_CAMPAIGN = "SELECT id, state FROM attempts WHERE campaign_id = :id AND state = 'queued'"
PLAN_AGAIN = "UPDATE attempts SET state = 'planned', lease_until = NULL, reason = :reason WHERE id IN :ids*"
RUNNING_OF_ACCOUNT = (
    "SELECT id FROM campaigns WHERE account = :account AND status IN ('running', 'scheduled') ORDER BY id"
)

HOLD_CAMPAIGN = "SELECT id FROM campaigns WHERE id = :id /*postgresql FOR SHARE*/"
HALTED_AT = """
INSERT INTO ledger_facts (name, value)
VALUES (:name, CAST((SELECT coalesce(max(id), 0) FROM sends) AS TEXT))
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


def campaign_of(row: Row, *, is_new: bool = False) -> Campaign:
    """A campaign from CAMPAIGN_COLUMNS."""
    campaign_id, text, status, halt_reason, created_at, started_at, finished_at, name, account = row
    spec, flaw = usable_spec(text, name, account)
    return Campaign(
        campaign_id,
        spec,
        CampaignStatus(status),
        halt_reason,
        created_at,
        started_at,
        finished_at,
        is_new,
        flaw,
    )


def open_campaigns(
    transaction: Transaction, specs: Sequence[CampaignSpec], by: By, now: float
) -> list[tuple[Campaign, bool]]:
    """Make each campaign, or give an existing one its new spec; and whether its people are to be looked at again.

    Raises UsageError.
    """
    opened = []
    for spec in specs:
        left = False
        if spec.name.startswith(REHEARSAL):
            raise UsageError(f'the name "{spec.name}" may not begin with "{REHEARSAL}": give another one with --name')
        text = write_spec(spec)
        params = {"name": spec.handle, "account": spec.provider, "spec": text, "now": now}
        is_new = transaction.run(ADD_CAMPAIGN, params) == 1
        before = campaign_of(transaction.all(CAMPAIGN_BY_NAME, params)[0], is_new=is_new)
        if is_new:
            # Who was barred from it by its name, while there was only a rehearsal of that name.
            transaction.run(COPY_BARS, {"id": before.campaign_id, "rehearsal": REHEARSAL + spec.name})
            add_acts(transaction, [Act(0, now, by.who, "create", spec.handle, after=text, why=by.why)])
        else:
            _keep_provider(transaction, before, spec)
            transaction.run(RENEW_SPEC, params)
            if before.spec != spec:
                old = write_spec(before.spec)
                add_acts(transaction, [Act(0, now, by.who, "change", spec.handle, "", old, text, by.why)])
            left = hours_changed(before.spec, spec)
            if left:
                leave(transaction, HOURS, before.campaign_id, now)
        opened.append((replace(before, spec=spec), left))
    return opened


def _keep_provider(transaction: Transaction, before: Campaign, spec: CampaignSpec) -> None:
    """The calls of a campaign are looked for in the log of one provider."""
    provider = before.spec.provider
    if provider != spec.provider and transaction.all(HAS_ATTEMPTS, {"id": before.campaign_id})[0][0]:
        raise UsageError(
            f'the campaign "{spec.name}" calls through {provider} and has begun: for {spec.provider} give another name '
            f"with --name, or go on with --provider {provider}"
        )


def record_imports(
    transaction: Transaction, imports: Sequence[tuple[str, str, ImportCounts]], campaign_id: int, by: By, now: float
) -> list[None]:
    """Remember what each list (fingerprint, source, counts) brought."""
    handle = handle_of(transaction, campaign_id)
    for fingerprint, source, counts in imports:
        params = {"campaign_id": campaign_id, "fingerprint": fingerprint, "source": source, "now": now}
        transaction.run(ADD_IMPORT, params | counted(counts))
        brought = json.dumps({name: count for name, count in counted(counts).items() if count and name != "rejects"})
        add_acts(transaction, [Act(0, now, by.who, "import", handle, source, after=brought, why=by.why)])
    return [None] * len(imports)


def counted(counts: ImportCounts) -> dict[str, Any]:
    """Parameters of the statements on ``imports``."""
    return {
        "total": counts.rows,
        "queued": counts.queued,
        "duplicate": counts.duplicate,
        "suppressed": counts.suppressed,
        "invalid": counts.invalid,
        "deferred": counts.deferred,
        "rejects": counts.rejects,
    }


def move_campaigns(
    transaction: Transaction, moves: Sequence[tuple[int, str, str]], by: By, now: float
) -> list[Campaign | None]:
    """Apply (campaign id, verb, reason) for each; None where the verb is not allowed now."""
    return [_move(transaction, campaign_id, verb, reason, by, now) for campaign_id, verb, reason in moves]


def _move(transaction: Transaction, campaign_id: int, verb: str, reason: str, by: By, now: float) -> Campaign | None:
    campaign = campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": campaign_id})[0])
    allowed_from, after = CAMPAIGN_TRANSITIONS[verb_now(verb, campaign.spec, campaign.status, now)]
    if campaign.status not in allowed_from:
        return None
    halt_reason = reason if after is CampaignStatus.HALTED else ""
    transaction.run(MOVE_CAMPAIGN, {"id": campaign_id, "after": str(after), "halt_reason": halt_reason, "now": now})
    if after is CampaignStatus.CANCELLED:
        leave(transaction, CANCEL, campaign_id, now)
    elif after is CampaignStatus.HALTED:
        # What was refused before says nothing of what comes after a person acted.
        transaction.run(HALTED_AT, {"name": f"campaign-halted-at:{campaign_id}"})
        _take_back(transaction, campaign_id, f"campaign {after}", now)
    elif after is not CampaignStatus.RUNNING:
        _take_back(transaction, campaign_id, f"campaign {after}", now)
    if by != PROGRAM or after is not campaign.status:
        before, why = str(campaign.status), by.why or reason
        add_acts(transaction, [Act(0, now, by.who, verb, campaign.spec.handle, "", before, str(after), why)])
    return campaign_of(transaction.all(CAMPAIGN_BY_ID, {"id": campaign_id})[0])


def _take_back(transaction: Transaction, campaign_id: int, reason: str, now: float) -> None:
    queued = transaction.all(QUEUED_OF_CAMPAIGN, {"id": campaign_id})
    if queued:
        transaction.run(PLAN_AGAIN, {"ids": [row[0] for row in queued], "reason": reason})
        add_events(
            transaction,
            [event(row[0], now, Actor.OPERATOR, "queued", AttemptState.PLANNED, reason) for row in queued],
        )


def halt_accounts(transaction: Transaction, halts: Sequence[tuple[str, str]], now: float) -> list[list[str]]:
    """Halt every running campaign of each (account, reason); answers the names."""
    return [halt_account(transaction, account, reason, now) for account, reason in halts]


def halt_account(transaction: Transaction, account: str, reason: str, now: float) -> list[str]:
    """The same for one account."""
    running = transaction.all(RUNNING_OF_ACCOUNT, {"account": account})
    halted = [_move(transaction, row[0], "halt", reason, PROGRAM, now) for row in running]
    transaction.run(HALTED_AT, {"name": f"halted-at:{account}"})
    return [campaign.spec.name for campaign in halted if campaign]


def halt_campaign(transaction: Transaction, campaign_id: int, reason: str, now: float) -> None:
    """Halt one campaign, if it runs."""
    _move(transaction, campaign_id, "halt", reason, PROGRAM, now)
