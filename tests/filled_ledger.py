"""A ledger with a past, filled by SQL alone: calls that were made, people who wait, and a few calls that are on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from dialer.adapters.ledger.spec_text import write_spec
from tests.fakes.clock import START
from tests.ledger_steps import ACCOUNT, spec

CAMPAIGN_ID = 1
"""The campaign that runs."""
SMALL_CAMPAIGNS = 50
OVER_CAMPAIGNS = 3_000
"""So many that are over, of which SMALL_CAMPAIGNS have people."""
LIVE_EACH = 20
"""Attempts in each state that is soon over."""
STATES = ("planned", "queued", "dialing", "placed", "unknown", "review")

CAMPAIGN = """
INSERT INTO campaigns (id, name, account, spec, status, created_at, started_at)
SELECT i + {offset}, '{name}' || i, '{account}', '{spec}', '{status}', {start}, {start} FROM {series}
"""
CONTACT = """
INSERT INTO contacts (id, campaign_id, phone, name, person_key, region, zones, places, event_at, reading, list,
    list_row, status, attempts, due_at)
SELECT i + {offset}, {campaign}, '+1' || (2000000000 + i + {offset}), 'Person', 'k' || (i + {offset}), 'US',
    'America/New_York', 'US US-NY', {event_at}, 1, 'sha', i, '{status}', 1, {due_at} FROM {series}
"""
ATTEMPT = """
INSERT INTO attempts (id, campaign_id, contact_id, number_of, phone, person, account, agent, state, disposition,
    dispatch, due_at, lease_until, token, answer_due_at, dialed_at, ended_at, call_id, cost)
SELECT i + {offset}, {campaign}, i + {offset}, 1, '+1' || (2000000000 + i + {offset}), 'k' || (i + {offset}),
    '{account}', 'agent-1', '{state}', '{disposition}', 1, {start} + i * 0.001, {start} + 3, 't' || (i + {offset}),
    {start} + 60, {dialed_at}, {ended_at}, 'c' || (i + {offset}), 1.0 FROM {series}
"""
SEND = """
INSERT INTO sends (id, attempt_id, account, token, class, started_at, answered_at, http_status, requests)
SELECT i + {offset}, i + {offset}, '{account}', 't' || (i + {offset}), {sent}, {start} - 86400 + i * 0.01,
    {start} - 86399 + i * 0.01, 200, 1 FROM {series}
"""
EVENT = """
INSERT INTO events (attempt_id, at, actor, "before", "after")
SELECT i, {start} - 86400 + i * 0.01, 'worker', 'queued', 'dialing' FROM {series}
"""
LOG_ROW = """
INSERT INTO log_rows (account, call_id, attempt_id, outbound, started_at, ended_at, raw_status, disposition,
    first_seen_at, owed_until)
SELECT '{account}', 'c' || i, CASE WHEN i % 100 = 0 THEN NULL ELSE i END, 1, {start} - 86400 + i * 0.01,
    {start} - 86300 + i * 0.01, 'completed', 'answered', {start}, NULL FROM {series}
"""
SUPPRESSION = """
INSERT INTO suppressions (phone, campaign_id, reason, added_at)
SELECT '+1' || (3000000000 + i), 0, 'asked', {start} FROM {series}
"""
FACT = "INSERT INTO ledger_facts (name, value) SELECT 'suppressed-by:call ' || i, '1' FROM {series}"
WEBHOOK = """
INSERT INTO webhooks (digest, account, call_id, event, signed_by, received_at)
SELECT 'd' || i, '{account}', 'c' || (i / 5), 'call_ended', 'Vaani-Signature', {start} + 86400 + i FROM {series}
"""
ACT = """
INSERT INTO acts (at, who, act, campaign, chain) SELECT {start}, 'a', 'suppress', 'old' || (i % 50), 'x' FROM {series}
"""


def fill(url: str, made: int, waiting: int) -> None:
    """Give the empty ledger at ``url`` a campaign that made so many calls, and has people who wait.

    All in one campaign: what must not grow with history must not grow with a campaign's own history.
    """
    with _connected(url) as run:
        run(CAMPAIGN, 1, spec=write_spec(spec("now")), name="now", status="running")
        run(CAMPAIGN, OVER_CAMPAIGNS, 1, spec=write_spec(spec("small")), name="small", status="finished")
        run(CONTACT, made, status="reached")
        run(ATTEMPT, made, state="ended", disposition="answered",
            dialed_at=f"{START} - 86400 + i * 0.01", ended_at=f"{START} - 86300 + i * 0.01")  # fmt: skip
        run(SEND, made, sent="CASE WHEN i % 20 = 0 THEN 'refused' ELSE 'placed' END")
        for sql in (EVENT, EVENT, EVENT, LOG_ROW, FACT, ACT, WEBHOOK):
            run(sql, made)
        run(SUPPRESSION, made // 10)
        run(CONTACT, waiting, made, due_at=f"CASE WHEN i % 2 = 0 THEN 0 ELSE {START} + i END")
        for n, state in enumerate(STATES):
            _live(run, state, made + waiting + n * LIVE_EACH)
        small, of_each = made + waiting + len(STATES) * LIVE_EACH, waiting // SMALL_CAMPAIGNS
        for n in range(SMALL_CAMPAIGNS):
            its = {"campaign": CAMPAIGN_ID + 1 + n, "offset": small + n * of_each}
            run(CONTACT, of_each, status="exhausted", **its)
            run(ATTEMPT, of_each, state="ended", disposition="no_answer", dialed_at=START, ended_at=START, **its)


def _live(run: Callable[..., None], state: str, offset: int) -> None:
    sent = state not in ("planned", "queued")
    run(CONTACT, LIVE_EACH, offset, status="active", event_at=f"{START} + 86400")
    run(ATTEMPT, LIVE_EACH, offset, state=state, dialed_at=START if sent else "NULL")
    if sent:
        run(SEND, LIVE_EACH, offset, sent="'inflight'" if state == "dialing" else "'unknown'")


@contextmanager
def _connected(url: str) -> Iterator[Callable[..., None]]:
    connection: Any
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        series = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"
    else:
        connection = psycopg.connect(url)
        series = "generate_series(1, {count}) AS n(i)"
    usual = {"campaign": CAMPAIGN_ID, "account": ACCOUNT, "start": START, "disposition": "", "status": "pending",
             "due_at": "NULL", "event_at": "NULL", "ended_at": "NULL"}  # fmt: skip

    def run(sql: str, count: int, offset: int = 0, **more: Any) -> None:
        connection.execute(sql.format(**usual | {"series": series.format(count=count), "offset": offset} | more))

    yield run
    connection.commit()
    if not url.startswith("sqlite:///"):
        for table in ("campaigns", "contacts", "attempts", "sends"):
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
    connection.close()
