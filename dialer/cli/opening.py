"""What commands open: options, logs, the ledger."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from config import Settings, SettingsError, load_settings
from config.logs import configure_logs
from dialer.adapters.ledger import SqlLedger
from dialer.adapters.local.private_home import make_private
from dialer.cli.printing import say
from dialer.cli.stopping import run
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
        loaded = load_settings()
    except SettingsError as wrong:
        raise UsageError(str(wrong)) from None
    configure_logs(level=loaded.log_level, fmt=loaded.log_format, secrets=loaded.secrets)
    return loaded


def with_ledger(use: Callable[[Settings, SqlLedger], Awaitable[T]]) -> T:
    """Run ``use`` with the ledger open. Raises Interrupted for a signal."""
    options = settings()
    if not options.database_url.get_secret_value():
        make_private(options.home)

    async def body() -> T:
        async with open_ledger(options) as ledger:
            tell_if_new(ledger)
            return await use(options, ledger)

    return run(body)


def tell_if_new(ledger: SqlLedger) -> None:
    """A new ledger, e.g. in another directory, knows of no call: say so before anybody is called."""
    if ledger.made_at:
        say(f"made a new ledger, which knows of no call yet: {ledger.made_at}")
