"""The ledger's tables, defined once: they feed the migrations and both engines.

Times are unix seconds; text that is absent is an empty string, so that NULL always means "not yet".
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from dialer.adapters.ledger import console_tables
from dialer.adapters.ledger.columns import Id, metadata
from dialer.adapters.ledger.states import in_states
from dialer.domain.attempt import LIVE, AttemptState
from dialer.domain.campaign import CampaignStatus
from dialer.domain.contact import OPEN_CONTACTS, ContactStatus

__all__ = ["console_tables", "metadata"]


def _one_of(column: str, values: type[AttemptState] | type[CampaignStatus] | type[ContactStatus]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"known_{column}")


_open = ", ".join(f"'{status}'" for status in ContactStatus if status in OPEN_CONTACTS)

ledger_facts = Table(
    "ledger_facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # the handle: that of a rehearsal begins with "rehearsal:"
    Column("account", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("halt_reason", Text, nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    _one_of("status", CampaignStatus),
)
Index("campaigns_status", campaigns.c.status, campaigns.c.id)

campaign_costs = Table(
    "campaign_costs",  # what the calls cost, as far as it is known: a trigger on the attempts sums it
    metadata,
    Column("campaign_id", Id, primary_key=True, autoincrement=False),
    Column("cost", Double, nullable=False),
    Column("known", Integer, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign_id", Id, ForeignKey("campaigns.id"), nullable=False),
    Column("phone", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("person_key", Text, nullable=False, server_default=""),
    Column("region", Text, nullable=False, server_default=""),
    Column("zones", Text, nullable=False, server_default=""),
    Column("places", Text, nullable=False, server_default=""),
    Column("event_at", Double),
    Column("planned_for", Double),  # the event that the waiting attempt was planned for
    Column("reading", Integer, nullable=False, server_default="0"),  # the last reading of the source that had it
    Column("gone", Integer, nullable=False, server_default="0"),  # 1: no longer in the source; 2: stopped
    Column("list", Text, nullable=False, server_default=""),  # the fingerprint of the last file that had it
    Column("variables", Text, nullable=False, server_default="{}"),
    Column("list_row", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("disposition", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Double),  # when the first attempt is due; NULL once it was made, or never will be
    Column("waits_for", Text, nullable=False, server_default=""),
    Column("last_attempt_at", Double),
    Column("duration_s", Double),
    Column("call_id", Text),
    UniqueConstraint("phone", "campaign_id"),
    _one_of("status", ContactStatus),
)
_awaited = text("due_at IS NOT NULL")
Index("contacts_due", contacts.c.campaign_id, contacts.c.due_at, contacts.c.id, sqlite_where=_awaited,
      postgresql_where=_awaited)  # fmt: skip
_ahead = text(f"event_at IS NOT NULL AND status IN ({_open})")
Index("contacts_event", contacts.c.campaign_id, contacts.c.event_at, sqlite_where=_ahead, postgresql_where=_ahead)
_keyed = text("person_key <> ''")
Index("contacts_person", contacts.c.campaign_id, contacts.c.person_key, sqlite_where=_keyed, postgresql_where=_keyed)
_reached = text("disposition <> ''")
Index("contacts_disposition", contacts.c.campaign_id, contacts.c.disposition, contacts.c.id, sqlite_where=_reached,
      postgresql_where=_reached)  # fmt: skip
Index("contacts_status", contacts.c.campaign_id, contacts.c.status, contacts.c.id)
Index("contacts_campaign", contacts.c.campaign_id, contacts.c.id)

readings = Table(
    "readings",
    metadata,
    Column("campaign_id", Id, ForeignKey("campaigns.id"), primary_key=True, autoincrement=False),
    Column("reading", Integer, nullable=False),  # counts the readings of the source that were begun
    Column("holder", Text, nullable=False, server_default=""),
    Column("lease_until", Double),  # NULL: nobody reads
    Column("read_at", Double),  # when the last complete reading ended
    Column("next_at", Double),
    Column("error", Text, nullable=False, server_default=""),
    Column("failed_at", Double),
    Column("failures", Integer, nullable=False, server_default="0"),  # readings that failed in a row
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign_id", Id, ForeignKey("campaigns.id"), nullable=False),
    Column("contact_id", Id, ForeignKey("contacts.id"), nullable=False),
    Column("number_of", Integer, nullable=False),
    Column("phone", Text, nullable=False),
    Column("person", Text, nullable=False, server_default=""),  # the contact's key, else its phone
    Column("account", Text, nullable=False, server_default=""),  # the campaign's, when the attempt was made
    Column("agent", Text, nullable=False, server_default=""),  # who was to speak, when it was dialed
    Column("rehearsal", Integer, nullable=False, server_default="0"),  # 1: calls nobody, and counts for nobody
    Column("state", Text, nullable=False),
    Column("disposition", Text, nullable=False, server_default=""),
    Column("dispatch", Integer, nullable=False, server_default="0"),
    Column("due_at", Double, nullable=False),
    Column("lease_until", Double),
    Column("token", Text),
    Column("worker", Text, nullable=False, server_default=""),
    Column("answer_due_at", Double),
    Column("dialed_at", Double),
    Column("ended_at", Double),
    Column("duration_s", Double),
    Column("call_id", Text),
    Column("cost", Double),
    Column("reason", Text, nullable=False, server_default=""),
    UniqueConstraint("contact_id", "number_of"),
    _one_of("state", AttemptState),
)
# Invariant I2, held by the database: one number never has two live attempts, over all real campaigns.
_live = text(f"state IN ({in_states(LIVE)})")
Index("attempts_one_live_per_phone", attempts.c.phone, attempts.c.rehearsal, unique=True, sqlite_where=_live,
      postgresql_where=_live)  # fmt: skip
Index("attempts_live", attempts.c.account, attempts.c.id, sqlite_where=_live, postgresql_where=_live)
_doubtful = text(f"state = '{AttemptState.UNCONFIRMED}'")
Index("attempts_unconfirmed", attempts.c.account, attempts.c.ended_at, sqlite_where=_doubtful,
      postgresql_where=_doubtful)  # fmt: skip
_reviewed = text(f"state = '{AttemptState.REVIEW}'")
Index("attempts_review", attempts.c.account, attempts.c.dialed_at, sqlite_where=_reviewed,
      postgresql_where=_reviewed)  # fmt: skip
for name, columns, state in (
    ("attempts_planned", (attempts.c.due_at, attempts.c.id), AttemptState.PLANNED),
    ("attempts_queued", (attempts.c.lease_until,), AttemptState.QUEUED),
    ("attempts_dialing", (attempts.c.dialed_at,), AttemptState.DIALING),
):
    _where = text(f"state = '{state}'")
    Index(name, attempts.c.campaign_id, *columns, sqlite_where=_where, postgresql_where=_where)
Index("attempts_state", attempts.c.campaign_id, attempts.c.state, attempts.c.disposition)
Index("attempts_campaign", attempts.c.campaign_id, attempts.c.id)
_dialed = text("dialed_at > 0")  # in words of its own, or SQLite would take it for other questions too
Index("attempts_dialed", attempts.c.campaign_id, attempts.c.dialed_at, sqlite_where=_dialed, postgresql_where=_dialed)
Index("attempts_phone", attempts.c.phone)
Index("attempts_person", attempts.c.person, attempts.c.dialed_at)

sends = Table(
    "sends",
    metadata,
    Column("id", Id, primary_key=True),
    Column("attempt_id", Id, ForeignKey("attempts.id"), nullable=False),
    Column("account", Text, nullable=False, server_default=""),
    Column("token", Text, nullable=False, unique=True),
    Column("class", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("http_status", Integer),
    Column("requests", Integer, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("about", Text, nullable=False, server_default=""),  # whom a refusal is about
)
# Invariant I1, held by the database: a second send of an attempt needs proof that the first placed nothing.
_live_send = text("class IN ('inflight', 'placed', 'unknown')")
Index("sends_one_live_per_attempt", sends.c.attempt_id, unique=True, sqlite_where=_live_send,
      postgresql_where=_live_send)  # fmt: skip

Index("sends_attempt", sends.c.attempt_id)
Index("sends_account", sends.c.account, sends.c.id)
Index("sends_denied", sends.c.account, sends.c.started_at, sqlite_where=text("class IN ('not_placed', 'refused')"),
      postgresql_where=text("class IN ('not_placed', 'refused')"))  # fmt: skip

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("phone", Text, nullable=False),
    Column("campaign_id", Id, nullable=False, server_default="0"),  # 0: over all campaigns; -1: all rehearsals
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False, server_default=""),
    Column("added_at", Double, nullable=False),
    UniqueConstraint("phone", "campaign_id"),
)
_of_one = text("campaign_id > 0")
Index("suppressions_campaign", suppressions.c.campaign_id, sqlite_where=_of_one, postgresql_where=_of_one)

log_rows = Table(
    "log_rows",
    metadata,
    Column("account", Text, primary_key=True),
    Column("call_id", Text, primary_key=True),
    Column("attempt_id", Id),
    Column("evidence", Text, nullable=False, server_default=""),
    Column("outbound", Integer, nullable=False, server_default="1"),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("duration_s", Double),
    Column("raw_status", Text, nullable=False, server_default=""),
    Column("disposition", Text, nullable=False, server_default=""),
    Column("unmapped", Integer, nullable=False, server_default="0"),
    Column("cost", Double),
    Column("summary", Text, nullable=False, server_default=""),
    Column("recording_url", Text, nullable=False, server_default=""),
    Column("first_seen_at", Double, nullable=False),
    Column("owed_until", Double),  # NULL: all is known of the call
    Column("called_back", Integer, nullable=False, server_default="0"),
)
Index("log_rows_attempt", log_rows.c.attempt_id)
_unmapped = text("unmapped = 1")
Index("log_rows_unmapped", log_rows.c.attempt_id, sqlite_where=_unmapped, postgresql_where=_unmapped)
_owed = text("owed_until IS NOT NULL")
Index("log_rows_owed", log_rows.c.account, log_rows.c.owed_until, sqlite_where=_owed, postgresql_where=_owed)

logins = Table(
    "logins",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tokens", Text, nullable=False, server_default=""),
    Column("renewals", Integer, nullable=False, server_default="0"),
    Column("holder", Text, nullable=False, server_default=""),  # who renews it now
    Column("lease_until", Double),
)

scans = Table(
    "scans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double, nullable=False),
    Column("since", Double, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("whole", Integer, nullable=False),
)
Index("scans_started", scans.c.account, scans.c.started_at)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("attempt_id", Id, nullable=False),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
)
Index("events_attempt", events.c.attempt_id)

acts = Table(
    "acts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("campaign", Text, nullable=False, server_default=""),  # its handle; "": over all
    Column("subject", Text, nullable=False, server_default=""),
    Column("before", Text, nullable=False, server_default=""),
    Column("after", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("chain", Text, nullable=False),
)
Index("acts_campaign", acts.c.campaign, acts.c.id)

imports = Table(
    "imports",
    metadata,
    Column("campaign_id", Id, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("queued", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    Column("suppressed", Integer, nullable=False),
    Column("invalid", Integer, nullable=False),
    Column("deferred", Integer, nullable=False),
    Column("rejects", Text, nullable=False, server_default=""),
    Column("imported_at", Double, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("held_until", Double, nullable=False),
)
