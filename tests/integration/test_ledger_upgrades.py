"""A filled ledger of every schema there was, brought up to the present one."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from dialer.adapters.ledger import SqlLedger
from dialer.adapters.ledger import migrate as migrations
from dialer.adapters.ledger.migrate import migrate
from dialer.adapters.ledger.tables import metadata
from dialer.domain.campaign import CampaignStatus
from tests.fakes.clock import ManualClock
from tests.ledger_steps import listed, phone

SPEC = """
{"agent": "a", "caller_ids": [], "columns": {"key": "", "name": "", "phone": "", "region": "", "timezone": "",
"variables": ["*"]}, "max_cost": 0.0, "name": "renewals", "pace": {"calls_per_second": 1.0, "concurrent_calls": 10,
"weight": 1}, "provider": "simulator", "redial": {"delays_s": {"busy": 900.0, "failed": 1800.0, "no_answer": 7200.0,
"unconfirmed": 14400.0, "voicemail": 14400.0}, "max_attempts": 3}, "region": "", "timezone": "", "window": {"always":
false, "closes": "20:00:00", "days": [0, 1, 2, 3, 4, 5], "lead_s": 120.0, "opens": "09:00:00", "zone": "contact"}}
"""
"""As the first version wrote it."""

FILLED = """
INSERT INTO campaigns (id, name, account, spec, status, created_at)
    VALUES (1, 'renewals', 'simulator', 'SPEC', 'paused', 1);
INSERT INTO contacts (id, campaign_id, phone, name, person_key, region, list_row, status, attempts, due_at)
    VALUES (1, 1, 'PHONE1', 'A', 'k1', 'IN', 2, 'active', 1, NULL), (2, 1, 'PHONE2', 'B', '', 'IN', 3, 'pending', 0, 1);
INSERT INTO attempts (id, campaign_id, contact_id, number_of, phone, state, due_at, token, dialed_at, cost)
    VALUES (1, 1, 1, 1, 'PHONE1', 'placed', 1, 't1', 2, 0.5);
INSERT INTO sends (attempt_id, token, class, started_at) VALUES (1, 't1', 'placed', 2);
INSERT INTO suppressions (phone, reason, added_at) VALUES ('PHONE3', 'asked', 1);
INSERT INTO log_rows (account, call_id, outbound, first_seen_at) VALUES ('simulator', 'c1', 1, 3);
INSERT INTO events (attempt_id, at, actor, "before", "after") VALUES (1, 1, 'feeder', 'planned', 'queued')
"""

SHAPES = {
    "0001": ("0001", []),
    "0002 before sources": (
        "0002",
        ["contacts ADD COLUMN places TEXT DEFAULT '' NOT NULL", "attempts ADD COLUMN person TEXT DEFAULT '' NOT NULL"],
    ),
    "0003": ("0003", []),
    "0012": ("0012", []),
}
"""Schemas that ledgers were made with: the revision they carry, and what they had beyond the frozen script."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_filled_ledger_is_brought_up(shape: str, any_empty_database: str, clock: ManualClock) -> None:
    revision, beyond = SHAPES[shape]
    engine = create_engine(any_empty_database.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for change in beyond:
            connection.execute(text(f"ALTER TABLE {change}"))
        filled = FILLED.replace("SPEC", SPEC.strip())
        for number in (1, 2, 3):
            filled = filled.replace(f"PHONE{number}", phone(number))
        if revision >= "0007":
            filled += ";\nUPDATE attempts SET account = 'simulator'"
        for statement in filled.split(";\n"):
            connection.exec_driver_sql(statement)
    migrate(any_empty_database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert connection.execute(text("SELECT person FROM attempts")).scalars().all() in (["k1"], [""])
        assert connection.execute(text("SELECT count(*) FROM events")).scalar() == 1
    ledger = await SqlLedger.open(any_empty_database, clock)
    try:
        (campaign,) = await ledger.campaigns()
        assert (campaign.spec.name, campaign.status) == ("renewals", CampaignStatus.PAUSED)
        assert [row.phone for row in await listed(ledger.contact_rows(1))] == [phone(1), phone(2)]
        assert await ledger.spent(1) == (0.5, 1, 1)
        assert [open_.attempt_id for open_ in await ledger.open_attempts("simulator", 0.0)] == [1]
    finally:
        await ledger.aclose()
