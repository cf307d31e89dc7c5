"""What commands open: options, logs, the ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from config import Settings, SettingsError, load_settings
from config.logs import configure_logs
from dialer.adapters.sql_ledger import SqlLedger
from dialer.control_room import open_ledger
from dialer.domain.phone_number import Phone, Unusable, parse_phone
from dialer.errors import UsageError

T = TypeVar("T")


def number(text: str, region: str) -> str:
    """A phone number typed by the user, as E.164. Raises UsageError with the remedy."""
    match parse_phone(text, region):
        case Phone(e164=e164):
            return e164
        case Unusable(reason, remedy):
            raise UsageError(f"{reason}. {remedy}")


def settings() -> Settings:
    """The options, with logs configured. Raises UsageError."""
    try:
        found = load_settings()
    except SettingsError as wrong:
        raise UsageError(str(wrong)) from None
    configure_logs(level=found.log_level, fmt=found.log_format, secrets=found.secrets)
    return found


def with_ledger(use: Callable[[Settings, SqlLedger], Awaitable[T]]) -> T:
    """Run ``use`` with the ledger open."""
    found = settings()

    async def body() -> T:
        async with open_ledger(found) as ledger:
            return await use(found, ledger)

    return asyncio.run(body())
